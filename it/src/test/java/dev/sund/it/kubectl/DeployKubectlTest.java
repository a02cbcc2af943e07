package dev.sund.it.kubectl;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.cli.AgentCommand;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.LabAuthority;
import dev.sund.lab.api.Resource;
import dev.sund.lab.api.Subject;
import dev.sund.model.Ip;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What is shipped can be installed by one command, and asks for no more than it needs. */
@Tag("interop")
class DeployKubectlTest {
  private static final Path ROOT = Path.of(System.getProperty("sund.root"));

  @TempDir Path folder;

  /** What an agent has of its node, and nothing else. */
  private static final List<String> NODES_FOLDERS =
      List.of(
          "/run/sund",
          "/var/lib/sund",
          "/etc/cni/net.d",
          "/opt/cni/bin",
          "/run/netns",
          "/run/xtables.lock");

  @FunctionalInterface
  private interface Use {
    void with(LabApi api, Kubectl kubectl) throws Exception;
  }

  private void withServer(Use use) throws Exception {
    LabAuthority authority = new LabAuthority(Instant.now());
    try (LabApi api = new LabApi(InstantSource.system());
        ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      api.serve(socket, authority.server(List.of(), List.of(Ip.parse("127.0.0.1"))));
      api.token("admin", Subject.ADMIN);
      Path config = folder.resolve("admin.conf");
      String url = "https://127.0.0.1:" + socket.getLocalPort();
      Files.writeString(config, Kubeconfig.text(url, "admin", Optional.of(authority.pem())));
      use.with(api, new Kubectl(config, folder));
    }
  }

  @Test
  void oneCommandInstallsAnAgentWithNamedCapabilitiesAndFoldersOnly() throws Exception {
    withServer((api, kubectl) -> {
      String deploy = ROOT.resolve("deploy").toString();
      kubectl.run("", "apply", "--validate=false", "-k", deploy);
      String again = kubectl.run("", "apply", "--validate=false", "-k", deploy);
      assertThat(again.lines()).as(again).allMatch(line -> line.endsWith(" unchanged"));

      assertThat(api.resource("sund.dev/v1alpha1", "AddressBlock")).isPresent();
      Tree.Mapping set = api.get(Resource.DAEMON_SETS, "kube-system/sund").orElseThrow();
      String text = JsonText.of(set);
      assertThat(text)
          .contains("\"capabilities\":{\"add\":[\"NET_ADMIN\",\"SYS_ADMIN\"],\"drop\":[\"ALL\"]}")
          .contains("\"serviceAccountName\":\"sund-agent\"", "\"hostNetwork\":true")
          .contains("\"readOnlyRootFilesystem\":true", "\"maxUnavailable\":1")
          .doesNotContain("privileged", "hostPID", "hostIPC");
      assertThat(hostPaths(set)).containsExactlyInAnyOrderElementsOf(NODES_FOLDERS);
      assertThat(api.get(Resource.SERVICE_ACCOUNTS, "kube-system/sund-agent")).isPresent();
      Tree.Mapping settings =
          api.list(Resource.CONFIG_MAPS).stream()
              .filter(map -> JsonText.of(map).contains("\"name\":\"sund-"))
              .findFirst()
              .orElseThrow();
      assertThat(JsonText.of(settings)).contains("\"apiServers\":\"\"", "fabric.yaml");
      assertUnderstood(set);

      kubectl.run("", "delete", "--ignore-not-found", "-k", deploy);
      assertThat(api.list(Resource.DAEMON_SETS)).isEmpty();
      assertThat(api.list(Resource.DEFINITIONS)).isEmpty();
    });
  }

  @Test
  void variantsChangeWhatTheySayAndNothingElse() throws Exception {
    withServer((api, kubectl) -> {
      Path variants = ROOT.resolve("examples/deploy");
      kubectl.run("", "apply", "--validate=false", "-k", variants.resolve("k3s").toString());
      Tree.Mapping k3s = api.get(Resource.DAEMON_SETS, "kube-system/sund").orElseThrow();
      assertThat(hostPaths(k3s))
          .containsExactlyInAnyOrder(
              "/run/sund",
              "/var/lib/sund",
              "/var/lib/rancher/k3s/agent/etc/cni/net.d",
              "/var/lib/rancher/k3s/data/cni",
              "/run/netns",
              "/run/xtables.lock");
      assertUnderstood(k3s);

      Path flannelEnv = variants.resolve("flannel-env");
      kubectl.run("", "apply", "--validate=false", "-k", flannelEnv.toString());
      Tree.Mapping flannel = api.get(Resource.DAEMON_SETS, "kube-system/sund").orElseThrow();
      assertThat(hostPaths(flannel)).hasSize(7).contains("/run/flannel").containsAll(NODES_FOLDERS);
      assertThat(arguments(flannel)).contains("--flannel-env=/run/flannel/subnet.env");
      assertUnderstood(flannel);
    });
  }

  /** The program takes these arguments. */
  private static void assertUnderstood(Tree.Mapping set) {
    List<String> arguments = new ArrayList<>(arguments(set));
    assertThat(arguments.removeFirst()).isEqualTo("agent");
    new CommandLine(new AgentCommand()).parseArgs(arguments.toArray(String[]::new));
  }

  private static List<String> hostPaths(Tree.Mapping set) {
    Matcher paths =
        Pattern.compile("\"hostPath\":\\{\"path\":\"([^\"]*)\"").matcher(JsonText.of(set));
    return paths.results().map(found -> found.group(1)).toList();
  }

  private static List<String> arguments(Tree.Mapping set) {
    Tree here = set;
    for (String step : List.of("spec", "template", "spec", "containers")) {
      here = ((Tree.Mapping) here).get(step).orElseThrow();
    }
    Tree.Mapping container = (Tree.Mapping) ((Tree.Sequence) here).items().getFirst();
    List<String> found = new ArrayList<>();
    for (Tree item : ((Tree.Sequence) container.get("args").orElseThrow()).items()) {
      found.add(((Tree.Scalar) item).text());
    }
    return found;
  }
}
