package dev.sund.agent.services;

import dev.sund.agent.http.HttpListener;
import dev.sund.kernel.NetNs;
import dev.sund.model.Marks;
import dev.sund.model.ServiceKey;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Answers a health-check node port of one Service (S11): 200 while an endpoint on this node is
 * ready and the agent works, else 503; the body and the header {@code
 * X-Load-Balancing-Endpoint-Weight} say how many there are. Any path and method are answered, since
 * load balancers differ in what they ask.
 *
 * <p>Everybody may ask: what bounds that is the listener's.
 */
final class HealthServer implements AutoCloseable {
  private static final int BACKLOG = 64;

  private final ServiceKey service;
  private final BooleanSupplier healthy;
  private final HttpListener listener;
  private volatile int localReady;

  private HealthServer(ServiceKey service, BooleanSupplier healthy, ServerSocket socket) {
    this.service = service;
    this.healthy = healthy;
    this.listener =
        new HttpListener(
            socket, Marks.THREAD_PREFIX + "health-" + socket.getLocalPort(), _ -> answer());
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
    server.listener.start();
    return server;
  }

  /** How many endpoints on this node are ready, from now on. */
  void localReady(int count) {
    localReady = count;
  }

  /** Ends service. Idempotent. */
  @Override
  public void close() throws IOException {
    listener.close();
  }

  private HttpListener.Response answer() {
    int count = localReady;
    boolean works = healthy.getAsBoolean();
    String body =
        ("{\"service\":{\"namespace\":\"%s\",\"name\":\"%s\"},\"localEndpoints\":%d,"
                + "\"serviceProxyHealthy\":%b}")
            .formatted(service.namespace(), service.name(), count, works);
    String status = count > 0 && works ? "200 OK" : "503 Service Unavailable";
    return new HttpListener.Response(
        status,
        Map.of(
            "Content-Type",
            "application/json",
            "X-Content-Type-Options",
            "nosniff",
            "X-Load-Balancing-Endpoint-Weight",
            String.valueOf(count)),
        body);
  }
}
