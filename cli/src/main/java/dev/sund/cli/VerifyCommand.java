package dev.sund.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sund verify}: does the kernel hold what the cluster's objects want. */
@Command(
    name = "verify",
    header = "Compare what the kernel holds with what the cluster's objects want.",
    description = {
      "",
      "Reads the API server or files, and the kernel; asks no agent. Names every entry that is"
          + " missing, changed, stray or foreign. Changes nothing."
    },
    footer = {
      "  sudo sund verify --kubeconfig /etc/kubernetes/sund.conf --node n1",
      "  sudo sund verify -f cluster.yaml --node n1 --netns /run/netns/n1 -o json"
    })
public final class VerifyCommand implements Callable<Integer> {
  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description = "Manifests: files, folders, or - for standard input.")
  List<String> files = new ArrayList<>();

  @Option(names = "--kubeconfig", paramLabel = "FILE", description = "How to reach the API server.")
  @Nullable Path kubeconfig;

  @Option(
      names = "--node",
      paramLabel = "NAME",
      required = true,
      description = "The node's name in the cluster.")
  String node = "";

  @Option(
      names = "--netns",
      paramLabel = "PATH",
      description = "The network namespace of the node (default: the one it is started in).")
  @Nullable Path netns;

  @Mixin OutputFormat output = new OutputFormat();

  @Override
  public Integer call() {
    throw CommandFailure.couldNotRun("This build cannot verify.", "Build a newer checkout.");
  }
}
