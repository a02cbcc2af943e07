package dev.sund.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sund trace}: why a packet goes where it goes, from files alone. */
@Command(
    name = "trace",
    header = "Say hop by hop where a packet goes and why, from manifest files alone.",
    footer = {
      "  kubectl get nodes,pods,ippools -A -o yaml > cluster.yaml",
      "  sund trace -f cluster.yaml shop/web shop/db:5432",
      "  sund trace -f cluster.yaml shop/web 203.0.113.9:53/udp",
      "  sund trace -f cluster.yaml node/n1 10.244.2.7 -o json"
    })
public final class TraceCommand implements Callable<Integer> {
  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      required = true,
      description = "Manifests: files, folders, or - for standard input.")
  List<String> files = new ArrayList<>();

  @Parameters(
      index = "0",
      paramLabel = "FROM",
      description = "NAMESPACE/POD, node/NAME or outside/NAME.")
  String from = "";

  @Parameters(
      index = "1",
      paramLabel = "TO[:PORT][/PROTO]",
      description = "NAMESPACE/POD, node/NAME or an address ([v6]:PORT); PROTO: tcp, udp, icmp.")
  String to = "";

  @Mixin OutputFormat output = new OutputFormat();

  @Override
  public Integer call() {
    throw CommandFailure.couldNotRun("This build holds no tracer.", "Build a newer checkout.");
  }
}
