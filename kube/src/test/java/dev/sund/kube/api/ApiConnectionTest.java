package dev.sund.kube.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import javax.net.ssl.SSLServerSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The client against a server that answers word for word what a test wants. */
class ApiConnectionTest {
  private static final Duration QUIET = Duration.ofSeconds(5);

  @TempDir Path folder;
  private final Queue<AutoCloseable> opened = new ConcurrentLinkedQueue<>();
  private final Queue<String> requests = new ConcurrentLinkedQueue<>();

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
              for (String answer : answers.split("\\|", -1)) {
                requests.add(head(socket.getInputStream()));
                socket.getOutputStream().write(answer.getBytes(StandardCharsets.UTF_8));
                socket.getOutputStream().flush();
              }
            } catch (IOException _) {
              return;
            }
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
    int port = serve(listener, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    Files.writeString(folder.resolve("ca.crt"), certificates.authority());
    Files.writeString(folder.resolve("me.key"), certificates.key());
    String config =
        Kubeconfig.text("https://127.0.0.1:" + port, "t")
            .replace("cluster: {server", "cluster: {certificate-authority: ca.crt, server")
            .replace("{token: \"t\"}", "{client-certificate: ca.crt, client-key: me.key}");
    ApiServer server = Kubeconfig.read(Files.writeString(folder.resolve("config"), config));
    try (ApiConnection connection = new ApiConnection(server, Dialer.HERE)) {
      assertThat(body(connection.get("/", QUIET))).isEqualTo("ok");
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
    int port = serve(listener, "never", "never");
    String config = Kubeconfig.text("https://127.0.0.1:" + port, "t");
    ApiServer server = Kubeconfig.read(Files.writeString(folder.resolve("config"), config));
    try (ApiConnection connection = new ApiConnection(server, Dialer.HERE)) {
      assertThatThrownBy(() -> connection.get("/", QUIET))
          .isInstanceOf(javax.net.ssl.SSLException.class);
    }
  }
}
