package dev.sund.cli;

import dev.sund.agent.AgentException;
import dev.sund.agent.AgentMain;
import dev.sund.agent.AgentOptions;
import dev.sund.agent.cni.CniFiles;
import dev.sund.agent.log.LogLevel;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.model.Condition;
import dev.sund.model.NodeName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund agent}: the program that runs on every node. */
@Command(
    name = "agent",
    header = "Run a node's agent until it is ended by a signal.",
    description = {
      "",
      "Follows the API server, keeps the node's part of the cluster's network in the kernel, repairs"
          + " what drifts and answers the CNI plugin. It needs CAP_NET_ADMIN, CAP_SYS_ADMIN (to"
          + " enter pods' namespaces) and CAP_NET_RAW. When it ends, the kernel keeps forwarding."
    },
    footer = {
      "  sund agent --kubeconfig /etc/kubernetes/sund.conf --node n1",
      "  sund agent --kubeconfig F --node n1 --http 0.0.0.0:9470 --log debug",
      "  sund agent --kubeconfig F --node n1 --cni-conf-dir /etc/cni/net.d"
    })
public final class AgentCommand implements Callable<Integer> {
  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      defaultValue = "/var/run/secrets/kubernetes.io/serviceaccount",
      description = {
        "How to reach the API server: a kubeconfig, or the folder of a service account with token and"
            + " ca.crt (default: ${DEFAULT-VALUE})."
      })
  Path kubeconfig = Kubeconfig.SERVICE_ACCOUNT;

  @Option(
      names = "--api-server",
      paramLabel = "HOST[:PORT]",
      split = ",",
      description = {
        "Where an API server listens, instead of where the kubeconfig says; several times or with"
            + " commas between for several, the preferred first. Never a Service's address: Sund"
            + " must not need what it provides."
      })
  List<String> apiServers = new ArrayList<>();

  @Option(
      names = "--node",
      paramLabel = "NAME",
      required = true,
      description = "This node's name in the cluster.")
  String node = "";

  @Option(
      names = "--run-dir",
      paramLabel = "DIR",
      defaultValue = "/run/sund",
      description = "Where the socket agent.sock is made (default: ${DEFAULT-VALUE}).")
  Path runDir = Path.of("/run/sund");

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      defaultValue = "/var/lib/sund",
      description = "What survives a restart of the machine (default: ${DEFAULT-VALUE}).")
  Path stateDir = Path.of("/var/lib/sund");

  @Option(
      names = "--http",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:9470",
      description = "Where /healthz, /readyz and /metrics listen (default: ${DEFAULT-VALUE}).")
  String http = "";

  @Option(
      names = "--netns",
      paramLabel = "PATH",
      description = "The network namespace of the node (default: the one it is started in).")
  @Nullable Path netns;

  @Option(
      names = "--log",
      paramLabel = "LEVEL",
      defaultValue = "info",
      description = "error, warn, info or debug (default: ${DEFAULT-VALUE}).")
  String log = "info";

  @Option(
      names = "--fabric",
      paramLabel = "FILE",
      description = "What is set for the fabric as a whole: VNI, VXLAN port, MTU.")
  @Nullable Path fabric;

  @Option(
      names = "--cni-conf-dir",
      paramLabel = "DIR",
      description = {
        "Write the conflist there when the agent is ready, such as /etc/cni/net.d (default: write"
            + " none)."
      })
  @Nullable Path cniConfDir;

  @Option(
      names = "--cni-bin-dir",
      paramLabel = "DIR",
      defaultValue = "/opt/cni/bin",
      description = {
        "With --cni-conf-dir: where the plugin sund-cni is put (default: ${DEFAULT-VALUE})."
      })
  Path cniBinDir = CniFiles.DEFAULT_BIN_DIR;

  @Option(
      names = "--boot-id",
      hidden = true,
      paramLabel = "TEXT",
      description =
          "Which boot of the machine this is; for the lab, whose machines share a kernel.")
  @Nullable String bootId;

  @Option(
      names = "--flannel-env",
      paramLabel = "FILE",
      description = {
        "Write what flannel writes to /run/flannel/subnet.env to this file, for those who read it"
            + " (default: write none)."
      })
  @Nullable Path flannelEnv;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    try {
      return AgentMain.run(options(), _ -> {});
    } catch (AgentException e) {
      Condition why = e.condition();
      throw CommandFailure.couldNotRun(why.object() + ": " + why.text(), why.remedy());
    }
  }

  private AgentOptions options() {
    AgentOptions options = withoutCni();
    if (bootId != null) {
      options = options.withBootId(bootId);
    }
    if (flannelEnv != null) {
      options = options.withFlannelEnv(flannelEnv);
    }
    if (cniConfDir == null) {
      return options;
    }
    Path plugin = Path.of(System.getProperty("sund.plugin", ""));
    if (!Files.isExecutable(plugin)) {
      throw CommandFailure.couldNotRun(
          "The CNI plugin is not built: there is no program '" + plugin + "'.",
          "Install a C compiler (Debian: gcc and libc6-dev) and run sund again, or leave"
              + " --cni-conf-dir out.");
    }
    return options.withCni(new CniFiles(cniConfDir, cniBinDir, plugin));
  }

  private AgentOptions withoutCni() {
    try {
      return new AgentOptions(
          kubeconfig,
          new NodeName(node),
          runDir,
          stateDir,
          AgentOptions.parseHttp(http),
          Optional.ofNullable(netns),
          LogLevel.tryParse(log)
              .orElseThrow(
                  () -> new IllegalArgumentException("'" + log + "' is not a level of the log")),
          ManifestArguments.fabric(Optional.ofNullable(fabric), spec.commandLine().getErr()),
          apiServers.stream()
              .map(String::strip)
              .filter(text -> !text.isEmpty())
              .map(ApiServer.Endpoint::parse)
              .toList());
    } catch (IllegalArgumentException e) {
      throw CommandFailure.badInput(e.getMessage() + ".", "Look at sund agent --help.");
    }
  }
}
