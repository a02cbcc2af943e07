package dev.sund.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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

  @Override
  public Integer call() {
    throw CommandFailure.couldNotRun("This build cannot clean up.", "Build a newer checkout.");
  }
}
