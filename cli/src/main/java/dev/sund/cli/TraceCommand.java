package dev.sund.cli;

import dev.sund.engine.trace.PathTracer;
import dev.sund.engine.trace.Trace;
import dev.sund.kube.manifest.Manifests;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.lab.offline.PolicyOpening;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund trace}: why a packet goes where it goes, from files alone. */
@Command(
    name = "trace",
    header = "Say hop by hop where a packet goes and why, from manifest files alone.",
    footer = {
      "  kubectl get nodes,ns,pods,svc,endpointslices,netpol -A -o yaml > cluster.yaml",
      "  sund trace -f cluster.yaml shop/web shop/db:5432",
      "  sund trace -f cluster.yaml shop/web 203.0.113.9:53/udp",
      "  sund trace -f cluster.yaml shop/web svc/db:5432",
      "  sund trace -f cluster.yaml outside/o1 192.168.1.11:30080",
      "  sund trace -f cluster.yaml node/n1 10.244.2.7 -o json"
    })
public final class TraceCommand implements Callable<Integer> {
  /** Of more endpoints the further ones differ in their address alone. */
  private static final int MOST = 16;

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
      description = {
        "NAMESPACE/POD, node/NAME, svc/[NAMESPACE/]NAME or an address ([v6]:PORT); PROTO: tcp, udp,"
            + " sctp, icmp. Of a Service every endpoint is traced that the packet may get."
      })
  String to = "";

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Manifests manifests = ManifestArguments.read(files, err);
    OfflineCluster cluster = OfflineCluster.of(manifests);
    PathTracer tracer = cluster.tracer();
    List<Trace> traces =
        new TraceQuestion(cluster)
            .packets(from, to).stream()
                .flatMap(packet -> tracer.traces(packet).stream().limit(MOST))
                .toList();
    if (output.json()) {
      out.println(
          TraceOutput.json(
              traces, trace -> PolicyOpening.of(manifests, trace), cluster.assumptions()));
    } else {
      cluster.assumptions().forEach(line -> out.println("assumed: " + line));
      for (Trace trace : traces) {
        out.print(TraceOutput.text(trace));
        PolicyOpening.of(manifests, trace)
            .ifPresent(change -> out.print(TraceOutput.change(change)));
      }
    }
    out.flush();
    return traces.stream().allMatch(Trace::answered) ? ExitCode.OK : ExitCode.DIFFERS;
  }
}
