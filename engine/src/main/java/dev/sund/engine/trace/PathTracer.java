package dev.sund.engine.trace;

import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace.Arrival;
import dev.sund.engine.trace.Trace.AtHost;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.engine.trace.Trace.Carriage;
import dev.sund.engine.trace.Trace.Notice;
import dev.sund.engine.trace.Trace.Step;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Follows packets across the programs of the cluster's nodes and the underlay between them: who
 * gets a packet, over which machines, wrapped how, seen with which source, how large it may be, and
 * whether the answer comes back.
 *
 * <pre>
 *   born ──► classify ──► translate ──► route ──► policy ──► masquerade ──► [encapsulate] ──► underlay ──► ... ──► deliver
 *   and the answer the same way from the other end, with the first way's translations undone
 * </pre>
 *
 * <p>It interprets tables and knows no Kubernetes objects. Wanted programs tell what should happen,
 * lifted ones what does. Whether somebody listens at a port is not looked at: whoever owns the
 * address answers. Reverse path filters are taken as loose and as no obstacle.
 *
 * <p>Immutable after construction; may be used by several threads.
 */
public final class PathTracer {
  /** Size of answers and notices in bytes: small enough for every link. */
  private static final int SMALL = 64;

  private static final int USUAL_TTL = 64;

  /** Stands for a machine that does not answer probes. */
  public static final String SILENT = "?";

  private final Map<String, NodeView> nodes = new HashMap<>();
  private final Map<PodKey, NodeView> podHomes = new HashMap<>();
  private final Underlay underlay;

  /**
   * A tracer over these programs.
   *
   * @param programs of every node that packets may touch
   * @param underlay what lies between them
   */
  public PathTracer(Map<NodeName, PacketProgram> programs, Underlay underlay) {
    this.underlay = underlay;
    for (PacketProgram program : programs.values()) {
      NodeView view = new NodeView(program, underlay);
      nodes.put(view.name(), view);
      for (LocalPod pod : program.localPods().values()) {
        podHomes.put(pod.pod(), view);
      }
      for (BridgePort port : program.bridgePorts().values()) {
        port.pod().ifPresent(pod -> podHomes.putIfAbsent(pod, view));
      }
    }
    for (Underlay.Host host : underlay.hosts()) {
      if (host.role() == Underlay.Role.NODE) {
        nodes.computeIfAbsent(
            host.name(), name -> new NodeView(PacketProgram.empty(new NodeName(name)), underlay));
      }
    }
  }

  /** What becomes of a packet, there and back; of several endpoints it gets the first. */
  public Trace trace(Packet packet) {
    return trace(packet, List.of());
  }

  /**
   * All that may become of a packet, whichever endpoints it gets, in the order of slots; one trace
   * for a packet that meets no frontend.
   */
  public List<Trace> traces(Packet packet) {
    List<Trace> all = new ArrayList<>();
    Optional<List<Integer>> slots = Optional.of(List.of());
    while (slots.isPresent()) {
      Trace next = trace(packet, slots.get());
      all.add(next);
      slots = after(next.choices());
    }
    return all;
  }

  /** The choices that come after these, the last counted up first; empty after the last of all. */
  private static Optional<List<Integer>> after(List<Trace.Choice> choices) {
    for (int i = choices.size() - 1; i >= 0; i--) {
      if (choices.get(i).slot() + 1 < choices.get(i).of()) {
        List<Integer> next = new ArrayList<>();
        choices.subList(0, i).forEach(choice -> next.add(choice.slot()));
        next.add(choices.get(i).slot() + 1);
        return Optional.of(next);
      }
    }
    return Optional.empty();
  }

  /**
   * What becomes of a packet, there and back, when it gets these endpoints.
   *
   * @param slots which endpoint it gets at each frontend that it meets, in their order; the first
   *     where nothing is said, the last where there are not so many
   */
  public Trace trace(Packet packet, List<Integer> slots) {
    Walk there = new Walk(this, packet.source(), packet.destination(), packet.size(), packet.ttl());
    there.wanted = List.copyOf(slots);
    there.protocol = packet.protocol();
    there.port = packet.port();
    there.dontFragment = packet.dontFragment();
    start(there, packet.origin());
    if (there.outcome != Reason.DELIVERED) {
      return undelivered(packet, there);
    }
    Walk back = there.answer(there.destination, SMALL, USUAL_TTL);
    there.arrival.ifPresent(arrival -> startAt(back, arrival));
    boolean answered =
        isSender(back, packet.origin())
            && back.destination.equals(there.firstSource.orElse(back.destination))
            && back.source.equals(Optional.of(packet.destination()));
    return new Trace(
        packet,
        there.hops,
        Reason.DELIVERED,
        there.arrival,
        there.source,
        there.port,
        there.destination,
        there.pathMtu,
        Optional.empty(),
        back.hops,
        answered,
        answered
            ? Reason.DELIVERED
            : back.outcome == Reason.DELIVERED ? Reason.NO_WAY_BACK : back.outcome,
        there.choices,
        Optional.empty());
  }

