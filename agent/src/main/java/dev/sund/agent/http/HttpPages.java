package dev.sund.agent.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.Log;
import dev.sund.model.Marks;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * The agent's HTTP pages, with the names of kube-proxy's where these mean the same. Answers 200
 * with {@code ok}, or 503 with one line for each thing that is not as it should be.
 *
 * <p>The listening socket is opened in the constructor by the calling thread, so that a caller
 * inside a namespace gets a socket of that namespace; threads start in {@link #start}, which must
 * be called outside.
 */
public final class HttpPages implements AutoCloseable {
  static {
    // Read once by the JDK's server: nobody holds a connection half-sent for longer, in seconds.
    System.setProperty("sun.net.httpserver.maxReqTime", "30");
    System.setProperty("sun.net.httpserver.maxRspTime", "60");
  }

  /** How Services are served, in kube-proxy's word for it. */
  private static final String PROXY_MODE = "nftables";

  /** What the pages show. */
  public interface Source {
    /** Why the agent should be restarted, a line each; empty when it works. */
    List<String> unhealthy();

    /** Why the agent is not ready to attach pods, a line each; empty when it is. */
    List<String> notReady();
  }

  private final HttpServer server;
  private final Log log;
  private final ExecutorService threads;

  /**
   * Opens the socket.
   *
   * @param address where to listen; port 0 for any
   * @param refresh run before the metrics are read
   */
  public HttpPages(
      InetSocketAddress address, Source source, Runnable refresh, AgentMetrics metrics, Log log)
      throws IOException {
    this.server = HttpServer.create(address, 0);
    this.log = log;
    this.threads =
        Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name(Marks.THREAD_PREFIX + "http-", 0).factory());
    server.setExecutor(threads);
    server.createContext(
        "/healthz", exchange -> counted(exchange, source::unhealthy, metrics.proxy.healthz));
    server.createContext(
        "/livez", exchange -> counted(exchange, source::unhealthy, metrics.proxy.livez));
    server.createContext("/readyz", exchange -> verdict(exchange, source::notReady));
    server.createContext("/proxyMode", exchange -> answer(exchange, 200, "text/plain", PROXY_MODE));
    server.createContext(
        "/metrics",
        exchange -> {
          refresh.run();
          metrics(exchange, metrics.registry());
        });
    server.createContext("/", exchange -> answer(exchange, 404, "text/plain", "not found\n"));
  }

  /** Begins to answer. */
  public void start() {
    server.start();
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return server.getAddress();
  }

  /** Ends service at once. Idempotent. */
  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }

  private void counted(HttpExchange exchange, Supplier<List<String>> faults, Counter answers)
      throws IOException {
    List<String> lines = faults.get();
    answers.labelValues(lines.isEmpty() ? "200" : "503").inc();
    verdict(exchange, () -> lines);
  }

  private void verdict(HttpExchange exchange, Supplier<List<String>> faults) throws IOException {
    List<String> lines = faults.get();
    if (lines.isEmpty()) {
      answer(exchange, 200, "text/plain", "ok\n");
    } else {
      answer(exchange, 503, "text/plain", String.join("\n", lines) + "\n");
    }
  }

  private void metrics(HttpExchange exchange, PrometheusRegistry registry) throws IOException {
    ByteArrayOutputStream text = new ByteArrayOutputStream(16 * 1024);
    var writer = PrometheusTextFormatWriter.create();
    writer.write(text, registry.scrape());
    answer(exchange, 200, writer.getContentType(), text.toString(StandardCharsets.UTF_8));
  }

  private void answer(HttpExchange exchange, int status, String type, String text)
      throws IOException {
    String path = exchange.getRequestURI().getPath();
    String method = exchange.getRequestMethod();
    boolean known = exchange.getHttpContext().getPath().equals(path);
    byte[] body = (known || status == 404 ? text : "not found\n").getBytes(StandardCharsets.UTF_8);
    int code = known ? status : 404;
    if (!method.equals("GET") && !method.equals("HEAD")) {
      code = 405;
      body = "only GET\n".getBytes(StandardCharsets.UTF_8);
    }
    try (exchange) {
      exchange.getResponseHeaders().set("Content-Type", type);
      exchange.sendResponseHeaders(code, method.equals("HEAD") ? -1 : body.length);
      if (!method.equals("HEAD")) {
        exchange.getResponseBody().write(body);
      }
    } catch (IOException e) {
      log.debug("an HTTP client broke off", "path", path, "error", String.valueOf(e.getMessage()));
    }
  }
}
