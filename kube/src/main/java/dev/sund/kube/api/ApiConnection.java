package dev.sund.kube.api;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * One connection to the API server, opened when it is first needed and again after it broke. For
 * one thread at a time; {@link #close} may come from any thread and ends a read that waits.
 */
public final class ApiConnection implements AutoCloseable {
  private static final int CONNECT_MILLIS = 5_000;
  private static final int MAX_LINE = 64 * 1024;
  private static final int MAX_REFUSAL = 64 * 1024;

  private final ApiServer server;
  private final Dialer dialer;
  private final Object lock = new Object();
  private Optional<Open> open = Optional.empty();
  private boolean closed;

  private record Open(Socket socket, InputStream in) {}

  /** A connection that is not open yet. */
  public ApiConnection(ApiServer server, Dialer dialer) {
    this.server = server;
    this.dialer = dialer;
  }

  /**
   * Asks for a path and gives the answer's body. The next {@code get} on this connection must come
   * after the body was read to its end, or after {@link #drop}.
   *
   * @param path with query, encoded
   * @param quiet how long the server may say nothing, now and while the body is read
   * @throws ApiRefusal when the answer is no 200
   * @throws IOException when there is no connection or it broke
   */
  public InputStream get(String path, Duration quiet) throws IOException {
    boolean kept = isOpen();
    try {
      return exchange(path, quiet);
    } catch (ApiRefusal e) {
      throw e;
    } catch (EOFException | java.net.SocketException e) {
      drop();
      if (!kept) {
        throw e;
      }
      // The server may have closed a connection kept from before; that says nothing yet.
      return exchange(path, quiet);
    }
  }

  private InputStream exchange(String path, Duration quiet) throws IOException {
    Open connection = connection();
    connection.socket.setSoTimeout(Math.toIntExact(quiet.toMillis()));
    StringBuilder request = new StringBuilder();
    request.append("GET ").append(server.prefix()).append(path).append(" HTTP/1.1\r\n");
    request.append("Host: ").append(server.authority()).append("\r\n");
    request.append("Accept: application/json\r\nUser-Agent: sund\r\n");
    Optional<String> token = server.credential().token();
    token.ifPresent(text -> request.append("Authorization: Bearer ").append(text).append("\r\n"));
    request.append("\r\n");
    var out = connection.socket.getOutputStream();
    out.write(request.toString().getBytes(StandardCharsets.ISO_8859_1));
    out.flush();
    return answer(connection);
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
    InputStream body = new BodyStream(connection.in, chunked, length, kept ? () -> {} : this::drop);
    if (code == 200) {
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

  private Open connection() throws IOException {
    synchronized (lock) {
      if (open.isPresent()) {
        return open.get();
      }
    }
    Socket socket = dialer.open();
    try {
      keep(socket, InputStream.nullInputStream()); // so that close() ends a connect that hangs
      socket.connect(new InetSocketAddress(server.host(), server.port()), CONNECT_MILLIS);
      Socket speaking = server.tls().isPresent() ? secured(socket) : socket;
      return keep(speaking, new BufferedInputStream(speaking.getInputStream(), 16384));
    } catch (IOException e) {
      socket.close();
      drop();
      throw e;
    }
  }

  private Open keep(Socket socket, InputStream in) throws IOException {
    Open made = new Open(socket, in);
    synchronized (lock) {
      if (closed) {
        throw new IOException("the connection was closed");
      }
      open = Optional.of(made);
    }
    return made;
  }

  private SSLSocket secured(Socket plain) throws IOException {
    plain.setSoTimeout(CONNECT_MILLIS);
    var factory = server.tls().orElseThrow().getSocketFactory();
    SSLSocket socket =
        (SSLSocket) factory.createSocket(plain, server.serverName(), server.port(), true);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    socket.startHandshake();
    return socket;
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
