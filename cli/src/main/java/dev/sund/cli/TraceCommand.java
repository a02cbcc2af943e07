package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.agent.trace.KnownCluster;
import dev.sund.agent.trace.ProbeResult;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Trace;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.lab.offline.PolicyOpening;
import dev.sund.lab.offline.TraceText;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund trace}: why a packet goes where it goes. */
@Command(
    name = "trace",
    header = "Say hop by hop where a packet goes and why, and back; and what would let it through.",
    description = {
      "",
      "Asks the agent of this node what it knows of the cluster, or reads manifest files alone (-f),"
          + " and follows the packet over the programs of all nodes on its way."
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:it arrives, and its answer comes back",
      "1:it does not; the last line says why",
      "2:bad input: an argument, a file or an object in it",
      "3:could not run: no agent answers",
      "4:with --live: the kernel does something else than the program says"
    },
    footer = {
      "  sudo sund trace shop/web shop/db:5432",
      "  sudo sund trace shop/web svc/db:5432",
      "  sudo sund trace 203.0.113.9 192.168.1.11:30080",
      "  sudo sund trace --live shop/web svc/db:5432",
      "  kubectl get nodes,ns,pods,svc,endpointslices,netpol -A -o yaml > cluster.yaml",
      "  sund trace -f cluster.yaml shop/web 203.0.113.9:53/udp",
      "  sund trace -f cluster.yaml outside/outside 192.168.1.11:30080",
      "  sund trace -f cluster.yaml node/n1 10.244.2.7 -o json"
    })
public final class TraceCommand implements Callable<Integer> {
  /** Of more endpoints the further ones differ in their address alone. */
  private static final int MOST = 16;

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description = "Manifests: files, folders, or - for standard input. No agent is asked then.")
  List<String> files = new ArrayList<>();

  @Option(
      names = "--live",
      description = {
        "Send a real packet too, from a pod of this node or the node itself, and show what the kernel"
            + " does with it: by TCP a handshake that is reset at once, by UDP one datagram."
      })
  boolean live;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      defaultValue = "2",
      description = "With --live: how long an answer is waited for, 1 to 10 (default: 2).")
  int timeout = 2;

  @Mixin AgentTalk agent = new AgentTalk();

  @Parameters(
      index = "0",
      paramLabel = "FROM",
      description = "NAMESPACE/POD, node/NAME, outside/NAME or an address, also one outside.")
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
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    if (live && !files.isEmpty()) {
      throw CommandFailure.badInput(
          "--live asks a running agent, and -f none.", "Give one of the two.");
    }
    Optional<KnownCluster> known = files.isEmpty() ? Optional.of(known()) : Optional.empty();
    TraceQuestion question =
        known.isPresent()
            ? new TraceQuestion(OfflineCluster.of(known.get()), "that the agent knows")
            : new TraceQuestion(
                OfflineCluster.of(ManifestArguments.read(files, spec.commandLine().getErr())),
                "in the files");
    List<Packet> packets = question.packets(from, to);
    OfflineCluster cluster = question.cluster();
    List<Trace> all = new ArrayList<>();
    List<ProbeResult> probes = new ArrayList<>();
    for (Packet packet : packets) {
      List<Trace> traces = cluster.traces(packet);
      all.addAll(traces.subList(0, Math.min(MOST, traces.size())));
      if (live) {
        probes.add(
            new LiveProbe(agent, known.orElseThrow().node(), Duration.ofSeconds(timeout))
                .send(packet, traces));
      }
    }
    if (output.json()) {
      out.println(
          TraceOutput.json(
              all, trace -> PolicyOpening.of(cluster, trace), probes, cluster.assumptions()));
    } else {
      cluster.assumptions().forEach(line -> out.println("assumed: " + line));
      for (Trace trace : all) {
        out.print(TraceText.of(trace));
        PolicyOpening.of(cluster, trace).ifPresent(change -> out.print(TraceText.change(change)));
      }
      known
          .map(KnownCluster::node)
          .ifPresent(node ->
              probes.forEach(probe ->
                  out.print(
                      LiveProbe.text(
                          probe, node, LiveProbe.others(all, node, cluster.underlay())))));
    }
    out.flush();
    if (!probes.stream().allMatch(probe -> probe.differences().isEmpty())) {
      return ExitCode.KERNEL_DIFFERS;
    }
    return all.stream().allMatch(Trace::answered) ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private KnownCluster known() throws IOException {
    AgentTalk.Said said = agent.ask(KnownCluster.question());
    if (said.answer().exitCode() != 0) {
      throw CommandFailure.couldNotRun(
          String.valueOf(said.fields().get("msg")), String.valueOf(said.fields().get("details")));
    }
    try {
      return KnownCluster.of(said.fields());
    } catch (Json.MalformedException e) {
      throw CommandFailure.couldNotRun(
          "The agent's answer is not understood: " + e.getMessage() + ".",
          "Use a sund of the agent's version.");
    }
  }
}
