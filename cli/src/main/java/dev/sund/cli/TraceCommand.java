package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.agent.trace.KnownCluster;
import dev.sund.agent.trace.ProbeRequest;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Underlay;
import dev.sund.lab.offline.LiveProbe;
import dev.sund.lab.offline.LiveText;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.lab.offline.PolicyOpening;
import dev.sund.lab.offline.TraceJson;
import dev.sund.lab.offline.TraceText;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
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
      "3:could not run: no agent answers; with --observe: nothing came",
      "4:with --live or --observe: the kernel does something else than the program says"
    },
    footer = {
      "  sudo sund trace shop/web shop/db:5432",
      "  sudo sund trace shop/web svc/db:5432",
      "  sudo sund trace 203.0.113.9 192.168.1.11:30080",
      "  sudo sund trace --live shop/web svc/db:5432",
      "  sudo sund trace --observe shop/web svc/db:5432    (on db's node, before the one above)",
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
      names = "--observe",
      description = {
        "Watch on this node for the packet that --live sends on another, and show what this node's"
            + " kernel does with it. Begin it before the other."
      })
  boolean observe;

  @Option(
      names = "--timeout",
      paramLabel = "SECONDS",
      description =
          "With --live: how long an answer is waited for, 1 to 10 (default: 2). With --observe: how"
              + " long the packet is waited for, 1 to 600 (default: 60).")
  @Nullable Integer timeout;

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
    if ((live || observe) && !files.isEmpty()) {
      throw CommandFailure.badInput(
          (live ? "--live" : "--observe") + " asks a running agent, and -f none.",
          "Give one of the two.");
    }
    LiveTrace probes = new LiveTrace(agent, from, to);
    Optional<KnownCluster> known =
        files.isEmpty()
            ? Optional.of(live || observe ? probes.knownWithEnds() : probes.known())
            : Optional.empty();
    TraceQuestion question =
        known.isPresent()
            ? new TraceQuestion(OfflineCluster.of(known.get()), "that the agent knows")
            : new TraceQuestion(
                OfflineCluster.of(ManifestArguments.read(files, spec.commandLine().getErr())),
                "in the files");
    List<Packet> packets = question.packets(from, to);
    OfflineCluster cluster = question.cluster();
    Map<Packet, List<Trace>> ways = new LinkedHashMap<>();
    packets.forEach(packet -> ways.put(packet, cluster.traces(packet)));
    if (observe) {
      return observe(probes, known.orElseThrow(), ways);
    }
    List<Trace> all = new ArrayList<>();
    List<LiveProbe.Story> stories = new ArrayList<>();
    for (Map.Entry<Packet, List<Trace>> way : ways.entrySet()) {
      Packet packet = way.getKey();
      List<Trace> traces = way.getValue();
      if (live) {
        LiveProbe.Story story =
            probes.send(packet, known.orElseThrow().node(), seconds(2, ProbeRequest.LONGEST));
        stories.add(story);
        traces = story.view().traces();
      }
      all.addAll(traces.subList(0, Math.min(MOST, traces.size())));
    }
    if (output.json()) {
      out.println(
          TraceJson.of(
              all,
              trace -> PolicyOpening.of(cluster, trace),
              stories,
              _ -> probes.command(),
              cluster.assumptions()));
    } else {
      cluster.assumptions().forEach(line -> out.println("assumed: " + line));
      for (Trace trace : all) {
        out.print(TraceText.of(trace));
        PolicyOpening.of(cluster, trace).ifPresent(change -> out.print(TraceText.change(change)));
      }
      stories.forEach(story -> out.print(LiveText.of(story, _ -> probes.command())));
    }
    out.flush();
    if (stories.stream().anyMatch(LiveProbe.Story::differs)) {
      return ExitCode.KERNEL_DIFFERS;
    }
    if (stories.stream().anyMatch(LiveProbe.Story::between)) {
      return ExitCode.COULD_NOT_RUN;
    }
    return all.stream().allMatch(Trace::answered) ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private int observe(LiveTrace probes, KnownCluster known, Map<Packet, List<Trace>> ways)
      throws IOException {
    NodeName node = known.node();
    Underlay underlay = OfflineCluster.of(known).underlay();
    Map<Packet, List<Trace>> here = new LinkedHashMap<>();
    List<NodeName> others = new ArrayList<>();
    ways.forEach((packet, traces) -> {
      List<NodeName> nodes = List.copyOf(LiveProbe.nodes(traces, underlay));
      others.addAll(nodes);
      if (nodes.contains(node) && !nodes.getFirst().equals(node)) {
        here.put(packet, traces);
      }
    });
    if (here.isEmpty()) {
      throw CommandFailure.badInput(
          others.contains(node)
              ? "The packet begins on " + node + "."
              : "The program says that the packet does not come by " + node + ".",
          others.contains(node)
              ? "Send it with --live here, and watch on the others."
              : "It comes by " + others.stream().map(NodeName::text).distinct().toList() + ".");
    }
    Duration patience = seconds(60, Duration.ofSeconds(600));
    PrintWriter err = spec.commandLine().getErr();
    err.println(
        "watching on %s for %d seconds; now on %s: %s"
            .formatted(
                node,
                patience.toSeconds(),
                others.getFirst(),
                probes.command().replace("--observe", "--live")));
    err.flush();
    List<LiveTrace.Observed> came = probes.observe(known, here, patience);
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.println(
          Json.write(
              Map.of(
                  "observed",
                  came.stream()
                      .map(one ->
                          TraceJson.observed(
                              one.part(), one.result().differences(), one.result().between()))
                      .toList())));
    } else {
      came.forEach(one ->
          out.print(LiveText.seen(one.part(), one.result().differences(), one.result().between())));
    }
    out.flush();
    if (came.isEmpty()) {
      throw CommandFailure.couldNotRun(
          "Nothing came by " + node + " within " + patience.toSeconds() + " seconds.",
          "Begin with this, then send with --live on "
              + others.getFirst()
              + "; when it was sent in time, it was lost on the way.");
    }
    if (came.stream().anyMatch(one -> one.result().between())) {
      return ExitCode.COULD_NOT_RUN;
    }
    return came.stream().allMatch(one -> one.result().differences().isEmpty())
        ? ExitCode.OK
        : ExitCode.KERNEL_DIFFERS;
  }

  private Duration seconds(int usual, Duration longest) {
    int given = timeout == null ? usual : timeout;
    if (given < 1 || given > longest.toSeconds()) {
      throw CommandFailure.badInput(
          "--timeout must be from 1 to " + longest.toSeconds() + ", but is " + given + ".",
          "Look at sund trace --help.");
    }
    return Duration.ofSeconds(given);
  }
}
