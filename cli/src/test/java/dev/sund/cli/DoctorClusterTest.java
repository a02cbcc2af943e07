package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.LabAuthority;
import dev.sund.lab.api.Rbac;
import dev.sund.lab.api.Subject;
import dev.sund.model.Ip;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * {@code sund doctor --kubeconfig}: what an API server shows, to whom may list and nothing else.
 */
class DoctorClusterTest {
  private static final String BINDING =
      """
      ---
      apiVersion: rbac.authorization.k8s.io/v1
      kind: ClusterRoleBinding
      metadata: {name: sund-doctor}
      roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: sund-doctor}
      subjects: [{kind: User, name: anna}]
      """;

  @TempDir Path folder;
  private final CommandRun run = new CommandRun();
  private final LabApi api = new LabApi(InstantSource.system());

  @BeforeEach
  void aCluster() throws Exception {
    new RecordedRoot(folder.resolve("root"))
        .write("sund-facts/links", "link=eth0 index=2 kind= mtu=1500 addresses=192.168.50.7/24");
    api.token("anna", new Subject("anna", List.of()));
    api.token("nobody", new Subject("nobody", List.of()));
    put("{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'shop'}}");
    put(
        "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1'},'status':{'addresses':"
            + "[{'type':'InternalIP','address':'192.168.1.11'}]}}");
    put(
        "{'apiVersion':'v1','kind':'Service','metadata':{'namespace':'shop','name':'web'},"
            + "'spec':{'clusterIP':'10.96.0.10','selector':{'app':'web'},'ports':[{'port':80}]}}");
  }

  @AfterEach
  void end() {
    api.close();
  }

  private void put(String json) throws Exception {
    api.put((Tree.Mapping) JsonTrees.parse(json.replace('\'', '"')));
  }

  private void allow(String yaml) throws Exception {
    api.allow(Rbac.parse(yaml));
  }

  private static String role() throws IOException {
    return Files.readString(
            Path.of(System.getProperty("sund.root", ".."), "deploy", "doctor-rbac.yaml"))
        + BINDING;
  }

  private int port(Instant authorityBegan) throws IOException {
    ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    authority = new LabAuthority(authorityBegan);
    api.serve(socket, authority.server(List.of("lab"), List.of(Ip.parse("127.0.0.1"))));
    return socket.getLocalPort();
  }

  private LabAuthority authority = new LabAuthority(Instant.now());

  private Path kubeconfig(int port, String token) throws IOException {
    return Files.writeString(
        folder.resolve("config"),
        Kubeconfig.text("https://127.0.0.1:" + port, token, Optional.of(authority.pem())));
  }

  private int doctor(String... arguments) {
    return run.sund(List.of("doctor", "--root", folder.resolve("root").toString()), arguments);
  }

  private static final String CHECKS =
      "load-balancer,balancer-pools,pool-size,pool-tunnel,pool-overlap,node-ranges,"
          + "service-endpoints,service-ports,endpoint-lag,default-deny,dns-pods,dns-answers,"
          + "dns-settings";

  @Test
  void theRoleThatIsShippedIsEnough() throws Exception {
    allow(role());
    Path config = kubeconfig(port(Instant.now()), "anna");
    assertThat(doctor("--kubeconfig", config.toString(), "--only", CHECKS))
        .as(run.out() + run.err())
        .isEqualTo(1);
    assertThat(run.out())
        .contains("warning  service-endpoints    1 of 1 Services select no pod: shop/web.")
        .contains("0 could not read");
  }

  @Test
  void aKindThatIsNotShownIsUnreadForThoseWhoNeedIt() throws Exception {
    allow(role().replace("namespaces, nodes, pods, services", "namespaces, nodes, services"));
    Path config = kubeconfig(port(Instant.now()), "anna");
    assertThat(doctor("--kubeconfig", config.toString(), "--only", "service-endpoints,node-ranges"))
        .isEqualTo(3);
    assertThat(run.out())
        .contains("could not read: the API server does not show pods: ")
        .contains("User \"anna\" cannot list resource \"pods\"", "deploy/doctor-rbac.yaml")
        .contains("1 without an object here, 1 could not read");
  }

  @Test
  void aServerThatDoesNotAnswerOrIsNotToBeTrustedIsNamedOnce() throws Exception {
    int expired = port(Instant.now().minus(Duration.ofDays(400)));
    assertThat(doctor("--kubeconfig", kubeconfig(expired, "anna").toString(), "--only", CHECKS))
        .isEqualTo(3);
    assertThat(run.out())
        .contains("127.0.0.1:" + expired + " shows a certificate that has expired")
        .contains("(So with balancer-pools, pool-size,")
        .hasLineCount(2);

    int port = port(Instant.now());
    assertThat(doctor("--kubeconfig", kubeconfig(port, "wrong").toString(), "--only", "dns-pods"))
        .isEqualTo(3);
    assertThat(run.out()).contains("does not know who asks (401)");

    int closed;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      closed = socket.getLocalPort();
    }
    assertThat(doctor("--kubeconfig", kubeconfig(closed, "anna").toString(), "--only", "dns-pods"))
        .isEqualTo(3);
    assertThat(run.out()).contains("127.0.0.1:" + closed + " cannot be read: ");
  }

  @Test
  void anExpiredCertificateOfOursIsNamedWithItsDay() throws Exception {
    int port = port(Instant.now());
    LabAuthority old = new LabAuthority(Instant.now().minus(Duration.ofDays(400)));
    LabAuthority.Identity identity = old.client(new Subject("anna", List.of()));
    Files.writeString(folder.resolve("me.crt"), identity.certificate());
    Files.writeString(folder.resolve("me.key"), identity.key());
    Path config = kubeconfig(port, "t");
    Files.writeString(
        config,
        Files.readString(config)
            .replace("{token: \"t\"}", "{client-certificate: me.crt, client-key: me.key}"));
    assertThat(doctor("--kubeconfig", config.toString(), "--only", "dns-pods")).isEqualTo(3);
    assertThat(run.out()).contains(": the certificate in " + config + " expired on 20");
  }

  @Test
  void aKubeconfigThatCannotBeUsedIsNamedAndTheNodesChecksGoOn() throws Exception {
    new RecordedRoot(folder.resolve("root"))
        .write(
            "proc/net/route", "Iface Destination\neth0\t00000000\t0100A8C0\t3\t0\t0\t0\t00000000");
    Path broken = Files.writeString(folder.resolve("broken"), "clusters: 7\n");
    for (Path file : List.of(broken, folder.resolve("none"))) {
      assertThat(doctor("--kubeconfig", file.toString(), "--only", "default-route,dns-pods"))
          .isEqualTo(3);
      assertThat(run.out())
          .contains("unread   dns-pods             could not read: " + file)
          .contains("1 check right, 0 without an object here, 1 could not read");
    }
    assertThat(doctor("--only", "dns-pods")).isEqualTo(3);
    assertThat(run.out()).contains("no cluster is given", "Give --kubeconfig FILE");
    assertThat(doctor("--kubeconfig", "a", "-f", "b")).isEqualTo(2);
    assertThat(run.err()).contains("Both -f and --kubeconfig say where the cluster is.");
  }
}
