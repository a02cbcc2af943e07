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
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
          + " enter pods' namespaces). When it ends, the kernel keeps forwarding. With --cni-conf-dir"
          + " it puts the plugin and its conflist into the runtime's folders once it is ready;"
          + " without, it writes neither. It runs the doctor's checks now and then, and measures"
          + " loss and round trips to a few other nodes: sund status shows what they say."
    },
    footer = {
      "  sund agent --kubeconfig /etc/kubernetes/sund.conf --node n1",
      "  sund agent --kubeconfig F --node n1 --http 0.0.0.0:9470 --log debug",
      "  sund agent --kubeconfig F --node n1 --cni-conf-dir /etc/cni/net.d",
      "  sund agent --kubeconfig F --node n1 --peer-rtt 2 --peer-jitter 1   nodes of one site",
      "  sund agent --kubeconfig F --node n1 --peer-port 0 --doctor-period 0   neither of the two"
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
      names = "--http",
      paramLabel = "HOST:PORT",
      defaultValue = "127.0.0.1:9470",
      description = "Where /healthz, /readyz and /metrics listen (default: ${DEFAULT-VALUE}).")
  String http = "";

  @Option(
      names = "--log",
      paramLabel = "LEVEL",
      defaultValue = "info",
      description = "error, warn, info or debug (default: ${DEFAULT-VALUE}).")
  String log = "info";

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

  @Option(
      names = "--kube-proxy-config",
      paramLabel = "FILE",
      description = {
        "A KubeProxyConfiguration that says how Services are served, before the one of the ConfigMap"
            + " kube-system/kube-proxy (default: that one). Changes are followed."
      })
  @Nullable Path proxyConfig;

  @Mixin WatchingOptions watching = new WatchingOptions();

  @Mixin AgentTalk socket = new AgentTalk();

  @Mixin StateDirOption state = new StateDirOption();

  @Mixin NetnsOption namespace = new NetnsOption();

  @Mixin FabricOption fabric = new FabricOption();

  @Mixin CniDirs cni = new CniDirs();

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
    AgentOptions options = withoutCni().withWatching(watching.watching());
    if (bootId != null) {
      options = options.withBootId(bootId);
    }
    if (flannelEnv != null) {
      options = options.withFlannelEnv(flannelEnv);
    }
    if (proxyConfig != null) {
      options = options.withProxyConfig(proxyConfig);
    }
    if (fabric.fabric != null) {
      options = options.withFabricFile(fabric.fabric);
    }
    if (cni.conf().isEmpty()) {
      return options;
    }
    Path plugin = Path.of(System.getProperty("sund.plugin", ""));
    if (!Files.isExecutable(plugin)) {
      throw CommandFailure.couldNotRun(
          "The CNI plugin is not built: there is no program '" + plugin + "'.",
          "Install a C compiler (Debian: gcc and libc6-dev) and run sund again, or leave"
              + " --cni-conf-dir out.");
    }
    return options.withCni(new CniFiles(cni.conf().get(), cni.binDir, plugin));
  }

  private AgentOptions withoutCni() {
    try {
      return new AgentOptions(
          kubeconfig,
          new NodeName(node),
          socket.runDir,
          state.stateDir,
          AgentOptions.parseHttp(http),
          namespace.path(),
          LogLevel.tryParse(log)
              .orElseThrow(
                  () -> new IllegalArgumentException("'" + log + "' is not a level of the log")),
          fabric.settings(spec.commandLine().getErr()),
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
