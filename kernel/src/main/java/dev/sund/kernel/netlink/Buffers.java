package dev.sund.kernel.netlink;

import dev.sund.model.Checks;

/**
 * How much a netlink socket holds.
 *
 * @param send bytes that one send may carry (SO_SNDBUFFORCE), 8 KiB to 64 MiB
 * @param receive bytes of answers and events that may wait (SO_RCVBUFFORCE), 8 KiB to 64 MiB; the
 *     kernel counts about 1 KiB for the smallest
 * @param datagram the largest single answer in bytes, 32 to 64 KiB
 */
public record Buffers(int send, int receive, int datagram) {
  static final int LARGEST_DATAGRAM = 64 << 10;

  /** 2 MiB to send, 8 MiB of answers, 64 KiB an answer. */
  public static final Buffers DEFAULT = new Buffers(2 << 20, 8 << 20, LARGEST_DATAGRAM);

  /** For a socket that asks a few small things: a pod's namespace. */
  public static final Buffers SMALL = new Buffers(128 << 10, 256 << 10, 32 << 10);

  public Buffers {
    Checks.range("send", send, 8 << 10, 64 << 20);
    Checks.range("receive", receive, 8 << 10, 64 << 20);
    Checks.range("datagram", datagram, 32 << 10, LARGEST_DATAGRAM);
  }
}
