package dev.sund.kube.api;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * One connection to an API server, opened when it is first needed and again after it broke, then to
 * the next server when there are several. For one thread at a time; {@link #close} may come from
 * any thread and ends a read that waits.
 */
public final class ApiConnection implements AutoCloseable {
  private static final int CONNECT_MILLIS = 3_000;

  /**
   * Lines and small events; lists are read past it. Each watch holds it, on the heap and beside.
   */
  private static final int READ_AHEAD = 4096;

  private static final int MAX_LINE = 64 * 1024;
  private static final int MAX_REFUSAL = 64 * 1024;

  private final ApiServer server;
  private final Dialer dialer;
  private final Object lock = new Object();
  private Optional<Open> open = Optional.empty();
  private boolean closed;

  /**
   * A connection.
   *
   * @param plain the TCP connection
   * @param socket the same, or TLS over it
   */
  private record Open(ApiServer.Endpoint endpoint, Socket plain, Socket socket, InputStream in) {}

  /** A connection that is not open yet. */
  public ApiConnection(ApiServer server, Dialer dialer) {
    this.server = server;
    this.dialer = dialer;
  }

  /**
   * Asks for a path and gives the answer's body. The next request on this connection must come
   * after the body was read to its end, or after {@link #drop}.
   *
   * @param path with query, encoded
   * @param quiet how long the server may say nothing, now and while the body is read
   * @throws ApiRefusal when the answer is no 200
   * @throws IOException when there is no connection or it broke
   */
  public InputStream get(String path, Duration quiet) throws IOException {
    boolean kept = isOpen();
    Ask ask = new Ask("GET", path, "", "");
    try {
      return exchange(ask, quiet);
    } catch (ApiRefusal e) {
      throw e;
    } catch (EOFException | SocketException e) {
      drop();
      if (!kept && server.endpoints().size() == 1) {
        throw e;
      }
      // A server may have closed a connection kept from before, which says nothing yet; one that
      // closes a new one is ending, and there is another.
      return exchange(ask, quiet);
    }
  }

  /**
   * Sends a body and gives the answer's. Never sent twice: when no answer comes, whether it was
   * done is not known.
   *
   * @param method such as {@code PUT}
   * @param type what the body is, such as {@code application/json}
   * @param quiet how long the server may say nothing
   * @throws ApiRefusal when the answer is none of 200, 201 and 202
   * @throws IOException when there is no connection or it broke
   */
  public InputStream send(String method, String path, String type, String body, Duration quiet)
      throws IOException {
    if (!stillStands()) {
      drop();
    }
    return exchange(new Ask(method, path, type, body), quiet);
  }

  private record Ask(String method, String path, String type, String body) {}

  private InputStream exchange(Ask ask, Duration quiet) throws IOException {
    byte[] body = ask.body.getBytes(StandardCharsets.UTF_8);
    StringBuilder head = new StringBuilder();
    Open connection = connection();
    head.append(ask.method).append(' ').append(server.prefix()).append(ask.path);
    head.append(" HTTP/1.1\r\nHost: ").append(connection.endpoint).append("\r\n");
    head.append("Accept: application/json\r\nUser-Agent: sund\r\n");
    Optional<String> token = server.credential().token();
    token.ifPresent(text -> head.append("Authorization: Bearer ").append(text).append("\r\n"));
    if (!ask.type.isEmpty()) {
      head.append("Content-Type: ").append(ask.type).append("\r\n");
      head.append("Content-Length: ").append(body.length).append("\r\n");
    }
    byte[] start = head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
    byte[] request = Arrays.copyOf(start, start.length + body.length);
    System.arraycopy(body, 0, request, start.length, body.length);
    try {
      connection.socket.setSoTimeout(Math.toIntExact(quiet.toMillis()));
      var out = connection.socket.getOutputStream();
      out.write(request);
      out.flush();
      return answer(connection);
    } catch (ApiRefusal e) {
      giveUp(connection, e);
      throw e;
    } catch (IOException e) {
      faulty(connection);
      throw e;
    }
  }

  /** A server that cannot work, or knows us no more, may do better by another connection. */
  private void giveUp(Open connection, ApiRefusal refusal) {
    switch (refusal.code()) {
      case 502, 503 -> {
        server.failed(connection.endpoint);
        drop();
      }
      case 401 -> drop(); // the certificate shown may have been replaced meanwhile
      default -> {
        // The server works and means it.
      }
    }
  }

  private void faulty(Open connection) {
    boolean ours;
    synchronized (lock) {
      ours = !closed && open.filter(now -> now == connection).isPresent();
    }
    if (ours) {
      server.failed(connection.endpoint);
    }
  }

  private InputStream answer(Open connection) throws IOException {
    String status = line(connection.in);
    if (!status.matches("HTTP/1\\.[01] [0-9]{3}.*")) {
      throw new IOException("the server does not speak HTTP/1.1: '" + shortened(status) + "'");
    }
    int code = Integer.parseInt(status.substring(9, 12));
    long length = -1;
    boolean chunked = false;
    boolean keep = status.startsWith("HTTP/1.1");
    for (String line = line(connection.in); !line.isEmpty(); line = line(connection.in)) {
      int colon = Math.max(0, line.indexOf(':'));
      String value = line.substring(Math.min(line.length(), colon + 1)).strip();
      switch (line.substring(0, colon).toLowerCase(Locale.ROOT)) {
        case "content-length" -> length = length(value);
        case "transfer-encoding" -> chunked = value.equalsIgnoreCase("chunked");
        case "connection" -> keep &= !value.equalsIgnoreCase("close");
        default -> {
          // No other header changes how the body is read.
        }
      }
    }
    boolean kept = keep && (chunked || length >= 0);
    InputStream body =
        new BodyStream(
            connection.in, chunked, length, kept ? () -> {} : this::drop, () -> faulty(connection));
    if (code >= 200 && code <= 202) {
      return body;
    }
    String text = new String(body.readNBytes(MAX_REFUSAL), StandardCharsets.UTF_8);
    if (body.read() >= 0) {
      drop();
    }
    throw ApiRefusal.of(code, text);
  }

  private static long length(String value) throws IOException {
    if (!value.matches("[0-9]{1,15}")) {
      throw new IOException("the answer's Content-Length is '" + shortened(value) + "'");
    }
    return Long.parseLong(value);
  }

  /** The connection that stands, or a new one to the first server that can be connected to. */
  private Open connection() throws IOException {
    synchronized (lock) {
      if (open.isPresent()) {
        return open.get();
      }
    }
    List<IOException> failures = new ArrayList<>();
    for (ApiServer.Endpoint endpoint : server.endpoints()) {
      try {
        Open made = connect(endpoint);
        server.answered(endpoint);
        return made;
      } catch (IOException e) {
        failures.add(e);
        server.failed(endpoint);
      }
      synchronized (lock) {
        if (closed) {
          break;
        }
      }
    }
    IOException first = failures.getFirst();
    failures.stream().skip(1).forEach(first::addSuppressed);
    throw first;
  }

  private Open connect(ApiServer.Endpoint endpoint) throws IOException {
    Socket socket = dialer.open();
    try {
      // Kept at once, so that close() ends a connect that hangs.
      keep(new Open(endpoint, socket, socket, InputStream.nullInputStream()));
      socket.connect(new InetSocketAddress(endpoint.host(), endpoint.port()), CONNECT_MILLIS);
      Socket speaking = server.tls().isPresent() ? secured(socket, endpoint) : socket;
      InputStream in = new BufferedInputStream(speaking.getInputStream(), READ_AHEAD);
      return keep(new Open(endpoint, socket, speaking, in));
    } catch (IOException e) {
      socket.close();
      drop();
      throw e;
    }
  }

  private Open keep(Open made) throws IOException {
    synchronized (lock) {
      if (closed) {
        throw new IOException("the connection was closed");
      }
      open = Optional.of(made);
    }
    return made;
  }

  private SSLSocket secured(Socket plain, ApiServer.Endpoint endpoint) throws IOException {
    plain.setSoTimeout(CONNECT_MILLIS);
    var factory = server.tls().orElseThrow().context().getSocketFactory();
    String name = server.nameOf(endpoint);
    SSLSocket socket = (SSLSocket) factory.createSocket(plain, name, endpoint.port(), true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
  }

  /** Whether a connection kept from before has not been closed by the server meanwhile. */
  private boolean stillStands() {
    Optional<Open> now;
    synchronized (lock) {
      now = open;
    }
    if (now.isEmpty()) {
      return false;
    }
    try {
      now.get().socket.setSoTimeout(1);
      now.get().in.mark(1);
      now.get().in.read();
      return false; // its end, or something that nobody asked for
    } catch (SocketTimeoutException _) {
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private boolean isOpen() {
    synchronized (lock) {
      return open.isPresent();
    }
  }

  /** Closes the connection; the next request opens another. */
  public void drop() {
    Optional<Open> was;
    synchronized (lock) {
      was = open;
      open = Optional.empty();
    }
    was.ifPresent(ApiConnection::closeQuietly);
  }

  /** Closes the connection for good. Idempotent. */
  @Override
  public void close() {
    synchronized (lock) {
      closed = true;
    }
    drop();
  }

  private static void closeQuietly(Open connection) {
    try {
      // First what lies below: TLS in good order waits for the other end's farewell, and for a
      // reader that holds half a record, for as long as that one may wait.
      connection.plain.close();
      connection.socket.close();
    } catch (IOException _) {
      // It is given up in any case.
    }
  }

  /**
   * A line of the answer's head, without its end.
   *
   * @throws EOFException when the server closed the connection
   */
  static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("the server closed the connection");
      }
      if (line.length() == MAX_LINE) {
        throw new IOException("a line of the answer's head is too long");
      }
      line.append((char) c);
    }
    int end = line.length();
    return end > 0 && line.charAt(end - 1) == '\r' ? line.substring(0, end - 1) : line.toString();
  }

  private static String shortened(String text) {
    return text.length() <= 60 ? text : text.substring(0, 57) + "...";
  }
}
