package dev.sund.cli;

import dev.sund.lab.Console;
import dev.sund.lab.Lab;
import dev.sund.lab.LabOptions;
import dev.sund.lab.agents.AgentLauncher;
import dev.sund.lab.agents.AgentProcesses;
import dev.sund.lab.agents.AgentsInProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code sund lab}: a cluster of network namespaces, predicted and measured. */
@Command(
    name = "lab",
    header = "Stand a cluster up in network namespaces; predict and measure who reaches whom.",
    description = {
      "Each line of the matrix says what the kernels' rules in force lead to and what packets"
          + " did: reach yes=yes, the path, the largest packet, the source as the receiver saw it."
          + " Where the cluster wants something else, the line says so."
    },
    footer = {
      "  sudo ./sund lab                        the examples' cluster, until Ctrl-C",
      "  sudo ./sund lab --once -o json         measure once, remove all, exit",
      "  sudo ./sund lab fault cut-link n3      while it stands, from another terminal",
      "  sudo ./sund lab apply -f pod.yaml      also by kubectl; the lab says how",
      "  sudo ./sund lab roll shop/web          replace pods under connections",
      "  sudo ./sund lab exec shop/web -- ip route",
      "  kubectl get nodes,pods,ippools -A -o yaml | sudo ./sund lab -f -"
    },
    subcommands = {
      LabStatusCommand.class,
      LabProbeCommand.class,
      LabTraceCommand.class,
      LabDropsCommand.class,
      LabApplyCommand.class,
      LabDeleteCommand.class,
      LabRollCommand.class,
      LabExecCommand.class,
      LabFaultCommand.class
    })
public final class LabCommand implements Callable<Integer> {
  private static final int MOST_NODES = 200;

  @ParentCommand @Nullable Sund sund;

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description =
          "Manifests: files, folders, or - for standard input (default: examples/shop and"
              + " examples/policies).")
  List<String> files = new ArrayList<>();

  @Option(names = "--once", description = "Measure once, remove all, exit.")
  boolean once;

  @Option(names = "--all", description = "Print every pair of pods, not one line per class.")
  boolean all;

  @Option(
      names = "--nodes",
      paramLabel = "N",
      description = "Spread the pods over N generated nodes; above 8, agents share a process.")
  @Nullable Integer nodes;

  @Mixin OutputFormat output = new OutputFormat();

  @Override
  public Integer call() {
    if (nodes != null && (nodes < 1 || nodes > MOST_NODES)) {
      throw CommandFailure.badInput(
          "--nodes must be from 1 to " + MOST_NODES + ", but is " + nodes + ".",
          "Look at sund lab --help.");
    }
    requireRoot();
    String root = System.getProperty("sund.root", ".");
    List<String> manifests =
        files.isEmpty()
            ? Stream.of("shop", "policies")
                .map(name -> Path.of(root, "examples", name).toString())
                .toList()
            : files;
    boolean colours = sund != null && sund.colors();
    Path deploy = Path.of(root, "deploy");
    LabOptions options =
        new LabOptions(
            manifests,
            nodes == null ? OptionalInt.empty() : OptionalInt.of(nodes),
            once,
            all,
            output.json(),
            colours,
            Files.isDirectory(deploy) ? Optional.of(deploy) : Optional.empty(),
            this::launcher);
    return Lab.run(options, new Console(System.out, System.err, colours), System.in);
  }

  private static void requireRoot() {
    if (!"root".equals(System.getProperty("user.name"))) {
      throw CommandFailure.couldNotRun(
          "The lab makes network namespaces, which only root may.", "Run it with sudo.");
    }
  }

  private AgentLauncher launcher(int nodeCount) {
    if (nodeCount > LabOptions.MOST_PROCESSES) {
      return new AgentsInProcess();
    }
    return new AgentProcesses(command(), Map.of("SUND_BUILD", "never"));
  }

  /** How this program was started, to start it as an agent. */
  private static List<String> command() {
    String launcher = System.getProperty("sund.launcher", "");
    if (!launcher.isEmpty()) {
      return List.of(launcher);
    }
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        System.getProperty("java.class.path"),
        Main.class.getName());
  }
}
