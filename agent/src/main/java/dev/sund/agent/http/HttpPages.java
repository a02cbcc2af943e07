package dev.sund.agent.http;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.log.Log;
import dev.sund.model.Marks;
import io.prometheus.metrics.core.metrics.Counter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
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
  /** How Services are served, in kube-proxy's word for it. */
  private static final String PROXY_MODE = "nftables";

  private static final String OK = "200 OK";

  /** What the pages show. */
  public interface Source {
    /** Why the agent should be restarted, a line each; empty when it works. */
    List<String> unhealthy();

    /** Why the agent is not ready to attach pods, a line each; empty when it is. */
    List<String> notReady();
  }

  private final ServerSocket socket;
  private final HttpListener listener;
  private final Source source;
  private final Runnable refresh;
  private final AgentMetrics metrics;
  private final Log log;

  /**
   * Opens the socket.
   *
   * @param address where to listen; port 0 for any
   * @param refresh run before the metrics are read
   */
  public HttpPages(
      InetSocketAddress address, Source source, Runnable refresh, AgentMetrics metrics, Log log)
      throws IOException {
    this.source = source;
    this.refresh = refresh;
    this.metrics = metrics;
    this.log = log;
    this.socket = listen(address);
    this.listener = new HttpListener(socket, Marks.THREAD_PREFIX + "http", this::answer);
  }

  private static ServerSocket listen(InetSocketAddress address) throws IOException {
    ServerSocket made = new ServerSocket();
    try {
      made.setReuseAddress(true);
      made.bind(address);
      return made;
    } catch (IOException e) {
      made.close();
      throw e;
    }
  }

  /** Begins to answer. */
  public void start() {
    listener.start();
  }

  /** Where it listens. */
  public InetSocketAddress address() {
    return new InetSocketAddress(socket.getInetAddress(), socket.getLocalPort());
  }

  /** Ends service at once. Idempotent. */
  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      log.debug("a listening socket could not be closed", "error", e.getMessage());
    }
  }

  private HttpListener.Response answer(HttpListener.Request request) {
    if (!request.method().equals("GET") && !request.method().equals("HEAD")) {
      return text("405 Method Not Allowed", "only GET\n");
    }
    return switch (request.path()) {
      case "/healthz" -> counted(source::unhealthy, metrics.proxy.healthz);
      case "/livez" -> counted(source::unhealthy, metrics.proxy.livez);
      case "/readyz" -> verdict(source.notReady());
      case "/proxyMode" -> text(OK, PROXY_MODE);
      case "/metrics" -> metrics();
      default -> text("404 Not Found", "not found\n");
    };
  }

  private HttpListener.Response counted(Supplier<List<String>> faults, Counter answers) {
    List<String> lines = faults.get();
    answers.labelValues(lines.isEmpty() ? "200" : "503").inc();
    return verdict(lines);
  }

  private static HttpListener.Response verdict(List<String> faults) {
    return faults.isEmpty()
        ? text(OK, "ok\n")
        : text("503 Service Unavailable", String.join("\n", faults) + "\n");
  }

  private HttpListener.Response metrics() {
    refresh.run();
    ByteArrayOutputStream text = new ByteArrayOutputStream(16 * 1024);
    var writer = PrometheusTextFormatWriter.create();
    try {
      writer.write(text, metrics.registry().scrape());
    } catch (IOException e) {
      throw new UncheckedIOException(e); // an array takes everything
    }
    return new HttpListener.Response(
        OK, Map.of("Content-Type", writer.getContentType()), text.toString(StandardCharsets.UTF_8));
  }

  private static HttpListener.Response text(String status, String body) {
    return new HttpListener.Response(status, Map.of("Content-Type", "text/plain"), body);
  }
}
