package dev.sund.it.kubectl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kube.api.Kubeconfig;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.LabAuthority;
import dev.sund.lab.api.Rbac;
import dev.sund.lab.api.Resource;
import dev.sund.lab.api.Subject;
import dev.sund.model.Ip;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** kubectl gets, watches, creates, applies, replaces, patches and deletes, over TLS. */
@Tag("interop")
class KubectlTest {
  private static final String SHOP =
      """
      apiVersion: v1
      kind: Namespace
      metadata: {name: shop}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: web, namespace: shop, labels: {app: web}}
      spec: {nodeName: n1, containers: [{name: web, image: none}]}
      """;
  private static final String POOL =
      """
      apiVersion: crd.projectcalico.org/v1
      kind: IPPool
      metadata: {name: pods}
      spec: {cidr: 10.0.0.0/16, vxlanMode: Always}
      """;

  @TempDir Path folder;
  private final LabAuthority authority = new LabAuthority(Instant.now());
  private final LabApi api = new LabApi(InstantSource.system());
  private String url = "";
  private Kubectl kubectl = new Kubectl(Path.of(""), Path.of(""));

  @BeforeEach
  void serve() throws Exception {
    ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    url = "https://127.0.0.1:" + socket.getLocalPort();
    api.serve(socket, authority.server(List.of(), List.of(Ip.parse("127.0.0.1"))));
    api.token("admin", Subject.ADMIN);
    kubectl = as("admin");
  }

  @AfterEach
  void close() {
    api.close();
  }

  private Kubectl as(String token) throws Exception {
    Path config = folder.resolve(token + ".conf");
    Files.writeString(config, Kubeconfig.text(url, token, Optional.of(authority.pem())));
    return new Kubectl(config, folder);
  }

  private static Path root() {
    return Path.of(System.getProperty("sund.root"));
  }

  @Test
  void objectsAreCreatedShownAndDeleted() throws Exception {
    kubectl.run(SHOP, "create", "--validate=false", "-f", "-");
    assertThat(kubectl.run("", "get", "pods", "-A", "-o", "wide"))
        .containsPattern("NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE +IP +NODE")
        .containsPattern("shop +web +0/1 +Pending +0 +[0-9]+s +<none> +n1");
    assertThat(kubectl.run("", "get", "po", "web", "-n", "shop", "-o", "jsonpath={.spec.nodeName}"))
        .isEqualTo("n1");
    assertThat(kubectl.run("", "get", "pods", "-n", "shop", "-l", "app=db"))
        .contains("No resources found");
    assertThat(kubectl.run("", "delete", "pod", "web", "-n", "shop"))
        .contains("pod \"web\" deleted");
    assertThat(kubectl.ask("", "get", "pod", "web", "-n", "shop").text())
        .contains("Error from server (NotFound): pods \"web\" not found");
    kubectl.run(SHOP, "delete", "--ignore-not-found", "-f", "-");
    assertThat(api.list(Resource.NAMESPACES)).isEmpty();
  }

  @Test
  void changesAreWatched() throws Exception {
    kubectl.run(SHOP, "create", "--validate=false", "-f", "-");
    Process watch = kubectl.start("get", "pods", "-n", "shop", "-w");
    try (BufferedReader told =
        new BufferedReader(new InputStreamReader(watch.getInputStream(), StandardCharsets.UTF_8))) {
      assertThat(told.readLine()).startsWith("NAME");
      assertThat(told.readLine()).startsWith("web");
      kubectl.run("", "label", "pod", "web", "-n", "shop", "seen=yes");
      assertThat(told.readLine()).startsWith("web");
      kubectl.run(SHOP.replace("name: web,", "name: db,"), "apply", "--validate=false", "-f", "-");
      assertThat(told.readLine()).startsWith("db");
    } finally {
      watch.destroyForcibly().waitFor();
    }
  }

  @Test
  void objectsAreReplacedAppliedAndPatched() throws Exception {
    kubectl.run(POOL, "apply", "--validate=false", "-f", "-");
    kubectl.run(POOL.replace("Always", "Never"), "apply", "--validate=false", "-f", "-");
    assertThat(mode()).isEqualTo("Never");
    String read = kubectl.run("", "get", "ippool", "pods", "-o", "json");
    kubectl.run(read.replace("Never", "CrossSubnet"), "replace", "--validate=false", "-f", "-");
    assertThat(mode()).isEqualTo("CrossSubnet");
    assertThat(kubectl.ask(read, "replace", "--validate=false", "-f", "-").text())
        .contains("(Conflict)", "the object has been modified");
    kubectl.run(
        "",
        "patch",
        "ippool",
        "pods",
        "--type=merge",
        "-p",
        "{\"spec\":{\"vxlanMode\":\"Always\"}}");
    assertThat(mode()).isEqualTo("Always");
    kubectl.run(
        "",
        "patch",
        "ippool",
        "pods",
        "--type=json",
        "-p",
        "[{\"op\":\"replace\",\"path\":\"/spec/vxlanMode\",\"value\":\"Never\"}]");
    assertThat(mode()).isEqualTo("Never");
  }

  private String mode() throws Exception {
    return kubectl.run("", "get", "ippool", "pods", "-o", "jsonpath={.spec.vxlanMode}");
  }

  @Test
  void definitionsAsShippedAreEstablishedAndRefuseWhatBreaksThem() throws Exception {
    kubectl.run("", "apply", "--validate=false", "-f", root().resolve("deploy/crds").toString());
    kubectl.run("", "wait", "--for=condition=established", "crd", "--all", "--timeout=60s");
    Kubectl.Answer refused =
        kubectl.ask(POOL.replace("Always", "Perhaps"), "create", "--validate=false", "-f", "-");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.text())
        .contains("The IPPool \"pods\" is invalid: spec.vxlanMode", "Unsupported value");
  }

  @Test
  void theAgentsAccountMayWhatTheShippedRoleAllows() throws Exception {
    api.allow(Rbac.read(root().resolve("deploy/rbac.yaml")));
    api.token("agent", Subject.serviceAccount("kube-system", "sund-agent"));
    Kubectl agent = as("agent");
    kubectl.run(SHOP, "create", "--validate=false", "-f", "-");
    assertThat(agent.run("", "get", "pods", "-A")).contains("web");
    assertThat(agent.ask("", "delete", "pod", "web", "-n", "shop").text())
        .contains(
            "(Forbidden)",
            "User \"system:serviceaccount:kube-system:sund-agent\" cannot delete resource"
                + " \"pods\"");
  }
}
