package dev.sund.bench.traffic;

import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.NetSocket;
import java.util.Arrays;
import java.util.Optional;

/** How long TCP connections take. */
public final class Connecting {
  /** How many connections a sample is the median of. */
  public static final int CONNECTIONS = 400;

  private static final int CONNECTED = -Errno.EISCONN.number();
  private static final long PATIENCE_NANOS = 2_000_000_000L;

  private Connecting() {}

  /**
   * Microseconds that a connection takes: the median of many, one after another.
   *
   * @param client where the clients are
   * @param server listens; what it accepts is closed
   * @param to what the clients ask, by the server's family
   * @throws IllegalStateException when a connection does not come about within two seconds
   */
  public static double micros(NetNs client, NetSocket server, Endpoint to) throws KernelException {
    double[] micros = new double[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
      try (NetSocket socket = client.call(() -> NetSocket.tcp(to.ip().family())).resetOnClose()) {
        long began = System.nanoTime();
        // Asked again, the kernel says that it is under way until it is connected.
        int result = socket.tryConnect(to);
        while (result != 0 && result != CONNECTED) {
          if (System.nanoTime() - began > PATIENCE_NANOS) {
            throw new IllegalStateException("no connection to " + to + ": " + result);
          }
          result = socket.tryConnect(to);
        }
        micros[i] = (System.nanoTime() - began) / 1e3;
      }
      Optional<NetSocket> accepted = server.accept();
      accepted.ifPresent(NetSocket::close);
    }
    Arrays.sort(micros);
    return micros[CONNECTIONS / 2];
  }
}
