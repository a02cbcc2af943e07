package dev.sund.dataplane.nft;

import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Action;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.NftType;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * {@code Frontends} and {@code Endpoints} as objects of nf_tables, as records: pure, printable, no
 * decisions. The package's essay shows the whole.
 *
 * <p>Chains, maps and rules are the same on every node, but for one small chain for each number of
 * endpoints in use; rows become elements, so that a change costs its elements, however many there
 * are.
 */
final class FrontendLowering {
  /** From a frontend's mark to the chain that chooses. */
  static final String DISPATCH = "dispatch";

  static final Ip LOOPBACK_V4 = Ip.parse("127.0.0.1");
  private static final Ip LOOPBACK_V6 = Ip.parse("::1");

  private static final NftTable TABLE = MasqueradeLowering.TABLE;
  private static final String REFUSE = "refuse";
  private static final int ICMPX_PORT_UNREACHABLE = 1;
  private static final int RTN_LOCAL = 2;
  private static final int FIB_DESTINATION = 2;
  private static final int LOOPBACK_NET = 127;

  /** Invalid, new or untracked: what is no packet of a connection that was let in. */
  private static final int NOT_ESTABLISHED = 0x1 | 0x8 | 0x40;

  private static final List<Protocol> PROTOCOLS =
      List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP);

  private static final NftChain PREROUTING =
      NftChain.base(TABLE, "prerouting", "nat", NftChain.Hook.PREROUTING, NftChain.PRIORITY_DSTNAT);
  private static final NftChain OUTPUT =
      NftChain.base(TABLE, "output", "nat", NftChain.Hook.OUTPUT, NftChain.PRIORITY_DSTNAT);
  private static final NftChain GUARD =
      NftChain.base(TABLE, "guard", "filter", NftChain.Hook.INPUT, NftChain.PRIORITY_FILTER);
  private static final NftChain DISPATCH_CHAIN = NftChain.regular(TABLE, DISPATCH);
  private static final NftChain REFUSE_CHAIN = NftChain.regular(TABLE, REFUSE);

  private FrontendLowering() {}

  // What is constant.

  /** The map of sources that cannot be answered as they are. */
  static String hairpin(Family family) {
    return "hairpin-" + family.label();
  }

  /** All maps. */
  static List<NftSet> sets() {
    List<NftSet> sets = new ArrayList<>();
    sets.add(
        NftSet.of(TABLE, DISPATCH, NftType.MARK)
            .to(NftType.VERDICT)
            .withComment("mark of a frontend : who chooses among so many endpoints"));
    for (FrontendGroup group : FrontendGroup.values()) {
      List<NftType.Field> key = group.key();
      sets.add(
          NftSet.of(TABLE, group.frontends(), key.toArray(NftType.Field[]::new))
              .to(NftType.of(NftType.MARK))
              .withComment("where something else answers : how many endpoints"));
      key.add(NftType.MARK);
      sets.add(
          NftSet.of(TABLE, group.endpoints(), key.toArray(NftType.Field[]::new))
              .to(NftType.of(group.address(), NftType.INET_SERVICE))
              .withComment("frontend . number of the endpoint : where it is"));
    }
    for (FrontendGroup group : List.of(FrontendGroup.V4, FrontendGroup.V6)) {
      sets.add(
          NftSet.of(TABLE, hairpin(group.family()), group.address(), group.address())
              .to(NftType.of(group.address()))
              .withComment("sources that could not be answered . endpoint : source instead"));
    }
    return sets;
  }

  /** All chains that are always there, but for the one that {@link MasqueradeLowering} has. */
  static List<NftChain> chains() {
    List<NftChain> chains = new ArrayList<>();
    for (FrontendGroup group : FrontendGroup.values()) {
      chains.add(NftChain.regular(TABLE, group.pick()));
    }
    chains.add(REFUSE_CHAIN);
    chains.add(DISPATCH_CHAIN);
    chains.add(PREROUTING);
    chains.add(OUTPUT);
    chains.add(GUARD);
    return chains;
  }

  /** The rules of these chains, and those behind the others in {@code postrouting}. */
  static List<NftRule> rules() {
    List<NftRule> rules = new ArrayList<>();
    for (FrontendGroup group : FrontendGroup.values()) {
      for (Protocol protocol : PROTOCOLS) {
        rules.add(pick(group, protocol));
      }
    }
    rules.add(
        NftRule.of(
            REFUSE_CHAIN,
            "nobody answers: the sender is told",
            List.of(new Expr.Reject(Expr.RejectType.ICMPX_UNREACH, ICMPX_PORT_UNREACHABLE))));
    rules.add(
        NftRule.of(
            DISPATCH_CHAIN,
            "by the number of endpoints",
            List.of(
                new Expr.Meta(Expr.MetaKey.MARK, Reg.R1),
                Expr.Lookup.map(DISPATCH, Reg.R1, Reg.VERDICT))));
    rules.add(
        NftRule.of(
            PREROUTING,
            "v4: loopback addresses are asked from the node alone",
            exprs(
                family(Family.V4),
                List.of(
                    new Expr.Payload(Reg.R1, Expr.Header.NETWORK, 16, 1),
                    new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(LOOPBACK_NET)),
                    Expr.Immediate.verdict(Verdict.ACCEPT)))));
    rules.add(
        NftRule.of(
            OUTPUT,
            "v6: packets of the loopback cannot leave the node",
            exprs(
                family(Family.V6),
                List.of(
                    new Expr.Payload(Reg.R1, Expr.Header.NETWORK, 24, 16),
                    new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(LOOPBACK_V6)),
                    Expr.Immediate.verdict(Verdict.ACCEPT)))));
    for (FrontendGroup group : FrontendGroup.values()) {
      rules.add(meet(PREROUTING, group));
      rules.add(meet(OUTPUT, group));
    }
    rules.addAll(guards());
    rules.add(answerable(Family.V4));
    rules.add(answerable(Family.V6));
    rules.add(always());
    return rules;
  }

  /** A packet that meets a frontend gets its mark. */
  private static NftRule meet(NftChain chain, FrontendGroup group) {
    List<Expr> expressions = new ArrayList<>(family(group.family()));
    if (group.isNode()) {
      expressions.add(new Expr.Fib(Reg.R1, Expr.FibResult.ADDRTYPE, FIB_DESTINATION));
      expressions.add(new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.host32(RTN_LOCAL)));
    }
    expressions.addAll(key(group));
    expressions.add(Expr.Lookup.map(group.frontends(), Reg.R1, Reg.R1));
    expressions.add(new Expr.MetaSet(Expr.MetaKey.MARK, Reg.R1));
    expressions.add(Expr.Immediate.verdict(new Verdict.Goto(DISPATCH)));
    String where = group.isNode() ? "an address of the node" : "one address";
    return NftRule.of(
        chain, group.family().label() + ": something else answers at " + where, expressions);
  }

  private static NftRule pick(FrontendGroup group, Protocol protocol) {
    // In the order in which nft puts them, so that what it lists and loads again is the same.
    List<Expr> expressions = new ArrayList<>(family(group.family()));
    expressions.addAll(protocol(protocol));
    expressions.addAll(key(group));
    expressions.add(
        new Expr.Meta(Expr.MetaKey.MARK, FrontendGroup.register(group.addressBytes() + 8)));
    expressions.add(Expr.Lookup.map(group.endpoints(), Reg.R1, Reg.R1));
    expressions.add(
        new Expr.Nat(
            true,
            group.nat(),
            Optional.of(Reg.R1),
            Optional.empty(),
            Optional.of(FrontendGroup.register(group.family().bytes())),
            Optional.empty(),
            0));
    return NftRule.of(
        NftChain.regular(TABLE, group.pick()),
        protocol.label() + ": to the chosen endpoint",
        expressions);
  }

  /** Loads {@code [address .] protocol . port} from the first register on. */
  private static List<Expr> key(FrontendGroup group) {
    List<Expr> expressions = new ArrayList<>();
    int at = group.addressBytes();
    if (!group.isNode()) {
      expressions.add(
          new Expr.Payload(Reg.R1, Expr.Header.NETWORK, group.family() == Family.V4 ? 16 : 24, at));
    }
    expressions.add(new Expr.Meta(Expr.MetaKey.L4PROTO, FrontendGroup.register(at)));
    expressions.add(new Expr.Payload(FrontendGroup.register(at + 4), Expr.Header.TRANSPORT, 2, 2));
    return expressions;
  }

  private static List<Expr> family(Family family) {
    return List.of(
        new Expr.Meta(Expr.MetaKey.NFPROTO, Reg.R1),
        new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(family == Family.V4 ? 2 : 10)));
  }

  private static List<Expr> protocol(Protocol protocol) {
    return List.of(
        new Expr.Meta(Expr.MetaKey.L4PROTO, Reg.R1),
        new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(protocol.number())));
  }

  /**
   * Devices of pods with a port at 127.0.0.1, and bridges with such containers, let loopback
   * addresses pass ({@code route_localnet}): so that none of them asks the node's own loopback
   * services, or speaks as one (CVE-2020-8558).
   */
  private static List<NftRule> guards() {
    List<NftRule> rules = new ArrayList<>(guards("pod", Marks.GROUP_PODS));
    rules.addAll(guards("container on a bridge", Marks.GROUP_BRIDGES));
    return rules;
  }

  private static List<NftRule> guards(String who, int group) {
    List<Expr> fromPods =
        List.of(
            new Expr.Meta(Expr.MetaKey.IIFGROUP, Reg.R1),
            new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.host32(group)));
    Expr loopback = new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(LOOPBACK_NET));
    return List.of(
        NftRule.of(
            GUARD,
            "no " + who + " speaks as the node's loopback",
            exprs(
                fromPods,
                family(Family.V4),
                List.of(
                    new Expr.Payload(Reg.R1, Expr.Header.NETWORK, 12, 1),
                    loopback,
                    Expr.Counter.atZero(),
                    Expr.Immediate.verdict(Verdict.DROP)))),
        NftRule.of(
            GUARD,
            "no " + who + " asks the node's loopback",
            exprs(
                fromPods,
                family(Family.V4),
                List.of(
                    new Expr.Payload(Reg.R1, Expr.Header.NETWORK, 16, 1),
                    loopback,
                    new Expr.Ct(Expr.CtKey.STATE, Optional.empty(), Reg.R1),
                    new Expr.Bitwise(
                        Reg.R1, Reg.R1, Bytes.host32(NOT_ESTABLISHED), Bytes.host32(0)),
                    new Expr.Cmp(Reg.R1, Expr.Op.NEQ, Bytes.host32(0)),
                    Expr.Counter.atZero(),
                    Expr.Immediate.verdict(Verdict.DROP)))));
  }

  /** The rule that gives a source to packets that could not be answered with their own. */
  static NftRule answerable(Family family) {
    boolean v4 = family == Family.V4;
    return NftRule.of(
        MasqueradeLowering.CHAIN,
        family.label() + ": an endpoint that asks itself, or the loopback, is seen as the node",
        exprs(
            family(family),
            List.of(
                new Expr.Payload(Reg.R1, Expr.Header.NETWORK, v4 ? 12 : 8, family.bytes()),
                new Expr.Payload(
                    FrontendGroup.register(family.bytes()),
                    Expr.Header.NETWORK,
                    v4 ? 16 : 24,
                    family.bytes()),
                Expr.Lookup.map(hairpin(family), Reg.R1, Reg.R1),
                new Expr.Nat(
                    false,
                    (v4 ? FrontendGroup.V4 : FrontendGroup.V6).nat(),
                    Optional.of(Reg.R1),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    0))));
  }

  /** The rule that translates every source behind the frontends that say so. */
  static NftRule always() {
    return NftRule.of(
        MasqueradeLowering.CHAIN,
        "frontends whose answers must come back by this node",
        List.of(
            new Expr.Meta(Expr.MetaKey.MARK, Reg.R1),
            new Expr.Bitwise(
                Reg.R1,
                Reg.R1,
                Bytes.host32(Marks.FRONTEND_MARK_MASK | FrontendGroup.ALWAYS),
                Bytes.host32(0)),
            new Expr.Cmp(
                Reg.R1, Expr.Op.EQ, Bytes.host32(Marks.FRONTEND_MARK | FrontendGroup.ALWAYS)),
            Expr.Counter.atZero(),
            new Expr.Masquerade(Expr.NAT_FULLY_RANDOM, Optional.empty(), Optional.empty())));
  }

  // The chains that depend on rows: one for each number of endpoints in use.

  /** The chain that an element of {@link #DISPATCH} leads to, when it is one of its own. */
  static Optional<NftChain> chooser(RangeKey key) {
    if (!key.set().equals(DISPATCH)) {
      return Optional.empty();
    }
    int mark = FrontendKeys.host(key.low());
    return FrontendGroup.action(mark) instanceof Action.Balance
        ? FrontendGroup.ofMark(mark)
            .map(group -> NftChain.regular(TABLE, FrontendGroup.chooser(group, mark)))
        : Optional.empty();
  }

  /**
   * The rules of such a chain. UDP chooses by who asks, so that packets of one socket go to one
   * endpoint before there is a connection to remember it; the others by chance.
   */
  static List<NftRule> chooserRules(RangeKey key) {
    int mark = FrontendKeys.host(key.low());
    Optional<NftChain> chain = chooser(key);
    Optional<FrontendGroup> found = FrontendGroup.ofMark(mark);
    if (chain.isEmpty() || found.isEmpty()) {
      return List.of();
    }
    FrontendGroup group = found.get();
    int number = FrontendGroup.slot(mark);
    long first = Integer.toUnsignedLong(group.slotMark(FrontendGroup.masquerade(mark), 0));
    int bytes = group.family().bytes();
    List<Expr> then =
        List.of(
            new Expr.MetaSet(Expr.MetaKey.MARK, Reg.R1),
            Expr.Immediate.verdict(new Verdict.Goto(group.pick())));
    return List.of(
        NftRule.of(
            chain.get(),
            "udp: by who asks",
            exprs(
                family(group.family()),
                protocol(Protocol.UDP),
                List.of(
                    new Expr.Payload(
                        Reg.R2, Expr.Header.NETWORK, group.family() == Family.V4 ? 12 : 8, bytes),
                    new Expr.Payload(
                        FrontendGroup.register(16 + bytes), Expr.Header.TRANSPORT, 0, 2),
                    new Expr.Hash(
                        Optional.of(Reg.R2),
                        Reg.R1,
                        bytes + 4,
                        number,
                        Optional.empty(),
                        first,
                        false)),
                then)),
        NftRule.of(
            chain.get(),
            "others: by chance",
            exprs(List.of(new Expr.Numgen(Reg.R1, number, true, first)), then)));
  }

  // Rows.

  /** What a frontend becomes, and what leads on from it. */
  static NavigableMap<RangeKey, Entry> entries(Frontend frontend) {
    FrontendGroup group = FrontendGroup.of(frontend.key().place());
    int mark = FrontendGroup.mark(frontend);
    NavigableMap<RangeKey, Entry> entries = new TreeMap<>();
    entries.put(
        RangeKey.single(group.frontends(), FrontendKeys.frontend(frontend.key())),
        Entry.of(MasqueradeLowering.comment(frontend.rule()), FrontendKeys.mark(mark)));
    RangeKey dispatch = RangeKey.single(DISPATCH, Bytes.host32(mark));
    entries.put(dispatch, dispatch(frontend.inside().action(), dispatch));
    return entries;
  }

  /** The element that leads a frontend's mark on. */
  static Entry dispatch(Action action, RangeKey key) {
    return switch (action) {
      case Action.Balance(int endpoints) ->
          Entry.of(
              endpoints == 1 ? "1 endpoint" : endpoints + " endpoints",
              new Data.To(new Verdict.Goto(chooser(key).orElseThrow().name())));
      case Action.Reject() -> Entry.of("nobody answers", new Data.To(new Verdict.Goto(REFUSE)));
      case Action.Drop() -> Entry.of("nobody here answers", new Data.To(Verdict.DROP));
    };
  }

  /**
   * What an endpoint becomes.
   *
   * @param masquerade the class of its frontend, which is part of the mark that names it
   */
  static NavigableMap<RangeKey, Entry> entries(Endpoint endpoint, MasqueradeClass masquerade) {
    Frontend.Key frontend = endpoint.key().frontend();
    FrontendGroup group = FrontendGroup.of(frontend.place());
    String comment = MasqueradeLowering.comment(endpoint.rule());
    NavigableMap<RangeKey, Entry> entries = new TreeMap<>();
    Bytes key =
        FrontendKeys.frontend(frontend)
            .plus(Bytes.host32(group.slotMark(masquerade, endpoint.key().slot())));
    entries.put(
        RangeKey.single(group.endpoints(), key),
        Entry.of(comment, FrontendKeys.address(endpoint.address(), endpoint.port())));
    endpoint
        .lent()
        .ifPresent(lent -> {
          Entry value = Entry.of(comment, new Data.Value(Bytes.of(lent)));
          for (Ip source : unanswerable(endpoint.address())) {
            entries.put(hairpinKey(source, endpoint.address()), value);
          }
        });
    return entries;
  }

  /** The sources whose answers an endpoint could not send by the node. */
  static List<Ip> unanswerable(Ip endpoint) {
    return endpoint.family() == Family.V4 ? List.of(endpoint, LOOPBACK_V4) : List.of(endpoint);
  }

  static RangeKey hairpinKey(Ip source, Ip endpoint) {
    return RangeKey.single(hairpin(endpoint.family()), Bytes.of(source).plus(Bytes.of(endpoint)));
  }

  @SafeVarargs
  private static List<Expr> exprs(List<Expr>... parts) {
    List<Expr> all = new ArrayList<>();
    for (List<Expr> part : parts) {
      all.addAll(part);
    }
    return all;
  }
}
