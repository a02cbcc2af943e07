package dev.sund.lab.api;

import static dev.sund.lab.api.Objects.node;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.watch.ClusterWatch;
import dev.sund.model.Ip;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How many connections following a cluster takes, and what they cost. */
@Timeout(180)
class WatchConnectionsTest {
  private final ConcurrentLinkedQueue<Socket> opened = new ConcurrentLinkedQueue<>();
  private final AtomicInteger proofs = new AtomicInteger();

  @Test
  void listsShareOneConnectionAndWatchesTakeUpItsSession() throws Exception {
    LabAuthority authority = new LabAuthority(Instant.now());
    try (LabApi api = new LabApi(WatchScene.CLOCK);
        ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      api.token("secret", Subject.ADMIN);
      api.put(node("n1", "192.168.1.11"));
      List.of(
              Resource.POOLS_V3,
              Resource.POOLS_V1,
              Resource.RESERVATIONS_V3,
              Resource.RESERVATIONS_V1,
              Resource.INSTALLATIONS)
          .forEach(calicos -> api.serves(calicos, false));
      api.serve(socket, authority.server(List.of(), List.of(Ip.parse("127.0.0.1"))));
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new TrustManager[] {new Counting()}, null);
      ApiServer server =
          new ApiServer(
              List.of(new ApiServer.Endpoint("127.0.0.1", socket.getLocalPort())),
              "",
              Optional.of(() -> context),
              Optional.empty(),
              () -> Optional.of("secret"));
      CountDownLatch synced = new CountDownLatch(1);
      try (ClusterWatch watch =
          ClusterWatch.start(
              server,
              ClusterWatch.Means.ordinary().with(this::dial),
              event -> {
                if (event instanceof ClusterEvent.Synced) {
                  synced.countDown();
                }
              },
              _ -> {})) {
        assertThat(synced.await(60, TimeUnit.SECONDS)).isTrue();
        long end = System.nanoTime() + 60_000_000_000L;
        // All are there when that of the lists came besides them, and has gone.
        while ((opened.size() < 13 || standing() != 12) && System.nanoTime() < end) {
          Thread.sleep(5);
        }
        Thread.sleep(300); // nobody opens more of them
        assertThat(standing()).as("one for each resource that the server has").isEqualTo(12);
        assertThat(opened).as("with that of the lists").hasSizeBetween(13, 17);
        assertThat(proofs).as("full handshakes").hasValueLessThan(4);
        watch.redial();
      }
    }
    assertThat(standing()).isZero();
  }

  private long standing() {
    return opened.stream().filter(socket -> !socket.isClosed()).count();
  }

  private Socket dial() throws java.io.IOException {
    Socket socket = Dialer.newSocket();
    opened.add(socket);
    return socket;
  }

  /** Is asked at each full handshake, and not where a session is taken up. */
  private final class Counting extends X509ExtendedTrustManager {
    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, Socket socket) {
      proofs.incrementAndGet();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {
      proofs.incrementAndGet();
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String kind) {
      proofs.incrementAndGet();
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String kind) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }
}
