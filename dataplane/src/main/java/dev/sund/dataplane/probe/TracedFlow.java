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
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.Expr.CtDirection;
import dev.sund.kernel.nft.Expr.CtKey;
import dev.sund.kernel.nft.Expr.MetaKey;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftChain.Hook;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.NftTraceMonitor;
import dev.sund.kernel.nft.NftTraced;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Userdata;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import java.util.ArrayList;
import java.util.Arrays;
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
  /** Before connections are looked up (-200) and before others' raw rules (-300). */
  private static final int FIRST = -450;

  /** Behind the lookup of connections, before destinations are translated. */
  private static final int KNOWN = -150;

  /** Behind all others. */
  private static final int LAST = 1000;

  private static final String ASKED = "asked";
  private static final String LEAVES = "leaves";
  private static final String ENTERS = "enters";
  private static final int NFPROTO_IPV4 = 2;
  private static final int NFPROTO_IPV6 = 10;
  private static final int LONGEST_TEXT = 100;

  private final ProbeFlow flow;
  private final NetNs node;
  private final NftSocket nft;
  private final NftTraceMonitor monitor;
  private final List<NftTraced> told = new ArrayList<>();

  private TracedFlow(ProbeFlow flow, NetNs node, NftSocket nft, NftTraceMonitor monitor) {
    this.flow = flow;
    this.node = node;
    this.nft = nft;
    this.monitor = monitor;
  }

  /** Follows a flow from now on. */
  static TracedFlow open(NetNs node, ProbeFlow flow) throws KernelException {
    NftSocket nft = NftSocket.open(node);
    try {
      NftTraceMonitor monitor = NftTraceMonitor.open(node);
      TracedFlow traced = new TracedFlow(flow, node, nft, monitor);
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
      nft.commit(operations(owned)).orThrow();
    } catch (KernelException.Unsupported | KernelException.Refused _) {
      nft.commit(operations(plain)).orThrow(); // Linux before 5.12
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

  private List<NftOp> operations(NftTable table) {
    List<NftOp> operations = new ArrayList<>();
    operations.add(new NftOp.CreateTable(table));
    rule(operations, table, ASKED, Hook.PREROUTING, FIRST, asked());
    rule(operations, table, ASKED + "-here", Hook.OUTPUT, FIRST, asked());
    rule(operations, table, "known", Hook.PREROUTING, KNOWN, known());
    rule(operations, table, "known-here", Hook.OUTPUT, KNOWN, known());
    rule(operations, table, ENTERS, Hook.INPUT, LAST, List.of());
    rule(operations, table, LEAVES, Hook.POSTROUTING, LAST, List.of());
    return operations;
  }

  private static void rule(
      List<NftOp> operations,
      NftTable table,
      String name,
      Hook hook,
      int priority,
      List<Expr> expressions) {
    NftChain chain = NftChain.base(table, name, "filter", hook, priority);
    operations.add(new NftOp.CreateChain(chain));
    if (!expressions.isEmpty()) {
      operations.add(
          new NftOp.AppendRule(
              new NftRule(table.family(), table.name(), name, 0, expressions, Userdata.NONE)));
    }
  }

  /** The sender's packets, as they come from it. */
  private List<Expr> asked() {
    List<Expr> expressions = ofProtocol();
    boolean v4 = flow.family() == Family.V4;
    expressions.add(
        new Expr.Payload(Reg.R1, Expr.Header.NETWORK, v4 ? 12 : 8, flow.family().bytes()));
    expressions.add(equal(Bytes.of(flow.source())));
    expressions.add(new Expr.Payload(Reg.R1, Expr.Header.TRANSPORT, 0, 2));
    expressions.add(equal(Bytes.u16(flow.sourcePort())));
    return traced(expressions);
  }

  /** Packets of its connection, in both directions. */
  private List<Expr> known() {
    Optional<CtDirection> original = Optional.of(CtDirection.ORIGINAL);
    List<Expr> expressions = ofProtocol();
    boolean v4 = flow.family() == Family.V4;
    expressions.add(new Expr.Ct(v4 ? CtKey.SRC_IP : CtKey.SRC_IP6, original, Reg.R1));
    expressions.add(equal(Bytes.of(flow.source())));
    expressions.add(new Expr.Ct(CtKey.PROTO_SRC, original, Reg.R1));
    expressions.add(equal(Bytes.u16(flow.sourcePort())));
    return traced(expressions);
  }

  private List<Expr> ofProtocol() {
    List<Expr> expressions = new ArrayList<>();
    expressions.add(new Expr.Meta(MetaKey.NFPROTO, Reg.R1));
    expressions.add(equal(Bytes.of(flow.family() == Family.V4 ? NFPROTO_IPV4 : NFPROTO_IPV6)));
    expressions.add(new Expr.Meta(MetaKey.L4PROTO, Reg.R1));
    expressions.add(equal(Bytes.of(flow.protocol().number())));
    return expressions;
  }

  private static Expr equal(Bytes value) {
    return new Expr.Cmp(Reg.R1, Expr.Op.EQ, value);
  }

  private static List<Expr> traced(List<Expr> expressions) {
    expressions.add(Expr.Immediate.load(Reg.R1, Bytes.of(1)));
    expressions.add(new Expr.MetaSet(MetaKey.NFTRACE, Reg.R1));
    return expressions;
  }

  /** Takes what the kernel has told until now. */
  void poll() throws KernelException {
    boolean more = true;
    while (more) {
      more = monitor.poll(told::add);
    }
  }

  /** Whether a rule has dropped the sender's packet. */
  boolean isDropped() {
    return told.stream().anyMatch(NftTraced::isDrop);
  }

  private static boolean isOurs(NftTraced one, String chain) {
    return one.table().equals(Marks.PROBE_TABLE) && one.chain().equals(chain);
  }

  /** What the kernel has told, put together. */
  ProbeFinding finding(ProbeFinding.Answer answer) throws KernelException {
    Map<Integer, List<NftTraced>> packets = new LinkedHashMap<>();
    told.forEach(one -> packets.computeIfAbsent(one.packet(), _ -> new ArrayList<>()).add(one));
    List<NftTraced> there = List.of();
    List<NftTraced> back = List.of();
    for (List<NftTraced> packet : packets.values()) {
      NftTraced first = packet.getFirst();
      boolean asks = first.table().equals(Marks.PROBE_TABLE) && first.chain().startsWith(ASKED);
      if (asks && there.isEmpty()) {
        there = packet;
      } else if (!asks && back.isEmpty()) {
        back = packet;
      }
    }
    Map<Integer, String> devices = devices();
    Map<String, List<NftRule>> rules = new HashMap<>();
    List<Step> thereSteps = steps(there, devices, rules);
    return new ProbeFinding(
        flow, answer, thereSteps, steps(back, devices, rules), end(there, thereSteps, devices));
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
      if (one.headers().isPresent() && (isOurs(one, LEAVES) || isOurs(one, ENTERS))) {
        NftTraced.Headers headers = one.headers().get();
        byte[] network = headers.network().toArray();
        byte[] transport = headers.transport().toArray();
        int bytes = flow.family().bytes();
        int at = flow.family() == Family.V4 ? 12 : 8;
        Ip source = Ip.of(Arrays.copyOfRange(network, at, at + bytes));
        Ip destination = Ip.of(Arrays.copyOfRange(network, at + bytes, at + 2 * bytes));
        int port = transport.length < 4 ? 0 : (transport[2] & 0xff) << 8 | (transport[3] & 0xff);
        return one.chain().equals(ENTERS)
            ? new TakenIn(source, destination, port)
            : new Left(
                devices.getOrDefault(headers.out(), "device " + headers.out()),
                source,
                destination,
                port);
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
