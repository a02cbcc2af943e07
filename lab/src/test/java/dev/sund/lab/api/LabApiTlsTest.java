package dev.sund.lab.api;

import static dev.sund.lab.api.Objects.node;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kube.api.ApiConnection;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.model.Ip;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The production client against the lab's server over TLS: who is who, and who may what. */
class LabApiTlsTest {
  private static final ApiPath NODES = ApiPath.of("v1", "nodes");
  private static final String ROLES =
      """
      kind: ClusterRole
      metadata: {name: reader}
      rules:
      - {apiGroups: [""], resources: [nodes], verbs: [get]}
      ---
      kind: ClusterRoleBinding
      metadata: {name: reader}
      roleRef: {kind: ClusterRole, name: reader}
      subjects:
      - {kind: User, name: anna}
      - {kind: Group, name: readers}
      """;

  @TempDir Path folder;
  private final LabAuthority authority = new LabAuthority(Instant.now());
  private final LabApi api = new LabApi(WatchScene.CLOCK);
  private int port;

  @BeforeEach
  void serve() throws Exception {
    ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    port = socket.getLocalPort();
    api.serve(socket, authority.server(List.of("lab"), List.of(Ip.parse("127.0.0.1"))));
    api.allow(Rbac.parse(ROLES));
    api.put(node("n1", "192.168.1.11"));
  }

  @AfterEach
  void close() {
    api.close();
  }

  private ApiObjects connect(String kubeconfig) throws Exception {
    Path file = Files.writeString(folder.resolve("config"), kubeconfig);
    return new ApiObjects(
        Kubeconfig.read(file, List.of(), Map.of()), Dialer.HERE, Duration.ofSeconds(30));
  }

  private String withCertificate(Subject subject) throws Exception {
    LabAuthority.Identity identity = authority.client(subject);
    Files.writeString(folder.resolve("me.crt"), identity.certificate());
    Files.writeString(folder.resolve("me.key"), identity.key());
    return Kubeconfig.text("https://127.0.0.1:" + port, "t", Optional.of(authority.pem()))
        .replace("{token: \"t\"}", "{client-certificate: me.crt, client-key: me.key}");
  }

  @Test
  void aTokenSaysWhoCalls() throws Exception {
    api.token("secret", new Subject("anna", List.of()));
    String url = "https://127.0.0.1:" + port;
    try (ApiObjects anna = connect(Kubeconfig.text(url, "secret", Optional.of(authority.pem())))) {
      assertThat(anna.read(NODES.named("n1"))).isPresent();
      assertThat(anna.read(NODES.named("n2"))).isEmpty();
      api.forget("secret");
      assertThatThrownBy(() -> anna.read(NODES.named("n1"))).hasMessage("Unauthorized");
    }
  }

  @Test
  void aClientCertificateSaysWhoCallsAndInWhichGroups() throws Exception {
    try (ApiObjects group = connect(withCertificate(new Subject("bob", List.of("readers"))))) {
      assertThat(group.read(NODES.named("n1"))).isPresent();
      assertThatThrownBy(() -> group.list(NODES.all()))
          .isInstanceOfSatisfying(
              ApiRefusal.class, refusal -> assertThat(refusal.isForbidden()).isTrue())
          .hasMessageContaining("User \"bob\" cannot list resource \"nodes\"");
    }
    try (ApiObjects nobody = connect(withCertificate(new Subject("carl", List.of("others"))))) {
      assertThatThrownBy(() -> nobody.read(NODES.named("n1"))).hasMessageContaining("\"carl\"");
    }
    try (ApiObjects admin = connect(withCertificate(Subject.ADMIN))) {
      assertThat(admin.list(NODES.all())).hasSize(1);
    }
  }

  @Test
  void aReplacedClientCertificateIsShownByTheNextConnection() throws Exception {
    try (ApiObjects objects = connect(withCertificate(new Subject("carl", List.of())))) {
      assertThatThrownBy(() -> objects.read(NODES.named("n1"))).hasMessageContaining("\"carl\"");
      withCertificate(new Subject("anna", List.of()));
      api.dropConnections();
      assertThat(objects.read(NODES.named("n1"))).isPresent();
    }
  }

  @Test
  void aServerOfAnotherAuthorityIsNotBelieved() throws Exception {
    String other = new LabAuthority(Instant.now()).pem();
    String url = "https://127.0.0.1:" + port;
    try (ApiObjects objects = connect(Kubeconfig.text(url, "secret", Optional.of(other)))) {
      assertThatThrownBy(() -> objects.read(NODES.named("n1")))
          .isInstanceOf(javax.net.ssl.SSLException.class);
    }
  }

  /** A reader that waits for the rest of a record does not keep a close waiting. */
  @Test
  void aConnectionInTheMiddleOfARecordIsClosedAtOnce() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      var context = authority.server(List.of("lab"), List.of(Ip.parse("127.0.0.1")));
      Thread server =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try {
                  var plain = silent.accept();
                  var tls =
                      (javax.net.ssl.SSLSocket)
                          context.getSocketFactory().createSocket(plain, null, 0, false);
                  tls.setUseClientMode(false);
                  tls.startHandshake();
                  int asked = tls.getInputStream().read();
                  // The head of a record of 256 bytes, and no more.
                  plain.getOutputStream().write(new byte[] {23, 3, 3, 1, 0, (byte) asked});
                  plain.getOutputStream().flush();
                } catch (java.io.IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      Path file =
          Files.writeString(
              folder.resolve("silent"),
              Kubeconfig.text(
                  "https://127.0.0.1:" + silent.getLocalPort(), "t", Optional.of(authority.pem())));
      ApiConnection connection =
          new ApiConnection(Kubeconfig.read(file, List.of(), Map.of()), Dialer.HERE);
      Thread reader =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try (var body = connection.get("/version", Duration.ofMinutes(2))) {
                  throw new AssertionError("an answer came: " + body);
                } catch (java.io.IOException _) {
                  // as it should be
                }
              });
      server.join();
      Thread.sleep(200);
      long began = System.nanoTime();
      connection.close();
      reader.join(Duration.ofSeconds(60));
      // Far from the two minutes for which the reader would wait, also on a busy machine.
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(30));
    }
  }
}
