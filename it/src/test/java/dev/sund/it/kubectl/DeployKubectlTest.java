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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What is shipped can be installed by one command, and asks for no more than it needs. */
@Tag("interop")
class DeployKubectlTest {
  @TempDir Path folder;

  @Test
  void oneCommandInstallsAnAgentWithNamedCapabilitiesOnly() throws Exception {
    Path root = Path.of(System.getProperty("sund.root"));
    LabAuthority authority = new LabAuthority(Instant.now());
    try (LabApi api = new LabApi(InstantSource.system());
        ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      api.serve(socket, authority.server(List.of(), List.of(Ip.parse("127.0.0.1"))));
      api.token("admin", Subject.ADMIN);
      Path config = folder.resolve("admin.conf");
      String url = "https://127.0.0.1:" + socket.getLocalPort();
      Files.writeString(config, Kubeconfig.text(url, "admin", Optional.of(authority.pem())));
      Kubectl kubectl = new Kubectl(config, folder);

      String deploy = root.resolve("deploy").toString();
      kubectl.run("", "apply", "--validate=false", "-k", deploy);
      String again = kubectl.run("", "apply", "--validate=false", "-k", deploy);
      assertThat(again.lines()).as(again).allMatch(line -> line.endsWith(" unchanged"));

      assertThat(api.resource("sund.dev/v1alpha1", "AddressBlock")).isPresent();
      Tree.Mapping set = api.get(Resource.DAEMON_SETS, "kube-system/sund").orElseThrow();
      String text = JsonText.of(set);
      assertThat(text)
          .contains("\"capabilities\":{\"add\":[\"NET_ADMIN\",\"SYS_ADMIN\"],\"drop\":[\"ALL\"]}")
          .contains("\"serviceAccountName\":\"sund-agent\"", "\"hostNetwork\":true")
          .doesNotContain("privileged", "hostPID");
      assertThat(api.get(Resource.SERVICE_ACCOUNTS, "kube-system/sund-agent")).isPresent();
      Tree.Mapping settings =
          api.list(Resource.CONFIG_MAPS).stream()
              .filter(map -> JsonText.of(map).contains("\"name\":\"sund-"))
              .findFirst()
              .orElseThrow();
      assertThat(JsonText.of(settings)).contains("\"apiServers\":\"\"", "fabric.yaml");

      List<String> arguments = new ArrayList<>(arguments(set));
      assertThat(arguments.removeFirst()).isEqualTo("agent");
      new CommandLine(new AgentCommand()).parseArgs(arguments.toArray(String[]::new));

      kubectl.run("", "delete", "--ignore-not-found", "-k", deploy);
      assertThat(api.list(Resource.DAEMON_SETS)).isEmpty();
      assertThat(api.list(Resource.DEFINITIONS)).isEmpty();
    }
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
