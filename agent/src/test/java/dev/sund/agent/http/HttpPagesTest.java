package dev.sund.agent.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class HttpPagesTest implements HttpPages.Source {
  private final AgentMetrics metrics = new AgentMetrics();
  private volatile List<String> notReady = List.of();
  private volatile CountDownLatch gate = new CountDownLatch(0);
  private HttpPages pages;

  @BeforeEach
  void start() throws IOException {
    LogSink sink =
        new LogSink(_ -> {}, InstantSource.system(), System::nanoTime, "", LogLevel.ERROR);
    pages =
        new HttpPages(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
            this,
            () -> {},
            metrics,
            sink.log("http"));
    pages.start();
  }

  @AfterEach
  void stop() {
    pages.close();
  }

  @Test
  void healthAndReadinessAreTwoQuestions() throws Exception {
    notReady = List.of("not synced", "1 change deferred");
    assertThat(get("/healthz").statusCode()).isEqualTo(200);
    assertThat(get("/readyz").statusCode()).isEqualTo(503);
    assertThat(get("/readyz").body()).isEqualTo("not synced\n1 change deferred\n");
    notReady = List.of();
    assertThat(get("/readyz").body()).isEqualTo("ok\n");
  }

  @Test
  void metricsCarryOurNameOrThatOfKubeProxysWhichMeansTheSame() throws Exception {
    metrics.ready.set(1);
    metrics.driftRepaired.labelValues("routes").inc(3);
    metrics.attachSeconds.labelValues("ADD", "ok").observe(0.003);
    assertThat(get("/metrics").body())
        .contains("sund_ready 1.0")
        .contains("sund_drift_repaired_total{table=\"routes\"} 3.0")
        .contains("sund_attach_seconds_bucket{command=\"ADD\",outcome=\"ok\",le=\"0.005\"} 1");
    assertThat(get("/metrics").body().lines().filter(line -> !line.startsWith("#")))
        .allMatch(line -> line.startsWith("sund_") || line.startsWith("kubeproxy_"));
  }

  @Test
  void kubeProxysPagesAreServedAndCounted() throws Exception {
    assertThat(get("/proxyMode").body()).isEqualTo("nftables");
    assertThat(get("/livez").body()).isEqualTo("ok\n");
    assertThat(get("/healthz").statusCode()).isEqualTo(200);
    assertThat(get("/metrics").body())
        .contains("kubeproxy_proxy_healthz_total{code=\"200\"} 1.0")
        .contains("kubeproxy_proxy_livez_total{code=\"200\"} 1.0");
  }

  @Test
  void nothingElseIsServedAndNothingIsChanged() throws Exception {
    assertThat(get("/").statusCode()).isEqualTo(404);
    assertThat(get("/metrics/x").statusCode()).isEqualTo(404);
    assertThat(send("POST", "/healthz").statusCode()).isEqualTo(405);
  }

  @Test
  void whatFollowsAQuestionMarkChangesNothing() throws Exception {
    assertThat(get("/healthz?verbose=1").body()).isEqualTo("ok\n");
  }

  @Test
  void headHasTheLengthAndNoBody() throws Exception {
    HttpResponse<String> head = send("HEAD", "/proxyMode");
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.headers().firstValue("Content-Length")).contains("8");
    assertThat(head.headers().firstValue("Date").orElse("")).endsWith(" GMT");
    assertThat(head.body()).isEmpty();
  }

  @Test
  void aRequestMayComeInPieces() throws Exception {
    try (Socket socket = connected()) {
      for (String piece : List.of("GET /hea", "lthz HTTP/1.1\r\nHost: n1\r", "\n\r", "\n")) {
        write(socket, piece);
      }
      assertThat(all(socket)).startsWith("HTTP/1.1 200 OK\r\n").endsWith("\r\n\r\nok\n");
    }
  }

  @Test
  void whatIsNotHttpIsToldSo() throws Exception {
    try (Socket socket = connected()) {
      write(socket, "hello\r\n\r\n");
      assertThat(all(socket)).startsWith("HTTP/1.1 400 ").endsWith("not HTTP\n");
    }
  }

  @Test
  void whoSaysNothingOrTooMuchKeepsNobodyWaiting() throws Exception {
    try (Socket silent = connected();
        Socket talkative = connected()) {
      write(talkative, "GET /" + "x".repeat(8187));
      assertThat(get("/healthz").statusCode()).isEqualTo(200);
      assertThat(all(talkative)).isEmpty();
      assertThat(all(silent)).isEmpty(); // after some seconds
    }
  }

  @Test
  void moreThanThirtyTwoAtOnceAreSentAway() throws Exception {
    List<Socket> waiting = new ArrayList<>();
    gate = new CountDownLatch(1);
    try {
      for (int i = 0; i < 32; i++) {
        waiting.add(connected());
        write(waiting.getLast(), "GET /readyz HTTP/1.1\r\n\r\n");
      }
      try (Socket late = connected()) {
        assertThat(all(late)).isEmpty();
      }
      gate.countDown();
      for (Socket one : waiting) {
        assertThat(all(one)).endsWith("ok\n");
      }
      assertThat(get("/healthz").statusCode()).isEqualTo(200);
    } finally {
      gate.countDown();
      for (Socket one : waiting) {
        one.close();
      }
    }
  }

  private Socket connected() throws IOException {
    return new Socket(pages.address().getAddress(), pages.address().getPort());
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static String all(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
  }

  @Override
  public List<String> unhealthy() {
    return List.of();
  }

  @Override
  public List<String> notReady() {
    try {
      gate.await();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    return notReady;
  }

  private HttpResponse<String> get(String path) throws Exception {
    return send("GET", path);
  }

  private HttpResponse<String> send(String method, String path) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(URI.create("http://localhost:" + pages.address().getPort() + path))
              .method(method, HttpRequest.BodyPublishers.noBody())
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }
}
