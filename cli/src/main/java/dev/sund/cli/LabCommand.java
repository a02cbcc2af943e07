package dev.sund.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sund lab}: a cluster of network namespaces, predicted and measured. */
@Command(
    name = "lab",
    header = "Stand a cluster up in network namespaces; predict and measure who reaches whom.",
    footer = {
      "  sudo ./sund lab                        the examples' cluster, until Ctrl-C",
      "  sudo ./sund lab --once -o json         measure once, remove all, exit",
      "  kubectl get nodes,pods,ippools -A -o yaml | sudo ./sund lab -f -"
    })
public final class LabCommand implements Callable<Integer> {
  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description = "Manifests: files, folders, or - for standard input (default: examples/).")
  List<String> files = new ArrayList<>();

  @Option(names = "--once", description = "Measure once, remove all, exit.")
  boolean once;

  @Option(names = "--all", description = "Print every pair of pods, not one line per class.")
  boolean all;

  @Option(
      names = "--nodes",
      paramLabel = "N",
      description = "How many nodes; above 8, agents share processes.")
  @Nullable Integer nodes;

  @Mixin OutputFormat output = new OutputFormat();

  @Override
  public Integer call() {
    throw CommandFailure.couldNotRun("This build holds no lab.", "Build a newer checkout.");
  }
}
