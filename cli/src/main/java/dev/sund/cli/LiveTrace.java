package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.agent.trace.Expectation.Part;
import dev.sund.agent.trace.KnownCluster;
import dev.sund.agent.trace.ProbeResult;
import dev.sund.agent.trace.WatchRequest;
import dev.sund.agent.trace.WatchResult;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Trace;
import dev.sund.lab.offline.LiveProbe;
import dev.sund.lab.offline.LiveProbe.RefusedException;
import dev.sund.lab.offline.LiveProbe.Story;
import dev.sund.lab.offline.LiveProbe.View;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** Has the node's agent send a real packet, or watch for one of another node's. */
final class LiveTrace {
  private static final Duration KNOWN_WITHIN = Duration.ofSeconds(3);
  private static final Duration STEP = Duration.ofMillis(100);

  private final AgentTalk agent;
  private final String from;
  private final String to;

  /** Probes of this node's agent, from and to these ends. */
  LiveTrace(AgentTalk agent, String from, String to) {
    this.agent = agent;
    this.from = from;
    this.to = to;
  }

  /** All that the agent knows. */
  KnownCluster known() throws IOException {
    try {
      return KnownCluster.of(LiveProbe.fields(agent.ask(KnownCluster.question()).answer()));
    } catch (RefusedException e) {
      throw failure(e);
    } catch (Json.MalformedException e) {
      throw failure(LiveProbe.notUnderstood(e));
    }
  }

  /**
   * All that the agent knows; a pod of its node that was attached a moment ago is waited for, of
   * which the API server has not told it yet.
   */
  KnownCluster knownWithEnds() throws IOException {
    long end = System.nanoTime() + KNOWN_WITHIN.toNanos();
    while (true) {
      KnownCluster known = known();
      OfflineCluster cluster = OfflineCluster.of(known);
      List<PodKey> fresh =
          Stream.of(from, to)
              .map(LiveTrace::pod)
              .flatMap(Optional::stream)
              .filter(pod -> !cluster.pods().containsKey(pod))
              .filter(pod -> cluster.attachedAt(pod).isPresent())
              .toList();
      if (fresh.isEmpty()) {
        return known;
      }
      if (System.nanoTime() > end) {
        throw CommandFailure.couldNotRun(
            "Pod "
                + fresh.getFirst()
                + " is attached, and the API server has not told agent "
                + known.node()
                + " of it yet.",
            "Ask again in a moment; look at sund status when that goes on.");
      }
      try {
        Thread.sleep(STEP);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
    }
  }

  /** The pod that an end of the question names, if it can be one. */
  private static Optional<PodKey> pod(String end) {
    String[] words = end.split("[/:]");
    boolean other =
        words.length < 2
            || words[1].isEmpty()
            || List.of("node", "outside", "svc").contains(words[0])
            || end.indexOf('/') < 1;
    return other ? Optional.empty() : Optional.of(new PodKey(words[0], words[1]));
  }

  /** Sends one, and says what became of it on this node. */
  Story send(Packet packet, NodeName node, Duration patience) throws IOException {
    LiveProbe probe = new LiveProbe((_, request) -> agent.ask(request).answer(), patience);
    OfflineCluster first = OfflineCluster.of(known());
    try {
      return probe.send(
          packet, node, sender(packet.origin(), node), first.underlay(), () -> look(packet));
    } catch (RefusedException e) {
      throw failure(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private View look(Packet packet) throws IOException {
    KnownCluster known = known();
    OfflineCluster cluster = OfflineCluster.of(known).withOutside(packet.destination());
    return new View(cluster.traces(packet), new TreeMap<>(Map.of(known.node(), known.program())));
  }

  private static Optional<PodKey> sender(Packet.Origin origin, NodeName node) {
    return switch (origin) {
      case FromPod(PodKey pod) -> Optional.of(pod);
      case FromNode(NodeName name) when name.equals(node) -> Optional.empty();
      case FromNode _, FromOutside _ ->
          throw CommandFailure.badInput(
              "Agent " + node + " cannot send as " + origin + ".",
              "Probe from a pod of " + node + " or from node/" + node + ".");
    };
  }

  /** What is to be run on another node so that it tells its part. */
  String command() {
    return "sudo sund trace --observe " + quoted(from) + " " + quoted(to);
  }

  private static String quoted(String word) {
    return word.matches("[A-Za-z0-9/.:_-]+") ? word : "'" + word + "'";
  }

  /**
   * Watches until the packets of the ways came by this node, or for this long.
   *
   * @param ways each packet, with what becomes of it
   * @return what came, beside what was expected; empty when nothing did
   */
  List<Observed> observe(KnownCluster known, Map<Packet, List<Trace>> ways, Duration patience)
      throws IOException {
    List<WatchRequest.Watched> packets = new ArrayList<>();
    ways.forEach((packet, traces) -> packets.add(LiveProbe.watched(packet, traces, known.node())));
    WatchRequest request = new WatchRequest(packets, true, known.program());
    try {
      LiveProbe.fields(agent.ask(request.fields()).answer());
      long end = System.nanoTime() + patience.toNanos();
      WatchResult result = new WatchResult(false, List.of());
      while (!result.over()) {
        boolean last = System.nanoTime() > end;
        result = WatchResult.of(LiveProbe.fields(agent.ask(WatchRequest.question(last)).answer()));
      }
      return result.seen().stream()
          .map(seen -> observed(known.node(), packets.get(seen.packet()), seen.result()))
          .toList();
    } catch (RefusedException e) {
      throw failure(e);
    } catch (Json.MalformedException e) {
      throw failure(LiveProbe.notUnderstood(e));
    }
  }

  private static Observed observed(NodeName node, WatchRequest.Watched packet, ProbeResult result) {
    return new Observed(new Part(node, packet.expected(), result.finding()), result);
  }

  /**
   * A packet that came by.
   *
   * @param part what this node did to it
   * @param result beside what the program says
   */
  record Observed(Part part, ProbeResult result) {}

  private static CommandFailure failure(RefusedException e) {
    return CommandFailure.couldNotRun(String.valueOf(e.getMessage()), e.remedy());
  }
}
