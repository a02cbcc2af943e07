package dev.sund.it.service;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * SCTP without sockets of it, which many kernels lack: the first packet of an association (INIT,
 * RFC 9260 section 3.3.2) by a raw socket, and raw sockets that see in whose namespace it arrives.
 */
final class SctpInits implements AutoCloseable {
  private static final int HEADER = 12;
  private static final int INIT = 20;
  private static final long PATIENCE_NANOS = 700_000_000L;

  private record Receiver(String name, Family family, NetSocket socket) {}

  private final List<Receiver> receivers = new ArrayList<>();
  private final MessageBuffer buffer = new MessageBuffer(2048);
  private int tag = 0x5d5d0000;

  /**
   * Watches.
   *
   * @param places who may get it, by name
   */
  static SctpInits watch(Map<String, NetNs> places) throws KernelException {
    SctpInits inits = new SctpInits();
    for (var place : places.entrySet()) {
      for (Family family : Family.values()) {
        inits.receivers.add(new Receiver(place.getKey(), family, raw(place.getValue(), family)));
      }
    }
    return inits;
  }

  private static NetSocket raw(NetNs namespace, Family family) throws KernelException {
    return namespace.<NetSocket, KernelException>call(
        () -> NetSocket.raw(family, Protocol.SCTP.number()));
  }

  /** Who gets an INIT, whom he sees, and at which port: {@code NAME SOURCE PORT}; or empty. */
  String ask(NetNs from, Ip address, int port) throws Exception {
    int now = ++tag;
    try (NetSocket sender = raw(from, address.family())) {
      ByteBuffer packet = buffer.data();
      packet.order(ByteOrder.BIG_ENDIAN);
      packet.putShort(0, (short) (20_000 + (now & 0xff)));
      packet.putShort(2, (short) port);
      packet.putInt(4, 0); // no tag yet
      packet.putInt(8, 0);
      packet.put(HEADER, (byte) 1).put(HEADER + 1, (byte) 0);
      packet.putShort(HEADER + 2, (short) INIT);
      packet.putInt(HEADER + 4, now);
      packet.putInt(HEADER + 8, 65_536);
      packet.putShort(HEADER + 12, (short) 1).putShort(HEADER + 14, (short) 1);
      packet.putInt(HEADER + 16, now);
      CRC32C sum = new CRC32C();
      sum.update(buffer.bytes(HEADER + INIT));
      packet.putInt(8, Integer.reverseBytes((int) sum.getValue()));
      buffer.sendTo(sender, HEADER + INIT, new Endpoint(address, 0));
      return arrival(now, address.family());
    }
  }

  private String arrival(int wanted, Family family) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (System.nanoTime() < deadline) {
      for (Receiver receiver : receivers) {
        if (receiver.family != family) {
          continue;
        }
        int length = buffer.receive(receiver.socket);
        if (length < 0) {
          continue;
        }
        ByteBuffer packet = buffer.data().order(ByteOrder.BIG_ENDIAN);
        int at = family == Family.V4 ? 4 * (packet.get(0) & 15) : 0;
        if (length >= at + HEADER + INIT
            && packet.get(at + HEADER) == 1
            && packet.getInt(at + HEADER + 4) == wanted) {
          return receiver.name
              + " "
              + buffer.from().orElseThrow().ip()
              + " "
              + (packet.getShort(at + 2) & 0xffff);
        }
      }
      Thread.sleep(5);
    }
    return "";
  }

  @Override
  public void close() {
    receivers.forEach(receiver -> receiver.socket.close());
  }
}
