package dev.sund.bench.capture;

import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/** Sends datagrams at a pace: a share of them each millisecond. */
final class PacedSender implements AutoCloseable {
  private static final long MILLISECOND = 1_000_000;

  private final MessageBuffer buffer = new MessageBuffer(2_048);
  private final NetSocket socket;
  private final Endpoint to;
  private final int bytes;

  PacedSender(NetNs from, Endpoint to, int bytes) throws IOException {
    this.socket = from.call(() -> NetSocket.udp(to.ip().family()));
    this.to = to;
    this.bytes = bytes;
  }

  /**
   * Sends so many in all.
   *
   * @return how long it took, in seconds; longer than asked for when the machine is too slow
   */
  double send(long packets, int perSecond) {
    long begin = System.nanoTime();
    long sent = 0;
    while (sent < packets) {
      long due =
          Math.min(packets, (System.nanoTime() - begin) / MILLISECOND * perSecond / 1_000 + 1);
      while (sent < due) {
        buffer.sendTo(socket, bytes, to);
        sent++;
      }
      LockSupport.parkNanos(MILLISECOND / 4);
    }
    return (System.nanoTime() - begin) / 1e9;
  }

  @Override
  public void close() {
    socket.close();
  }
}
