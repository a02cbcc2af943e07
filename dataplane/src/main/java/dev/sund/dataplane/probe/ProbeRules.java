package dev.sund.dataplane.probe;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.Expr.CtDirection;
import dev.sund.kernel.nft.Expr.CtKey;
import dev.sund.kernel.nft.Expr.MetaKey;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftChain.Hook;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.NftType;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Userdata;
import dev.sund.model.Family;
import dev.sund.model.Marks;
import dev.sund.model.Protocol;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The rules that mark packets for the kernel's tracing, and nothing else.
 *
 * @param asked which packets go there, looked at before all other rules
 * @param known which packets, also those on the way back, are of its connection
 * @param remembers whether the connections of {@code asked} must be kept in a set
 */
record ProbeRules(List<List<Expr>> asked, List<List<Expr>> known, boolean remembers) {
  /** Begins the names of the chains through which packets on their way there come first. */
  static final String ASKED = "asked";

  /** The chain through which packets leave the node. */
  static final String LEAVES = "leaves";

  /** The chain through which packets come to the node itself. */
  static final String ENTERS = "enters";

  /** Before connections are looked up (-200) and before others' raw rules (-300). */
  private static final int FIRST = -450;

  /** Behind the lookup of connections, before destinations are translated. */
  private static final int KNOWN = -150;

  /** Behind all others. */
  private static final int LAST = 1000;

  private static final String CONNECTIONS = "connections";
  private static final int MOST_CONNECTIONS = 64;
  private static final int NFPROTO_IPV4 = 2;
  private static final int NFPROTO_IPV6 = 10;
  private static final int SYN = 0x02;
  private static final int SYN_OR_ACK = 0x12;
  private static final int FLAGS_AT = 13;

  /** Where Linux writes the largest segment into its first packet: as the first of the options. */
  private static final int SEGMENT_AT = 20;

  private static final int SEGMENT_KIND = 2;
  private static final int SEGMENT_LENGTH = 4;
  private static final int TEXT_AT = 8;

  ProbeRules {
    asked = List.copyOf(asked);
    known = List.copyOf(known);
  }

  /** For one flow, known by its source and port. */
  static ProbeRules of(ProbeFlow flow) {
    List<Expr> asked = protocol(flow.family(), flow.protocol());
    boolean v4 = flow.family() == Family.V4;
    asked.add(new Expr.Payload(Reg.R1, Expr.Header.NETWORK, v4 ? 12 : 8, flow.family().bytes()));
    asked.add(equal(Bytes.of(flow.source())));
    asked.add(new Expr.Payload(Reg.R1, Expr.Header.TRANSPORT, 0, 2));
    asked.add(equal(Bytes.u16(flow.sourcePort())));
    Optional<CtDirection> original = Optional.of(CtDirection.ORIGINAL);
    List<Expr> known = protocol(flow.family(), flow.protocol());
    known.add(new Expr.Ct(v4 ? CtKey.SRC_IP : CtKey.SRC_IP6, original, Reg.R1));
    known.add(equal(Bytes.of(flow.source())));
    known.add(new Expr.Ct(CtKey.PROTO_SRC, original, Reg.R1));
    known.add(equal(Bytes.u16(flow.sourcePort())));
    return new ProbeRules(List.of(traced(asked)), List.of(traced(known)), false);
  }

  /** For probes of other nodes, known by their marks; and for the connections that they begin. */
  static ProbeRules of(List<WatchedPacket> packets) {
    List<List<Expr>> asked = new ArrayList<>();
    List<List<Expr>> known = new ArrayList<>();
    for (WatchedPacket kind :
        packets.stream()
            .map(one -> new WatchedPacket(one.family(), one.protocol(), List.of()))
            .collect(Collectors.toSet())) {
      asked.add(traced(marked(kind)));
      List<Expr> remembered = marked(kind);
      remembered.add(new Expr.Ct(CtKey.ID, Optional.empty(), Reg.R1));
      remembered.add(new Expr.Update(CONNECTIONS, Reg.R1, Optional.empty(), Optional.empty()));
      known.add(remembered);
    }
    List<Expr> again = new ArrayList<>();
    again.add(new Expr.Ct(CtKey.ID, Optional.empty(), Reg.R1));
    again.add(Expr.Lookup.in(CONNECTIONS, Reg.R1));
    known.add(traced(again));
    return new ProbeRules(asked, known, true);
  }

  private static List<Expr> marked(WatchedPacket kind) {
    List<Expr> expressions = protocol(kind.family(), kind.protocol());
    if (kind.protocol() == Protocol.TCP) {
      expressions.add(new Expr.Payload(Reg.R1, Expr.Header.TRANSPORT, FLAGS_AT, 1));
      expressions.add(new Expr.Bitwise(Reg.R1, Reg.R1, Bytes.of(SYN_OR_ACK), Bytes.of(0)));
      expressions.add(equal(Bytes.of(SYN)));
      expressions.add(new Expr.Payload(Reg.R1, Expr.Header.TRANSPORT, SEGMENT_AT, SEGMENT_LENGTH));
      expressions.add(
          equal(
              Bytes.of(
                  SEGMENT_KIND,
                  SEGMENT_LENGTH,
                  Marks.PROBE_SEGMENT >> 8,
                  Marks.PROBE_SEGMENT & 0xff)));
    } else {
      byte[] text = Marks.PROBE_TEXT.getBytes(StandardCharsets.US_ASCII);
      expressions.add(new Expr.Payload(Reg.R1, Expr.Header.TRANSPORT, TEXT_AT, text.length));
      expressions.add(equal(Bytes.of(text)));
    }
    return expressions;
  }

  private static List<Expr> protocol(Family family, Protocol protocol) {
    List<Expr> expressions = new ArrayList<>();
    expressions.add(new Expr.Meta(MetaKey.NFPROTO, Reg.R1));
    expressions.add(equal(Bytes.of(family == Family.V4 ? NFPROTO_IPV4 : NFPROTO_IPV6)));
    expressions.add(new Expr.Meta(MetaKey.L4PROTO, Reg.R1));
    expressions.add(equal(Bytes.of(protocol.number())));
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

  /** What makes a table of these rules. */
  List<NftOp> operations(NftTable table) {
    List<NftOp> operations = new ArrayList<>();
    operations.add(new NftOp.CreateTable(table));
    if (remembers) {
      NftSet set = NftSet.of(table, CONNECTIONS, NftType.MARK).withSize(MOST_CONNECTIONS);
      operations.add(new NftOp.CreateSet(set.withFlags(set.flags() | NftSet.EVAL)));
    }
    chain(operations, table, ASKED, Hook.PREROUTING, FIRST, asked);
    chain(operations, table, ASKED + "-here", Hook.OUTPUT, FIRST, asked);
    chain(operations, table, "known", Hook.PREROUTING, KNOWN, known);
    chain(operations, table, "known-here", Hook.OUTPUT, KNOWN, known);
    chain(operations, table, ENTERS, Hook.INPUT, LAST, List.of());
    chain(operations, table, LEAVES, Hook.POSTROUTING, LAST, List.of());
    return operations;
  }

  private static void chain(
      List<NftOp> operations,
      NftTable table,
      String name,
      Hook hook,
      int priority,
      List<List<Expr>> rules) {
    operations.add(new NftOp.CreateChain(NftChain.base(table, name, "filter", hook, priority)));
    for (List<Expr> rule : rules) {
      operations.add(
          new NftOp.AppendRule(
              new NftRule(table.family(), table.name(), name, 0, rule, Userdata.NONE)));
    }
  }
}