  /**
   * The machines on the way as probes with a rising time to live find them: {@link Trace#path}, but
   * a machine that cannot tell the sender that the time ran out there is {@value #SILENT}. Empty
   * when the packet does not arrive.
   */
  public List<Step> probedPath(Packet packet) {
    Trace whole = trace(packet);
    if (!whole.delivered()) {
      return List.of();
    }
    List<Step> path = whole.path();
    List<Step> probed = new ArrayList<>();
    if (!(packet.origin() instanceof FromPod)) {
      probed.add(path.getFirst());
    }
    List<String> forwarders =
        whole.there().stream().filter(Trace.Hop::decrements).map(Trace.Hop::machine).toList();
    for (int ttl = 1; ttl <= forwarders.size(); ttl++) {
      String machine = forwarders.get(ttl - 1);
      boolean told = trace(packet.limited(ttl)).told();
      path.stream()
          .filter(step -> step.machine().equals(machine))
          .map(step -> told ? step : new Step(SILENT, Carriage.DIRECT, Optional.empty()))
          .forEach(probed::add);
    }
    Step last = path.getLast();
    if (probed.isEmpty() || !probed.getLast().machine().equals(last.machine())) {
      probed.add(last);
    }
    return probed;
  }

  private Trace undelivered(Packet packet, Walk there) {
    Optional<Notice> notice = Optional.empty();
    List<Trace.Hop> back = List.of();
    Reason backOutcome = Reason.NO_WAY_BACK;
    if (there.ownKernelTells) {
      notice = there.stoppedAt.map(machine -> new Notice(machine, Optional.empty(), true));
      backOutcome = Reason.DELIVERED;
    } else if (there.toldBy.isPresent() && there.source.isPresent()) {
      Walk news = there.notice(there.source.get(), SMALL, USUAL_TTL);
      startAt(news, there.toldBy.get());
      boolean arrives = isSender(news, packet.origin());
      notice = there.stoppedAt.map(machine -> new Notice(machine, news.firstSource, arrives));
      back = news.hops;
      backOutcome = arrives || news.outcome != Reason.DELIVERED ? news.outcome : Reason.NO_WAY_BACK;
    }
    boolean told = notice.map(Notice::arrives).orElse(false);
    return new Trace(
        packet,
        there.hops,
        there.outcome == Reason.PACKET_TOO_BIG && !told ? Reason.MTU_BLACK_HOLE : there.outcome,
        Optional.empty(),
        Optional.empty(),
        0,
        there.destination,
        0,
        notice,
        back,
        false,
        backOutcome,
        there.choices,
        there.blocked);
  }

  private void start(Walk walk, Origin origin) {
    switch (origin) {
      case FromPod(var key) -> {
        NodeView home = podHomes.get(key);
        if (home == null) {
          walk.stop(key.toString(), Trace.Stage.CLASSIFY, Reason.SENDER_UNKNOWN, "no node has it");
        } else {
          walk.bornInPod(home, key);
        }
      }
      case FromNode(var name) -> {
        NodeView home = nodes.get(name.text());
        if (home == null) {
          walk.stop(name.text(), Trace.Stage.CLASSIFY, Reason.SENDER_UNKNOWN, "no such node");
        } else {
          walk.bornOnNode(home);
        }
      }
      case FromOutside(var name) ->
          underlay
              .host(name)
              .ifPresentOrElse(
                  walk::bornOnHost,
                  () ->
                      walk.stop(name, Trace.Stage.CLASSIFY, Reason.SENDER_UNKNOWN, "no such host"));
    }
  }

  private void startAt(Walk walk, Arrival arrival) {
    switch (arrival) {
      case AtPod(_, var key) -> start(walk, new FromPod(key));
      case AtNode(var name) -> start(walk, new FromNode(name));
      case AtHost(var name) -> start(walk, new FromOutside(name));
    }
  }

  private static boolean isSender(Walk back, Origin origin) {
    return back.arrival
        .map(arrival ->
            switch (arrival) {
              case AtPod(_, var key) -> origin.equals(new FromPod(key));
              case AtNode(var name) -> origin.equals(new FromNode(name));
              case AtHost(var name) -> origin.equals(new FromOutside(name));
            })
        .orElse(false);
  }

  Underlay underlay() {
    return underlay;
  }

  /** The node of this name; every node of the underlay has one. */
  Optional<NodeView> node(String name) {
    return Optional.ofNullable(nodes.get(name));
  }
}
