package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.agent.trace.Expectation;
import dev.sund.agent.trace.ProbeRequest;
import dev.sund.agent.trace.ProbeResult;
import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.dataplane.probe.ProbeFinding.Step;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Underlay;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import java.io.IOException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/** Has the node's agent send a real packet, and says what became of it. */
final class LiveProbe {
  private final AgentTalk agent;
  private final NodeName node;
  private final Duration patience;

  /** Probes of this node's agent. */
  LiveProbe(AgentTalk agent, NodeName node, Duration patience) {
    this.agent = agent;
    this.node = node;
    this.patience = patience;
  }

  /**
   * Sends one.
   *
   * @param traces what is expected of it
   */
  ProbeResult send(Packet packet, List<Trace> traces) throws IOException {
    ProbeRequest request =
        new ProbeRequest(
            sender(packet.origin()),
            packet.destination(),
            packet.protocol(),
            packet.port(),
            patience,
            Expectation.of(traces, node));
    AgentTalk.Said said = agent.ask(request.fields());
    if (said.answer().exitCode() != 0) {
      throw CommandFailure.couldNotRun(
          String.valueOf(said.fields().get("msg")), String.valueOf(said.fields().get("details")));
    }
    try {
      return ProbeResult.of(said.fields());
    } catch (Json.MalformedException e) {
      throw CommandFailure.couldNotRun(
          "The agent's answer is not understood: " + e.getMessage() + ".",
          "Use a sund of the agent's version.");
    }
  }

  private Optional<PodKey> sender(Packet.Origin origin) {
    return switch (origin) {
      case FromPod(PodKey pod) -> Optional.of(pod);
      case FromNode(NodeName name) when name.equals(node) -> Optional.empty();
      case FromNode _, FromOutside _ ->
          throw CommandFailure.badInput(
              "Agent " + node + " cannot send as " + origin + ".",
              "Probe from a pod of " + node + " or from node/" + node + ".");
    };
  }

  /** The other nodes on the packet's way, whose kernels are not asked. */
  static SortedSet<NodeName> others(List<Trace> traces, NodeName node, Underlay underlay) {
    SortedSet<NodeName> others = new TreeSet<>();
    for (Trace trace : traces) {
      for (Trace.Hop hop : trace.there()) {
        underlay
            .host(hop.machine())
            .filter(host -> host.role() == Underlay.Role.NODE)
            .filter(host -> !host.name().equals(node.text()))
            .ifPresent(host -> others.add(new NodeName(host.name())));
      }
    }
    return others;
  }

  /**
   * For people.
   *
   * @param others nodes on the way that are not asked
   */
  static String text(ProbeResult result, NodeName node, Collection<NodeName> others) {
    ProbeFinding finding = result.finding();
    StringBuilder text = new StringBuilder();
    text.append(
        "\nlive on %s: %s %s port %d -> %s port %d/%s%n"
            .formatted(
                node,
                "from",
                finding.flow().source(),
                finding.flow().sourcePort(),
                finding.flow().destination(),
                finding.flow().port(),
                finding.flow().protocol().label()));
    steps(text, finding.there());
    text.append("  end   ").append(end(finding)).append('\n');
    if (!finding.back().isEmpty()) {
      text.append("  back\n");
      steps(text, finding.back());
    }
    for (NodeName other : others) {
      text.append(
          "  not seen: what %s does, which sund trace --live shows there%n".formatted(other));
    }
    text.append("live: ").append(finding.answer().text());
    if (result.differences().isEmpty()) {
      return text.append("; the kernel does what the program says\n").toString();
    }
    text.append(", ").append(Reason.PROBE_DIFFERS.code()).append('\n');
    result.differences().forEach(line -> text.append("  ").append(line).append('\n'));
    return text.toString();
  }

  private static void steps(StringBuilder text, List<Step> steps) {
    for (Step step : steps) {
      text.append("  %-16s %s%n".formatted(step.device(), step));
    }
  }

  private static String end(ProbeFinding finding) {
    return switch (finding.end()) {
      case ProbeFinding.Dropped(var by) -> "dropped by " + by.table() + " " + by.chain();
      case ProbeFinding.Left(var device, var source, var destination, var port) ->
          "left by %s, from %s to %s port %d".formatted(device, source, destination, port);
      case ProbeFinding.TakenIn(var source, var destination, var port) ->
          "taken in by the node, from %s at %s port %d".formatted(source, destination, port);
      case ProbeFinding.Lost() -> "no rule dropped it, and it did not leave";
      case ProbeFinding.NotSeen() -> "it did not come to the node's rules";
    };
  }
}
