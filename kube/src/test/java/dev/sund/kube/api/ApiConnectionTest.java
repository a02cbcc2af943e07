package dev.sund.kube.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client against a server that answers word for word what a test wants. */
class ApiConnectionTest {
  private static final Duration QUIET = Duration.ofSeconds(30);

  @TempDir Path folder;
  private final Queue<AutoCloseable> opened = new ConcurrentLinkedQueue<>();
  private final Queue<String> requests = new ConcurrentLinkedQueue<>();
  private final Semaphore closed = new Semaphore(0);

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : opened) {
      closeable.close();
    }
  }

  /** Each connection gets the next of these answers to each of its requests, then is closed. */
  private int serve(ServerSocket listener, String... connections) {
    opened.add(listener);
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          for (String answers : connections) {
            try (Socket socket = listener.accept()) {
              socket.setSoLinger(true, 30); // closed when the client's kernel knows that it is
              for (String answer : answers.split("\\|", -1)) {
                requests.add(head(socket.getInputStream()));
                socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
                socket.getOutputStream().flush();
              }
            } catch (IOException _) {
              // the client has gone, or the test has ended
            }
            closed.release();
          }
        });
    return listener.getLocalPort();
  }

  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int c = in.read();
      if (c < 0) {
        return head.toString();
      }
      head.append((char) c);
    }
    return head.toString();
  }

  private ApiConnection connect(String... connections) throws IOException {
    int port = serve(new ServerSocket(0, 5, InetAddress.getLoopbackAddress()), connections);
    ApiConnection made = new ApiConnection(ApiServer.plain("127.0.0.1", port, "t"), Dialer.HERE);
    opened.add(made);
    return made;
  }

  private static String body(InputStream in) throws IOException {
    return new String(in.readAllBytes(), StandardCharsets.UTF_8);
  }

  @Test
  void bodiesOfAllKindsAreReadOnOneConnection() throws IOException {
    ApiConnection connection =
        connect(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
                + "|HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n"
                + "|HTTP/1.0 200 OK\r\n\r\nuntil the end");
    assertThat(body(connection.get("/a", QUIET))).isEqualTo("hello");
    assertThat(body(connection.get("/b", QUIET))).isEqualTo("hello");
    assertThat(body(connection.get("/c", QUIET))).isEqualTo("until the end");
    assertThat(requests).hasSize(3);
    assertThat(requests.peek())
        .startsWith("GET /a HTTP/1.1\r\nHost: 127.0.0.1:")
        .contains("Authorization: Bearer t\r\n");
  }

  @Test
  void connectionThatWasClosedMeanwhileIsOpenedAgain() throws Exception {
    String answer = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n";
    ApiConnection connection = connect(answer + "1", answer + "2");
    assertThat(body(connection.get("/", QUIET))).isEqualTo("1");
    assertThat(body(connection.get("/", QUIET))).isEqualTo("2");
  }

  @Test
  void refusalHasTheServersWords() throws IOException {
    String status = "{\"kind\":\"Status\",\"message\":\"pods is forbidden\",\"code\":403}";
    ApiConnection connection =
        connect(
            "HTTP/1.1 403 Forbidden\r\nContent-Length: "
                + status.length()
                + "\r\n\r\n"
                + status
                + "|HTTP/1.1 502 Bad Gateway\r\nContent-Length: 7\r\n\r\n<html>\n");
    assertThatThrownBy(() -> connection.get("/", QUIET))
        .isInstanceOf(ApiRefusal.class)
        .hasMessage("pods is forbidden");
    assertThatThrownBy(() -> connection.get("/", QUIET)).hasMessage("<html>");
  }

  @Test
  void answerThatBreaksOffIsAnError() throws IOException {
    ApiConnection connection =
        connect(
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "SSH-2.0-OpenSSH\r\n");
    InputStream first = connection.get("/", QUIET);
    assertThatThrownBy(first::readAllBytes).hasMessageContaining("in the middle of its answer");
    connection.drop();
    InputStream second = connection.get("/", QUIET);
    assertThatThrownBy(second::readAllBytes).hasMessageContaining("no length");
    connection.drop();
    assertThatThrownBy(() -> connection.get("/", QUIET))
        .hasMessage("the server does not speak HTTP/1.1: 'SSH-2.0-OpenSSH'");
  }

  @Test
  void closingEndsAReadThatWaits() throws Exception {
    ApiConnection connection =
        connect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n|never");
    InputStream in = connection.get("/", Duration.ofMinutes(5));
    assertThat(in.read()).isEqualTo('a');
    Thread closer = Thread.ofPlatform().start(connection::close);
    assertThatThrownBy(in::read).isInstanceOf(IOException.class);
    closer.join();
    assertThatThrownBy(() -> connection.get("/", QUIET)).hasMessage("the connection was closed");
  }

  @Test
  void tlsTrustsTheGivenAuthorityAndShowsTheClientsCertificate() throws Exception {
    TestCertificates certificates = TestCertificates.make(folder);
    SSLServerSocket listener =
        (SSLServerSocket)
            certificates
                .server()
                .getServerSocketFactory()
                .createServerSocket(0, 5, InetAddress.getLoopbackAddress());
    listener.setNeedClientAuth(true);
    int port = serve(listener, often("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    Files.writeString(folder.resolve("ca.crt"), certificates.authority());
    Files.writeString(folder.resolve("me.key"), certificates.key());
    String config =
        Kubeconfig.text("https://127.0.0.1:" + port, "t")
            .replace("cluster: {server", "cluster: {certificate-authority: ca.crt, server")
            .replace("{token: \"t\"}", "{client-certificate: ca.crt, client-key: me.key}");
    ApiServer server = Kubeconfig.read(Files.writeString(folder.resolve("config"), config));
    try (ApiConnection connection = new ApiConnection(server, Dialer.HERE)) {
      assertThat(body(unhurried(connection))).isEqualTo("ok");
    }
  }

  @Test
  void tlsRefusesAServerThatNobodyVouchesFor() throws Exception {
    TestCertificates certificates = TestCertificates.make(folder);
    ServerSocket listener =
        certificates
            .server()
            .getServerSocketFactory()
            .createServerSocket(0, 5, InetAddress.getLoopbackAddress());
    int port = serve(listener, often("never"));
    String config = Kubeconfig.text("https://127.0.0.1:" + port, "t");
    ApiServer server = Kubeconfig.read(Files.writeString(folder.resolve("config"), config));
    try (ApiConnection connection = new ApiConnection(server, Dialer.HERE)) {
      assertThatThrownBy(() -> unhurried(connection))
          .isInstanceOf(javax.net.ssl.SSLException.class);
    }
  }

  private static String[] often(String answer) {
    return Collections.nCopies(20, answer).toArray(String[]::new);
  }

  /** The client gives a handshake three seconds, which a process's first may take when busy. */
  private static InputStream unhurried(ApiConnection connection) throws IOException {
    long end = System.nanoTime() + Duration.ofSeconds(45).toNanos();
    while (true) {
      try {
        return connection.get("/", QUIET);
      } catch (SocketTimeoutException slow) {
        if (System.nanoTime() > end) {
          throw slow;
        }
      }
    }
  }

  private ApiConnection several(int... ports) {
    List<ApiServer.Endpoint> endpoints =
        IntStream.of(ports).mapToObj(port -> new ApiServer.Endpoint("127.0.0.1", port)).toList();
    ApiServer server = ApiServer.plain("127.0.0.1", 1, "t").at(endpoints);
    ApiConnection made = new ApiConnection(server, Dialer.HERE);
    opened.add(made);
    return made;
  }

  private int serve(String... connections) throws IOException {
    return serve(new ServerSocket(0, 5, InetAddress.getLoopbackAddress()), connections);
  }

  private static int deadPort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static String ok(String body) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + body.length() + "\r\n\r\n" + body;
  }

  @Test
  void serverThatCannotBeReachedIsPassedOver() throws IOException {
    ApiConnection connection = several(deadPort(), serve(ok("second")));
    assertThat(body(connection.get("/", QUIET))).isEqualTo("second");
  }

  @Test
  void serverThatCannotWorkIsLeftForAnother() throws IOException {
    String ill = "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nnone";
    ApiConnection connection = several(serve(ill), serve(ok("a") + "|" + ok("b")));
    assertThatThrownBy(() -> connection.get("/", QUIET)).isInstanceOf(ApiRefusal.class);
    assertThat(body(connection.get("/", QUIET))).isEqualTo("a");
    assertThat(body(connection.get("/", QUIET))).isEqualTo("b");
  }

  @Test
  void serverThatSaysNothingOrBreaksOffIsLeftForAnother() throws IOException {
    ServerSocket mute = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
    opened.add(mute); // connections wait in its backlog for ever
    String half = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello";
    ApiConnection connection = several(mute.getLocalPort(), serve(half), serve(ok("third")));
    assertThatThrownBy(() -> connection.get("/", Duration.ofMillis(100)))
        .isInstanceOf(SocketTimeoutException.class);
    connection.drop();
    InputStream broken = connection.get("/", QUIET);
    assertThatThrownBy(broken::readAllBytes).isInstanceOf(IOException.class);
    connection.drop();
    assertThat(body(connection.get("/", QUIET))).isEqualTo("third");
  }

  @Test
  void whatOneConnectionLearnsTheOthersKnow() throws IOException {
    int dead = deadPort();
    ApiServer server =
        ApiServer.plain("127.0.0.1", dead, "t")
            .at(
                List.of(
                    new ApiServer.Endpoint("127.0.0.1", dead),
                    new ApiServer.Endpoint("127.0.0.1", serve(ok("x")))));
    try (ApiConnection first = new ApiConnection(server, Dialer.HERE)) {
      assertThat(body(first.get("/", QUIET))).isEqualTo("x");
    }
    assertThat(server.endpoints().getLast().port()).isEqualTo(dead);
    assertThat(server.toString()).as("as given").startsWith("http://127.0.0.1:" + dead + ", ");
  }

  @Test
  void writesAreNeverSentTwice() throws Exception {
    ApiConnection connection = connect(ok("1"), "", ok("3"));
    assertThat(body(connection.send("PUT", "/a", "application/json", "{}", QUIET))).isEqualTo("1");
    assertThat(closed.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
    // The server has closed the first connection, which is seen before anything is sent by it; the
    // second it closes after it has taken the request: done or not, nobody knows.
    assertThatThrownBy(() -> connection.send("PUT", "/b", "application/json", "{}", QUIET))
        .isInstanceOf(IOException.class);
    connection.drop();
    assertThat(body(connection.send("PUT", "/c", "application/json", "{}", QUIET))).isEqualTo("3");
    assertThat(requests.stream().map(head -> head.substring(0, 6)))
        .containsExactly("PUT /a", "PUT /b", "PUT /c");
  }

  @Test
  void replacedCertificatesAreUsedByTheNextConnection() throws Exception {
    TestCertificates old = TestCertificates.make(Files.createDirectory(folder.resolve("old")));
    TestCertificates young = TestCertificates.make(Files.createDirectory(folder.resolve("young")));
    Path authority = Files.writeString(folder.resolve("ca.crt"), old.authority());
    TlsFiles tls =
        TlsFiles.open(
            java.util.Optional.of(TlsFiles.Source.of(authority)),
            java.util.Optional.empty(),
            java.util.Optional.empty());
    var before = tls.context();
    assertThat(tls.context()).isSameAs(before);
    Files.writeString(authority, "half written");
    assertThat(tls.context()).as("the last good one").isSameAs(before);
    Files.writeString(authority, young.authority());
    assertThat(tls.context()).isNotSameAs(before);
  }
}
