package dev.sund.agent.services;

import dev.sund.kernel.NetNs;
import dev.sund.model.Marks;
import dev.sund.model.ServiceKey;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Semaphore;
import java.util.function.BooleanSupplier;

/**
 * Answers a health-check node port of one Service (S11): 200 while an endpoint on this node is
 * ready and the agent works, else 503; the body and the header {@code
 * X-Load-Balancing-Endpoint-Weight} say how many there are. Any path and method are answered, since
 * load balancers differ in what they ask.
 *
 * <p>Everybody may ask, so everything is bounded: connections at once, bytes read, seconds. One
 * virtual thread, and one for each connection.
 */
final class HealthServer implements AutoCloseable {
  private static final int AT_ONCE = 32;
  private static final int LONGEST_REQUEST = 8192;
  private static final int PATIENCE_MILLIS = 3000;
  private static final int BACKLOG = 64;

  private final ServiceKey service;
  private final BooleanSupplier healthy;
  private final ServerSocket socket;
  private final Semaphore room = new Semaphore(AT_ONCE);
  private volatile int localReady;

  private HealthServer(ServiceKey service, BooleanSupplier healthy, ServerSocket socket) {
    this.service = service;
    this.healthy = healthy;
    this.socket = socket;
  }

  /**
   * Listens and begins to answer.
   *
   * @param namespace the node's
   * @param address one of the node's, or the unspecified one for all
   */
  static HealthServer open(
      NetNs namespace,
      InetAddress address,
      int port,
      ServiceKey service,
      int localReady,
      BooleanSupplier healthy)
      throws IOException {
    ServerSocket socket =
        namespace.call(() -> {
          ServerSocket made = new ServerSocket();
          try {
            made.setReuseAddress(true);
            made.bind(new InetSocketAddress(address, port), BACKLOG);
            return made;
          } catch (IOException e) {
            made.close();
            throw e;
          }
        });
    HealthServer server = new HealthServer(service, healthy, socket);
    server.localReady = localReady;
    Thread.ofVirtual().name(Marks.THREAD_PREFIX + "health-" + port).start(server::acceptAll);
    return server;
  }

  /** How many endpoints on this node are ready, from now on. */
  void localReady(int count) {
    localReady = count;
  }

  /** Ends service. Idempotent. */
  @Override
  public void close() throws IOException {
    socket.close();
  }

  private void acceptAll() {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        if (!room.tryAcquire()) {
          client.close();
          continue;
        }
        Thread.ofVirtual().name(Marks.THREAD_PREFIX + "health-call").start(() -> serve(client));
      } catch (IOException _) {
        if (!socket.isClosed() && !pause()) {
          return;
        }
      }
    }
  }

  private static boolean pause() {
    try {
      Thread.sleep(50); // out of descriptors, for a while
      return true;
    } catch (InterruptedException _) {
      return false;
    }
  }

  private void serve(Socket client) {
    try (client) {
      client.setSoTimeout(PATIENCE_MILLIS);
      if (readRequest(client.getInputStream())) {
        OutputStream out = client.getOutputStream();
        out.write(answer().getBytes(StandardCharsets.UTF_8));
        out.flush();
      }
    } catch (IOException _) {
      // the one who asked went away
    } finally {
      room.release();
    }
  }

  /** Whether a whole head of a request came. */
  private static boolean readRequest(InputStream in) throws IOException {
    long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
    int ends = 0;
    for (int read = 0; read < LONGEST_REQUEST && System.nanoTime() < end; read++) {
      int one = in.read();
      if (one < 0) {
        return false;
      }
      if (one == '\n') {
        ends++;
        if (ends == 2) {
          return true;
        }
      } else if (one != '\r') {
        ends = 0;
      }
    }
    return false;
  }

  private String answer() {
    int count = localReady;
    boolean works = healthy.getAsBoolean();
    String body =
        ("{\"service\":{\"namespace\":\"%s\",\"name\":\"%s\"},\"localEndpoints\":%d,"
                + "\"serviceProxyHealthy\":%b}")
            .formatted(service.namespace(), service.name(), count, works);
    String status = count > 0 && works ? "200 OK" : "503 Service Unavailable";
    return "HTTP/1.1 "
        + status
        + "\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n"
        + "X-Load-Balancing-Endpoint-Weight: "
        + count
        + "\r\nContent-Length: "
        + body.length()
        + "\r\nConnection: close\r\n\r\n"
        + body;
  }
}
