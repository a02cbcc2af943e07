package dev.sund.doctor.capture;

import dev.sund.kernel.packet.PacketRing;
import java.io.IOException;

/** Takes packets, on the thread that reads them. */
public interface PacketSink extends AutoCloseable {
  /**
   * Takes the packet at which a ring stands; it is gone when this returns.
   *
   * @param source which of the capture's sources, from 0
   */
  void packet(int source, PacketRing ring) throws IOException;

  /** Nothing more has come for now. */
  void idle() throws IOException;

  /**
   * The kernel's counts of a source, once, at the end. A sink of packets alone has no use for them.
   *
   * @param source which of the capture's sources, from 0
   */
  default void counted(int source, PacketRing.Counts counts) throws IOException {}

  @Override
  void close() throws IOException;
}
