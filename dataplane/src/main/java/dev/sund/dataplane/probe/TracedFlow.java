package dev.sund.dataplane.probe;

import dev.sund.dataplane.probe.ProbeFinding.Dropped;
import dev.sund.dataplane.probe.ProbeFinding.End;
import dev.sund.dataplane.probe.ProbeFinding.Left;
import dev.sund.dataplane.probe.ProbeFinding.Lost;
import dev.sund.dataplane.probe.ProbeFinding.NotSeen;
import dev.sund.dataplane.probe.ProbeFinding.Step;
import dev.sund.dataplane.probe.ProbeFinding.TakenIn;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.NftTraceMonitor;
import dev.sund.kernel.nft.NftTraced;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Marks;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Follows the packets of one flow through the rules of one node. From {@link #open} to {@link
 * #close} a table {@link Marks#PROBE_TABLE} marks them for the kernel's tracing and does nothing
 * else; it belongs to a socket of this object, so that the kernel removes it however the process
 * ends. Before Linux 5.12 it stays behind a killed process, marks packets of a flow that is over,
 * and goes with the next probe or by {@code sund cleanup}. One thread.
 */
final class TracedFlow implements AutoCloseable {
  private static final int LONGEST_TEXT = 100;

  /** No probe has so many steps: what comes beyond is not kept. */
  private static final int MOST_TOLD = 8192;

  private final ProbeRules rules;
  private final NetNs node;
  private final NftSocket nft;
  private final NftTraceMonitor monitor;
  private final List<NftTraced> told = new ArrayList<>();

  private TracedFlow(ProbeRules rules, NetNs node, NftSocket nft, NftTraceMonitor monitor) {
    this.rules = rules;
    this.node = node;
    this.nft = nft;
    this.monitor = monitor;
  }

  /** Follows the packets that these rules mark, from now on. */
  static TracedFlow open(NetNs node, ProbeRules rules) throws KernelException {
    NftSocket nft = NftSocket.open(node);
    try {
      NftTraceMonitor monitor = NftTraceMonitor.open(node);
      TracedFlow traced = new TracedFlow(rules, node, nft, monitor);
      try {
        traced.makeTable();
        return traced;
      } catch (KernelException | RuntimeException e) {
        monitor.close();
        throw e;
      }
    } catch (KernelException | RuntimeException e) {
      nft.close();
      throw e;
    }
  }

  private void makeTable() throws KernelException {
    removeLeft(nft);
    NftTable plain = NftTable.of(NftFamily.INET, Marks.PROBE_TABLE, Marks.TABLE_COMMENT);
    NftTable owned = new NftTable(plain.family(), plain.name(), NftTable.OWNER, plain.userdata());
    try {
      nft.commit(rules.operations(owned)).orThrow();
    } catch (KernelException.Unsupported | KernelException.Refused _) {
      nft.commit(rules.operations(plain)).orThrow(); // Linux before 5.12
    }
  }

  /**
   * Removes what a probe left behind whose process was killed, where the kernel did not.
   *
   * @return whether there was such a table
   */
  static boolean removeLeft(NftSocket nft) throws KernelException {
    if (!isLeft(nft)) {
      return false;
    }
    nft.commit(List.of(new NftOp.DeleteTable(NftFamily.INET, Marks.PROBE_TABLE))).orThrow();
    return true;
  }

  /** Whether there is such a table. */
  static boolean isLeft(NftSocket nft) throws KernelException {
    return nft.table(NftFamily.INET, Marks.PROBE_TABLE)
        .filter(table -> table.comment().equals(Marks.TABLE_COMMENT))
        .isPresent();
  }

  /** Takes what the kernel has told until now. */
  void poll() throws KernelException {
    boolean more = true;
    while (more) {
      more = monitor.poll(this::keep);
    }
  }

  private void keep(NftTraced one) {
    if (told.size() < MOST_TOLD) {
      told.add(one);
    }
  }

  /** How much the kernel has told. */
  int told() {
    return told.size();
  }

  /** Whether a rule has dropped the sender's packet. */
  boolean isDropped() {
    return told.stream().anyMatch(NftTraced::isDrop);
  }

  private static boolean isOurs(NftTraced one, String chain) {
    return one.table().equals(Marks.PROBE_TABLE) && one.chain().equals(chain);
  }

  /** What the kernel has told of a flow that was sent from here, put together. */
  ProbeFinding finding(ProbeFlow flow, ProbeFinding.Answer answer) throws KernelException {
    List<NftTraced> there = List.of();
    List<NftTraced> back = List.of();
    for (List<NftTraced> packet : packets()) {
      if (isAsked(packet) && there.isEmpty()) {
        there = packet;
      } else if (!isAsked(packet) && back.isEmpty()) {
        back = packet;
      }
    }
    return finding(flow, answer, there, back);
  }

  /** What the kernel has told of a probe that came from elsewhere; empty before it came. */
  Optional<ProbeFinding> finding(WatchedPacket wanted) throws KernelException {
    List<NftTraced> there = List.of();
    Optional<ProbeFlow> flow = Optional.empty();
    for (List<NftTraced> packet : packets()) {
      Optional<ProbeFlow> its = isAsked(packet) ? flow(packet.getFirst()) : Optional.empty();
      boolean isKind =
          its.isPresent()
              && its.get().protocol() == wanted.protocol()
              && its.get().family() == wanted.family();
      boolean better =
          flow.isEmpty()
              || (isKind
                  && !wanted.destinations().contains(flow.get().destination())
                  && wanted.destinations().contains(its.get().destination()));
      if (isKind && better) {
        there = packet;
        flow = its;
      }
    }
    if (flow.isEmpty()) {
      return Optional.empty();
    }
    List<NftTraced> back = List.of();
    for (List<NftTraced> packet : packets()) {
      if (!isAsked(packet) && back.isEmpty() && answers(packet.getFirst(), flow.get(), there)) {
        back = packet;
      }
    }
    return Optional.of(finding(flow.get(), ProbeFinding.Answer.ELSEWHERE, there, back));
  }

  private Collection<List<NftTraced>> packets() {
    Map<Integer, List<NftTraced>> packets = new LinkedHashMap<>();
    told.forEach(one -> packets.computeIfAbsent(one.packet(), _ -> new ArrayList<>()).add(one));
    return packets.values();
  }

  private static boolean isAsked(List<NftTraced> packet) {
    NftTraced first = packet.getFirst();
    return first.table().equals(Marks.PROBE_TABLE) && first.chain().startsWith(ProbeRules.ASKED);
  }

  private static Optional<ProbeFlow> flow(NftTraced first) {
    return first.headers().flatMap(PacketHeaders::of).map(PacketHeaders::flow);
  }

  /** Whether a packet goes to the probe's sender from where the probe went in the end. */
  private static boolean answers(NftTraced first, ProbeFlow flow, List<NftTraced> there) {
    Optional<PacketHeaders> last = Optional.empty();
    for (NftTraced one : there) {
      Optional<PacketHeaders> its = one.headers().flatMap(PacketHeaders::of);
      last = its.isPresent() ? its : last;
    }
    Optional<PacketHeaders> back = first.headers().flatMap(PacketHeaders::of);
    return back.isPresent()
        && last.isPresent()
        && back.get().protocol() == flow.protocol()
        && back.get().source().equals(last.get().destination())
        && back.get().destination().equals(last.get().source());
  }

  private ProbeFinding finding(
      ProbeFlow flow, ProbeFinding.Answer answer, List<NftTraced> there, List<NftTraced> back)
      throws KernelException {
    Map<Integer, String> devices = devices();
    Map<String, List<NftRule>> rulesOf = new HashMap<>();
    List<Step> steps = steps(there, devices, rulesOf);
    return new ProbeFinding(
        flow, answer, steps, steps(back, devices, rulesOf), end(there, steps, devices));
  }

  private Map<Integer, String> devices() throws KernelException {
    Map<Integer, String> devices = new HashMap<>();
    try (RouteSocket routes = RouteSocket.open(node)) {
      for (Link link : routes.links()) {
        devices.put(link.index(), link.name());
      }
    }
    return devices;
  }

  private List<Step> steps(
      List<NftTraced> packet, Map<Integer, String> devices, Map<String, List<NftRule>> rules)
      throws KernelException {
    List<Step> steps = new ArrayList<>();
    String device = "";
    for (NftTraced one : packet) {
      if (one.headers().isPresent()) {
        NftTraced.Headers headers = one.headers().get();
        device = devices.getOrDefault(headers.out() != 0 ? headers.out() : headers.in(), device);
      }
      boolean silent = (one.type() != NftTraced.Type.RULE || one.rule() == 0) && !one.isDrop();
      if (!silent && !one.table().equals(Marks.PROBE_TABLE)) {
        steps.add(
            new Step(
                device,
                one.family() + " " + one.table(),
                one.chain(),
                one.rule(),
                text(one, rules),
                one.verdict().toString(),
                one.isDrop()));
      }
    }
    return steps;
  }

  private String text(NftTraced one, Map<String, List<NftRule>> rules) throws KernelException {
    if (one.rule() == 0) {
      return one.type() == NftTraced.Type.POLICY ? "the chain's policy" : "";
    }
    String table = one.family() + " " + one.table();
    List<NftRule> known = rules.get(table);
    if (known == null) {
      try {
        known = nft.rules(one.family(), one.table());
      } catch (KernelException.NotFound _) {
        known = List.of();
      }
      rules.put(table, known);
    }
    return known.stream()
        .filter(rule -> rule.handle() == one.rule() && rule.chain().equals(one.chain()))
        .map(rule -> rule.comment().isEmpty() ? rule.toString() : rule.comment())
        .map(text -> text.length() > LONGEST_TEXT ? text.substring(0, LONGEST_TEXT) + "..." : text)
        .findFirst()
        .orElse("");
  }

  private End end(List<NftTraced> packet, List<Step> steps, Map<Integer, String> devices) {
    if (packet.isEmpty()) {
      return new NotSeen();
    }
    Optional<Step> dropped = steps.stream().filter(Step::drops).findFirst();
    if (dropped.isPresent()) {
      return new Dropped(dropped.get());
    }
    for (NftTraced one : packet) {
      Optional<PacketHeaders> headers = one.headers().flatMap(PacketHeaders::of);
      boolean enters = isOurs(one, ProbeRules.ENTERS);
      if (headers.isPresent() && (enters || isOurs(one, ProbeRules.LEAVES))) {
        PacketHeaders its = headers.get();
        return enters
            ? new TakenIn(its.source(), its.destination(), its.destinationPort())
            : new Left(
                devices.getOrDefault(its.out(), "device " + its.out()),
                its.source(),
                its.destination(),
                its.destinationPort());
      }
    }
    return new Lost();
  }

  @Override
  public void close() throws KernelException {
    try {
      removeLeft(nft);
    } finally {
      monitor.close();
      nft.close();
    }
  }
}
