package dev.sund.lab.predict;

import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.PathTracer;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Trace.Arrival;
import dev.sund.engine.trace.Trace.AtHost;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.engine.trace.Underlay;
import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Answer.Larger;
import dev.sund.lab.question.Answer.Mtu;
import dev.sund.lab.question.Answer.Path;
import dev.sund.lab.question.Answer.Reach;
import dev.sund.lab.question.Answer.Reached;
import dev.sund.lab.question.Listeners;
import dev.sund.lab.question.Question;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Answers questions by tracing. Ports that no program's table has are all alike: they are traced
 * once for each pair of sender and address.
 *
 * <p>For one thread.
 */
public final class Prediction {
  /** What is traced; port 0 stands for all that no table looks at. */
  private record Way(Origin from, Ip destination, Protocol protocol, int port) {}

  private record Asked(Protocol protocol, int port) {}

  private final PathTracer tracer;
  private final Map<NodeName, PacketProgram> programs;
  private final Underlay underlay;

  /** One for each way in which chance may fall; made when a Service is asked. */
  private final List<PathTracer> choices = new ArrayList<>();

  private final Listeners listeners;
  private final Set<Asked> translated = new HashSet<>();

  /** Whether policies look at ports: then none is like another. */
  private final boolean policies;

  private final Map<Way, Trace> traces = new HashMap<>();
  private final Map<Way, Mtu> sizes = new HashMap<>();

  /**
   * A prediction.
   *
   * @param programs the nodes' programs, wanted or in force
   * @param underlay what lies between the nodes
   * @param listeners who answers at which port
   */
  public Prediction(Map<NodeName, PacketProgram> programs, Underlay underlay, Listeners listeners) {
    this.tracer = new PathTracer(programs, underlay);
    this.listeners = listeners;
    this.programs = programs;
    this.underlay = underlay;
    this.policies =
        programs.values().stream().anyMatch(program -> !program.policy().pods().isEmpty());
    programs
        .values()
        .forEach(program ->
            program
                .frontends()
                .keySet()
                .forEach(key -> translated.add(new Asked(key.protocol(), key.port()))));
  }

  /** Answers a question. */
  public Answer answer(Question question) {
    boolean matters =
        policies || translated.contains(new Asked(question.protocol(), question.port()));
    Way way =
        new Way(
            question.from().origin(),
            question.destination(),
            matters ? question.protocol() : Protocol.UDP,
            matters ? question.port() : 0);
    Trace trace = traces.computeIfAbsent(way, _ -> tracer.trace(packet(way)));
    return switch (question.kind()) {
      case REACH ->
          reached(trace, question.protocol(), matters ? trace.portSeen() : question.port());
      case SERVICE -> served(way);
      case PATH -> new Path(tracer.probedPath(packet(way)));
      case MTU -> sizes.computeIfAbsent(way, _ -> mtu(way, trace));
    };
  }

  /** All that chance can make of it. */
  private Answer served(Way way) {
    SortedSet<Answer.Way> ways = new TreeSet<>();
    for (PathTracer choice : choices()) {
      Trace trace = choice.trace(packet(way));
      boolean told = trace.told();
      if (trace.delivered() && trace.answered()) {
        Origin at = origin(trace.arrival().orElseThrow());
        boolean open = listeners.answers(at, way.protocol, trace.portSeen());
        ways.add(
            open
                ? new Answer.Way(Reach.YES, at.toString(), trace.sourceSeen())
                : new Answer.Way(Reach.REFUSED, "", Optional.empty()));
      } else {
        boolean refused =
            told
                && (trace.outcome() == Reason.NO_ENDPOINTS
                    || trace.outcome() == Reason.LOOPBACK_REFUSED);
        ways.add(new Answer.Way(refused ? Reach.REFUSED : Reach.NO, "", Optional.empty()));
      }
    }
    return new Answer.Served(ways, false);
  }

  private List<PathTracer> choices() {
    if (choices.isEmpty()) {
      Choices.of(programs).forEach(choice -> choices.add(new PathTracer(choice, underlay)));
    }
    return choices;
  }

  private static Packet packet(Way way) {
    return Packet.small(way.from, way.destination, way.protocol, way.port);
  }

  private Answer reached(Trace trace, Protocol protocol, int port) {
    if (!trace.delivered() || !trace.answered()) {
      Reason reason = trace.delivered() ? trace.backOutcome() : trace.outcome();
      return new Reached(Reach.NO, Optional.empty(), reason.code());
    }
    boolean open =
        trace
            .arrival()
            .map(arrival -> listeners.answers(origin(arrival), protocol, port))
            .orElse(false);
    return open
        ? new Reached(Reach.YES, trace.sourceSeen(), "delivered")
        : new Reached(Reach.REFUSED, Optional.empty(), Reason.PORT_CLOSED.code());
  }

  private static Origin origin(Arrival arrival) {
    return switch (arrival) {
      case AtPod(var _, var pod) -> new FromPod(pod);
      case AtNode(var node) -> new FromNode(node);
      case AtHost(var host) -> new FromOutside(host);
    };
  }

  private Mtu mtu(Way way, Trace trace) {
    if (!trace.delivered()) {
      return new Mtu(0, Larger.UNKNOWN);
    }
    Trace larger = tracer.trace(packet(way).probing(trace.pathMtu() + 1));
    if (larger.outcome() == Reason.PACKET_TOO_BIG || larger.outcome() == Reason.MTU_BLACK_HOLE) {
      return new Mtu(trace.pathMtu(), larger.told() ? Larger.TOLD : Larger.SILENT);
    }
    // The tracer contradicts its own bound: an answer that no measurement agrees with.
    return new Mtu(trace.pathMtu(), Larger.UNKNOWN);
  }
}
