package dev.sund.agent.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/**
 * Answers HTTP requests that carry nothing but their first line, one for each connection: as much
 * of HTTP as pages for probes and scrapers need. The JDK's own server brings three threads, a log
 * and the names of all time zones, which an agent would hold for its life.
 *
 * <p>Everybody may ask, so everything is bounded: connections at once, bytes read, seconds. One
 * virtual thread, and one for each connection.
 */
public final class HttpListener implements AutoCloseable {
  private static final int AT_ONCE = 32;
  private static final int LONGEST_HEAD = 8192;
  private static final int PATIENCE_MILLIS = 3000;

  /** So long an answer may take to be made and read, when others wait. */
  private static final Duration LONGEST = Duration.ofSeconds(60);

  private final ServerSocket socket;
  private final String name;
  private final Answers answers;
  private final Semaphore room = new Semaphore(AT_ONCE);
  private final Map<Socket, Long> open = new ConcurrentHashMap<>();

  /** Answers requests; from many threads. */
  @FunctionalInterface
  public interface Answers {
    /** What is answered. */
    Response to(Request request);
  }

  /**
   * A request's first line.
   *
   * @param method as it was written, mostly {@code GET}
   * @param path without what follows a question mark
   */
  public record Request(String method, String path) {
    /** That of a request's head; empty when it is none of HTTP. */
    static Optional<Request> parse(String head) {
      String[] words = head.lines().findFirst().orElse("").split(" ", -1);
      boolean http = words.length == 3 && words[2].startsWith("HTTP/1.");
      return http
          ? Optional.of(new Request(words[0], words[1].replaceFirst("\\?.*", "")))
          : Optional.empty();
    }
  }

  /**
   * An answer.
   *
   * @param status code and words
   * @param headers besides those that every answer has
   */
  public record Response(String status, Map<String, String> headers, String body) {
    private static final Response NOT_HTTP =
        new Response("400 Bad Request", Map.of("Content-Type", "text/plain"), "not HTTP\n");

    byte[] bytes(boolean whole) {
      byte[] content = body.getBytes(StandardCharsets.UTF_8);
      StringBuilder head = new StringBuilder("HTTP/1.1 ").append(status).append("\r\n");
      headers.forEach((key, value) -> head.append(key).append(": ").append(value).append("\r\n"));
      head.append("Date: ")
          .append(DateTimeFormatter.RFC_1123_DATE_TIME.format(ZonedDateTime.now(ZoneOffset.UTC)))
          .append("\r\nContent-Length: ")
          .append(content.length)
          .append("\r\nConnection: close\r\n\r\n");
      byte[] start = head.toString().getBytes(StandardCharsets.ISO_8859_1);
      if (!whole) {
        return start;
      }
      byte[] all = new byte[start.length + content.length];
      System.arraycopy(start, 0, all, 0, start.length);
      System.arraycopy(content, 0, all, start.length, content.length);
      return all;
    }
  }

  /**
   * Does nothing until {@link #start}.
   *
   * @param socket listens already, in whichever network namespace; closed with this
   * @param name of its threads
   */
  public HttpListener(ServerSocket socket, String name, Answers answers) {
    this.socket = socket;
    this.name = name;
    this.answers = answers;
  }

  /** Begins to answer. */
  public void start() {
    Thread.ofVirtual().name(name).start(this::acceptAll);
  }

  /** Ends service at once. Idempotent. */
  @Override
  public void close() throws IOException {
    socket.close();
    open.keySet().forEach(HttpListener::drop);
  }

  private void acceptAll() {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        dropStuck();
        if (!room.tryAcquire()) {
          client.close();
          continue;
        }
        open.put(client, System.nanoTime());
        Thread.ofVirtual().name(name + "-call").start(() -> serve(client));
      } catch (IOException _) {
        if (!socket.isClosed() && !pause()) {
          return;
        }
      }
    }
  }

  /** One who asks and does not read the answer keeps nobody else from asking. */
  private void dropStuck() {
    long now = System.nanoTime();
    open.forEach((client, since) -> {
      if (now - since > LONGEST.toNanos()) {
        drop(client);
      }
    });
  }

  private static void drop(Socket client) {
    try {
      client.close();
    } catch (IOException _) {
      // gone already
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
      Optional<String> head = readHead(client.getInputStream());
      if (head.isPresent()) {
        Optional<Request> request = Request.parse(head.get());
        Response response = request.map(answers::to).orElse(Response.NOT_HTTP);
        OutputStream out = client.getOutputStream();
        out.write(response.bytes(request.isEmpty() || !request.get().method().equals("HEAD")));
        out.flush();
      }
    } catch (IOException _) {
      // the one who asked went away
    } finally {
      open.remove(client);
      room.release();
    }
  }

  /** The head of a request; empty when it is too long, takes too long or breaks off. */
  private static Optional<String> readHead(InputStream in) throws IOException {
    long end = System.nanoTime() + PATIENCE_MILLIS * 1_000_000L;
    byte[] read = new byte[LONGEST_HEAD];
    int length = 0;
    while (length < read.length && System.nanoTime() < end) {
      int more = in.read(read, length, read.length - length);
      if (more < 0) {
        break;
      }
      length += more;
      String head = new String(read, 0, length, StandardCharsets.ISO_8859_1);
      if (head.contains("\r\n\r\n") || head.contains("\n\n")) {
        return Optional.of(head);
      }
    }
    return Optional.empty();
  }
}
