package dev.sund.cli;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sund status}: what the agent of this node says of itself. */
@Command(
    name = "status",
    header = "Print what this node's agent enforces, what drifted, and its conditions.",
    footer = {"  sudo sund status", "  sudo sund status --run-dir /run/sund -o json"})
public final class StatusCommand implements Callable<Integer> {
  @Option(
      names = "--run-dir",
      paramLabel = "DIR",
      defaultValue = "/run/sund",
      description = "Where the agent's socket is (default: ${DEFAULT-VALUE}).")
  Path runDir = Path.of("/run/sund");

  @Mixin OutputFormat output = new OutputFormat();

  @Override
  public Integer call() {
    throw CommandFailure.couldNotRun("This build holds no agent.", "Build a newer checkout.");
  }
}
