package dev.sund.cli;

import dev.sund.dataplane.Cleanup;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund cleanup}: removes all that is ours from a node and nothing else. */
@Command(
    name = "cleanup",
    header = "Remove all that Sund made on this node, undo its sysctls, and touch nothing else.",
    footer = {
      "  sudo sund cleanup --dry-run       say what would be removed",
      "  sudo sund cleanup --netns /run/netns/n1 --state-dir /var/lib/sund"
    })
public final class CleanupCommand implements Callable<Integer> {
  @Option(names = "--dry-run", description = "Say what would be removed; remove nothing.")
  boolean dryRun;

  @Option(
      names = "--netns",
      paramLabel = "PATH",
      description = "The network namespace of the node (default: the one it is started in).")
  @Nullable Path netns;

  @Option(
      names = "--state-dir",
      paramLabel = "DIR",
      defaultValue = "/var/lib/sund",
      description = "Where the old values of sysctls are recorded (default: ${DEFAULT-VALUE}).")
  Path stateDir = Path.of("/var/lib/sund");

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws KernelException {
    NetNs namespace = netns == null ? NetNs.ofProcess() : NetNs.at(netns);
    Cleanup.Report report = Cleanup.node(namespace, stateDir, dryRun);
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.printf(
          "{\"dryRun\":%s,\"done\":%s,\"failed\":%s}%n",
          dryRun, JsonText.strings(report.done()), JsonText.conditions(report.failed()));
    } else {
      report.done().forEach(line -> out.println((dryRun ? "would " : "") + line));
      report.failed().forEach(failed -> out.println("failed: " + failed));
      if (report.done().isEmpty() && report.failed().isEmpty()) {
        out.println("nothing of Sund's is here");
      }
    }
    out.flush();
    return report.failed().isEmpty() ? ExitCode.OK : ExitCode.DIFFERS;
  }
}
