package dev.sund.dataplane.nft;

import static dev.sund.dataplane.nft.PacketFields.family;
import static dev.sund.dataplane.nft.PacketFields.fib;
import static dev.sund.dataplane.nft.PacketFields.frontend;
import static dev.sund.dataplane.nft.PacketFields.join;
import static dev.sund.dataplane.nft.PacketFields.mark;
import static dev.sund.dataplane.nft.PacketFields.protocol;

import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.SourceRange;
import dev.sund.kernel.nft.Bytes;
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
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * {@code Frontends}, {@code SourceRanges} and {@code Endpoints} as objects of nf_tables, as
 * records: pure, printable, no decisions. The package's essay shows the whole.
 *
 * <p>Chains, maps and rules are the same on every node, but for one small chain for each number of
 * endpoints in use ({@link ChooserLowering}) and a set for each time and each length of ranges in
 * use ({@link TablePart}); rows become elements, so that a change costs its elements, however many
 * there are.
 */
final class FrontendLowering {
  /** From a frontend's mark to the chain that chooses. */
  static final String ANSWERS = "answers";

  /** The same for those outside, where they get another answer. */
  static final String ANSWERS_OUTSIDE = "answers-outside";

  static final String REFUSE = "refuse";

  /** IPS_DST_NAT: the connection's destination was translated. */
  private static final int IPS_DST_NAT = 1 << 5;

  static final String DISPATCH_OUTSIDE = "dispatch-outside";
  static final int LOOPBACK_NET = 127;
  static final Ip LOOPBACK_V4 = Ip.parse("127.0.0.1");

  private static final Ip LOOPBACK_V6 = Ip.parse("::1");
  private static final NftTable TABLE = MasqueradeLowering.TABLE;
  private static final String DISPATCH = "dispatch";
  private static final int ICMPX_PORT_UNREACHABLE = 1;

  /** Invalid, new or untracked: what is no packet of a connection that was let in. */
  private static final int NOT_ESTABLISHED = 0x1 | 0x8 | 0x40;

  private static final List<Protocol> PROTOCOLS =
      List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP);

  private static final NftChain PREROUTING =
      NftChain.base(TABLE, "prerouting", "nat", NftChain.Hook.PREROUTING, NftChain.PRIORITY_DSTNAT);
  private static final NftChain OUTPUT =
      NftChain.base(TABLE, "output", "nat", NftChain.Hook.OUTPUT, NftChain.PRIORITY_DSTNAT);
  private static final NftChain DELIVERED =
      NftChain.base(TABLE, "delivered", "nat", NftChain.Hook.INPUT, NftChain.PRIORITY_SRCNAT);
  private static final NftChain GUARD =
      NftChain.base(TABLE, "guard", "filter", NftChain.Hook.INPUT, NftChain.PRIORITY_FILTER);
  private static final NftChain DISPATCH_CHAIN = NftChain.regular(TABLE, DISPATCH);
  private static final NftChain DISPATCH_OUTSIDE_CHAIN = NftChain.regular(TABLE, DISPATCH_OUTSIDE);
  private static final NftChain REFUSE_CHAIN = NftChain.regular(TABLE, REFUSE);

  /** The chain that gives an address of the node as source to what reaches its end. */
  static final NftChain HIDE = NftChain.regular(TABLE, "hide");

  private FrontendLowering() {}

  // What is constant.

  /** The map of sources that cannot be answered as they are. */
  static String hairpin(Family family) {
    return family == Family.V4 ? "hairpin-v4" : "hairpin-v6";
  }

  /** The map of the sources that are lent to those who ask an endpoint on this node. */
  static String lent(Family family) {
    return family == Family.V4 ? "lent-v4" : "lent-v6";
  }

  /** All maps that are always there. */
  static List<NftSet> sets() {
    List<NftSet> sets = new ArrayList<>();
    sets.add(
        NftSet.of(TABLE, ANSWERS, NftType.MARK)
            .to(NftType.VERDICT)
            .withComment("mark of a frontend : who chooses among so many endpoints"));
    sets.add(
        NftSet.of(TABLE, ANSWERS_OUTSIDE, NftType.MARK)
            .to(NftType.VERDICT)
            .withComment("the same for those outside"));
    for (Family family : Family.values()) {
      sets.add(TablePart.clientsMap(family));
    }
    for (FrontendGroup group : FrontendGroup.values()) {
      List<NftType.Field> key = group.key();
      sets.add(
          NftSet.of(TABLE, group.frontends(), key.toArray(NftType.Field[]::new))
              .to(NftType.of(NftType.MARK))
              .withComment("where something else answers : how many endpoints"));
      sets.add(
          NftSet.of(TABLE, group.externals(), key.toArray(NftType.Field[]::new))
              .to(NftType.of(NftType.MARK))
              .withComment("where those outside get another answer : how many endpoints"));
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
      sets.add(
          NftSet.of(TABLE, lent(group.family()), group.address())
              .to(NftType.of(group.address()))
              .withComment("endpoint on this node : source of those whose own is hidden"));
    }
    return sets;
  }

  /** All chains that are always there, but for the one that {@link MasqueradeLowering} has. */
  static List<NftChain> chains() {
    List<NftChain> chains = new ArrayList<>(TablePart.chains());
    for (FrontendGroup group : FrontendGroup.values()) {
      chains.add(NftChain.regular(TABLE, group.pick()));
      chains.add(NftChain.regular(TABLE, group.kept()));
    }
    chains.add(REFUSE_CHAIN);
    chains.add(DISPATCH_CHAIN);
    chains.add(DISPATCH_OUTSIDE_CHAIN);
    chains.add(HIDE);
    chains.add(PREROUTING);
    chains.add(OUTPUT);
    chains.add(DELIVERED);
    chains.add(GUARD);
    return chains;
  }

  /** The rules of these chains. */
  static List<NftRule> rules() {
    List<NftRule> rules = new ArrayList<>();
    for (FrontendGroup group : FrontendGroup.values()) {
      for (Protocol protocol : PROTOCOLS) {
        rules.add(pick(group, protocol));
        rules.add(kept(group, protocol));
      }
    }
    // A connecting socket takes an ICMP error that comes while it sends for a hint, and tries
    // again; a reset it believes at once.
    rules.add(
        NftRule.of(
            REFUSE_CHAIN,
            "nobody answers: a connection is reset",
            join(protocol(Protocol.TCP), List.of(new Expr.Reject(Expr.RejectType.TCP_RST, 0)))));
    rules.add(
        NftRule.of(
            REFUSE_CHAIN,
            "nobody answers: the sender is told",
            List.of(new Expr.Reject(Expr.RejectType.ICMPX_UNREACH, ICMPX_PORT_UNREACHABLE))));
    rules.addAll(dispatch(DISPATCH_CHAIN, ANSWERS));
    rules.addAll(dispatch(DISPATCH_OUTSIDE_CHAIN, ANSWERS_OUTSIDE));
    rules.add(
        NftRule.of(
            PREROUTING,
            "v4: loopback addresses are asked from the node alone",
            join(
                family(Family.V4), toLoopback(), List.of(Expr.Immediate.verdict(Verdict.ACCEPT)))));
    rules.add(
        NftRule.of(
            OUTPUT,
            "v6: packets of the loopback cannot leave the node",
            join(
                family(Family.V6),
                List.of(
                    PacketFields.destination(Family.V6, 0),
                    new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(LOOPBACK_V6)),
                    Expr.Immediate.verdict(Verdict.ACCEPT)))));
    for (FrontendGroup group : FrontendGroup.values()) {
      rules.add(meet(PREROUTING, group));
      rules.add(meet(OUTPUT, group));
    }
    rules.addAll(guards());
    rules.add(learn(DELIVERED));
    rules.addAll(hide());
    return rules;
  }

  /** Goes on for packets to the node's IPv4 loopback. */
  static List<Expr> toLoopback() {
    return List.of(
        new Expr.Payload(Reg.R1, Expr.Header.NETWORK, 16, 1),
        new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(LOOPBACK_NET)));
  }

  /**
   * A packet that is under way while a transaction takes effect may find a frontend of the one
   * generation, and its chain or endpoint of the other not. Untranslated it would go where nobody
   * is, and its connection with it: so it is lost, and its sender tries again.
   */
  private static List<NftRule> dispatch(NftChain chain, String answers) {
    return List.of(
        NftRule.of(
            chain,
            "by the number of endpoints",
            List.of(
                new Expr.Meta(Expr.MetaKey.MARK, Reg.R1),
                Expr.Lookup.map(answers, Reg.R1, Reg.VERDICT))),
        NftRule.of(
            chain,
            "changed while the packet was under way: its sender will try again",
            List.of(Expr.Counter.atZero(), Expr.Immediate.verdict(Verdict.DROP))));
  }

  /** A packet that meets a frontend gets its mark. */
  private static NftRule meet(NftChain chain, FrontendGroup group) {
    String where = group.isNode() ? "an address of the node" : "one address";
    return NftRule.of(
        chain,
        group.family().label() + ": something else answers at " + where,
        join(
            family(group.family()),
            group.isNode() ? fib(PacketFields.FIB_DESTINATION, Expr.Op.EQ) : List.of(),
            marked(group, group.frontends(), DISPATCH)));
  }

  /** Goes on for packets whose frontend is in a map, gives them its mark, and leads them on. */
  static List<Expr> marked(FrontendGroup group, String map, String chain) {
    return join(
        frontend(group, 0),
        List.of(
            Expr.Lookup.map(map, Reg.R1, Reg.R1),
            new Expr.MetaSet(Expr.MetaKey.MARK, Reg.R1),
            Expr.Immediate.verdict(new Verdict.Goto(chain))));
  }

  private static NftRule pick(FrontendGroup group, Protocol protocol) {
    // In the order in which nft puts them, so that what it lists and loads again is the same.
    return NftRule.of(
        NftChain.regular(TABLE, group.pick()),
        protocol.label() + ": to the chosen endpoint",
        join(
            family(group.family()),
            protocol(protocol),
            frontend(group, 0),
            List.of(
                new Expr.Meta(Expr.MetaKey.MARK, FrontendGroup.register(group.addressBytes() + 8))),
            translate(group, group.endpoints())));
  }

  private static NftRule kept(FrontendGroup group, Protocol protocol) {
    Family family = group.family();
    FrontendGroup whole = family == Family.V4 ? FrontendGroup.V4 : FrontendGroup.V6;
    return NftRule.of(
        NftChain.regular(TABLE, group.kept()),
        protocol.label() + ": to the endpoint that the client had",
        join(
            family(family),
            protocol(protocol),
            List.of(PacketFields.source(family, 0)),
            frontend(whole, family.bytes()),
            translate(group, TablePart.clients(family))));
  }

  private static List<Expr> translate(FrontendGroup group, String map) {
    return List.of(
        Expr.Lookup.map(map, Reg.R1, Reg.R1),
        new Expr.Nat(
            true,
            group.nat(),
            Optional.of(Reg.R1),
            Optional.empty(),
            Optional.of(FrontendGroup.register(group.family().bytes())),
            Optional.empty(),
            0));
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
            join(
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
            join(
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

  // What stands in the chain that changes sources.

  /** In front of all others: the clients of frontends that say so are remembered. */
  static NftRule learn() {
    return learn(MasqueradeLowering.CHAIN);
  }

  private static NftRule learn(NftChain chain) {
    return NftRule.of(
        chain,
        "clients that keep their endpoint",
        join(
            mark(
                Marks.FRONTEND_MARK_MASK | FrontendMark.STICKY,
                Marks.FRONTEND_MARK | FrontendMark.STICKY),
            List.of(Expr.Immediate.verdict(new Verdict.Jump(TablePart.LEARN.name())))));
  }

  /** Behind all others, in their order. */
  static List<NftRule> sources() {
    List<NftRule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      rules.add(answerable(family));
    }
    rules.add(
        hidden(
            "frontends whose answers must come back by this node",
            FrontendMark.CLASS,
            MasqueradeClass.ALWAYS,
            List.of()));
    for (Family family : Family.values()) {
      rules.add(fromOutside(family));
    }
    rules.add(fromNode());
    return rules;
  }

  /** The rules by which a class of a family is in force. */
  static List<NftRule> rulesOf(MasqueradeClass masquerade, Family family) {
    List<NftRule> rules = sources();
    return switch (masquerade) {
      case KEEP_SOURCE -> List.of();
      case ALWAYS -> List.of(rules.get(2));
      case FROM_OUTSIDE -> List.of(fromOutside(family), fromNode());
      case FROM_NODE -> List.of(fromNode());
    };
  }

  /** The rule that gives a source to packets that could not be answered with their own. */
  static NftRule answerable(Family family) {
    boolean v4 = family == Family.V4;
    return NftRule.of(
        MasqueradeLowering.CHAIN,
        family.label() + ": an endpoint that asks itself, or the loopback, is seen as the node",
        join(
            family(family),
            List.of(
                PacketFields.source(family, 0),
                PacketFields.destination(family, family.bytes()),
                Expr.Lookup.map(hairpin(family), Reg.R1, Reg.R1),
                sourceFromRegister(v4, 0))));
  }

  private static NftRule fromOutside(Family family) {
    return hidden(
        family.label() + ": sources that are no pods, where the answer must come back by this node",
        FrontendMark.CLASS,
        MasqueradeClass.FROM_OUTSIDE,
        join(
            family(family),
            List.of(PacketFields.source(family, 0), Expr.Lookup.notIn(cluster(family), Reg.R1))));
  }

  private static NftRule fromNode() {
    return hidden(
        "the node's own sources, where the answer must come back by it",
        FrontendMark.CLASS_NODE,
        MasqueradeClass.FROM_NODE,
        fib(PacketFields.FIB_SOURCE, Expr.Op.EQ));
  }

  private static NftRule hidden(
      String comment, int mask, MasqueradeClass masquerade, List<Expr> condition) {
    return NftRule.of(
        MasqueradeLowering.CHAIN,
        comment,
        join(
            mark(
                Marks.FRONTEND_MARK_MASK | mask,
                Marks.FRONTEND_MARK | (FrontendMark.classBits(masquerade) & mask)),
            condition,
            List.of(Expr.Immediate.verdict(new Verdict.Goto(HIDE.name())))));
  }

  /** The set of the cluster's ranges. */
  static String cluster(Family family) {
    return MasqueradeLowering.setName(Masquerade.Part.CLUSTER, family);
  }

  /** Towards an endpoint on this node its device may have no address, or the pods' gateway's. */
  private static List<NftRule> hide() {
    List<NftRule> rules = new ArrayList<>();
    rules.add(
        NftRule.of(
            HIDE,
            "a tunnel's packet bears the mark of the one that it carries",
            List.of(
                new Expr.Ct(Expr.CtKey.STATUS, Optional.empty(), Reg.R1),
                new Expr.Bitwise(Reg.R1, Reg.R1, Bytes.host32(IPS_DST_NAT), Bytes.host32(0)),
                new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.host32(0)),
                Expr.Immediate.verdict(Verdict.RETURN))));
    for (Family family : Family.values()) {
      rules.add(
          NftRule.of(
              HIDE,
              family.label() + ": who asks an endpoint on this node is seen as the node",
              join(
                  family(family),
                  List.of(
                      PacketFields.destination(family, 0),
                      Expr.Lookup.map(lent(family), Reg.R1, Reg.R1),
                      sourceFromRegister(family == Family.V4, Expr.NAT_FULLY_RANDOM)))));
    }
    rules.add(
        NftRule.of(
            HIDE,
            "who asks an endpoint elsewhere is seen as this node",
            List.of(
                Expr.Counter.atZero(),
                new Expr.Masquerade(Expr.NAT_FULLY_RANDOM, Optional.empty(), Optional.empty()))));
    return rules;
  }

  private static Expr sourceFromRegister(boolean v4, int flags) {
    return new Expr.Nat(
        false,
        (v4 ? FrontendGroup.V4 : FrontendGroup.V6).nat(),
        Optional.of(Reg.R1),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        flags);
  }

  // Rows.

  /** What a frontend becomes, and what leads on from it. */
  static void entries(Frontend frontend, BiConsumer<RangeKey, Entry> to) {
    entries(frontend, ChooserLowering::answer, to);
  }

  /**
   * As {@link #entries(Frontend, BiConsumer)}.
   *
   * @param answers what {@link ChooserLowering#answer} gives
   */
  static void entries(
      Frontend frontend, Function<FrontendMark, Entry> answers, BiConsumer<RangeKey, Entry> to) {
    FrontendGroup group = FrontendGroup.of(frontend.key().place());
    Bytes key = FrontendKeys.frontend(frontend.key());
    RuleId rule = frontend.rule();
    FrontendMark mark = FrontendMark.of(frontend);
    to.accept(
        RangeKey.single(group.frontends(), key), Entry.of(rule, FrontendKeys.mark(mark.bits())));
    answer(ANSWERS, mark, answers, to);
    if (frontend.isSplit()) {
      FrontendMark outside = FrontendMark.ofOutside(frontend);
      to.accept(
          RangeKey.single(group.externals(), key),
          Entry.of(rule, FrontendKeys.mark(outside.bits())));
      answer(ANSWERS_OUTSIDE, outside, answers, to);
    }
    if (frontend.affinity().isPresent()) {
      to.accept(affinity(frontend.key(), frontend.affinity().get()), Entry.of(rule));
    }
  }

  private static void answer(
      String map,
      FrontendMark mark,
      Function<FrontendMark, Entry> answers,
      BiConsumer<RangeKey, Entry> to) {
    to.accept(RangeKey.single(map, Bytes.host32(mark.bits())), answers.apply(mark));
  }

  /** The element that says how long a frontend's clients keep their endpoint. */
  static RangeKey affinity(Frontend.Key key, Duration time) {
    TablePart part =
        new TablePart(
            TablePart.Kind.AFFINITY, FrontendGroup.of(key.place()), (int) time.toSeconds());
    return RangeKey.single(part.name(), FrontendKeys.frontend(key));
  }

  /** What a range of sources becomes. */
  static void entries(SourceRange range, BiConsumer<RangeKey, Entry> to) {
    Frontend.Key frontend = range.key().frontend();
    Prefix prefix = range.key().range();
    TablePart part =
        new TablePart(TablePart.Kind.ALLOWED, FrontendGroup.of(frontend.place()), prefix.length());
    to.accept(
        RangeKey.single(part.name(), FrontendKeys.range(frontend, prefix.address())),
        Entry.of(range.rule()));
  }

  /**
   * What an endpoint becomes.
   *
   * @param slotBase the mark of its frontend's endpoint 0, which is part of its key
   */
  static void entries(Endpoint endpoint, int slotBase, BiConsumer<RangeKey, Entry> to) {
    Frontend.Key frontend = endpoint.key().frontend();
    FrontendGroup group = FrontendGroup.of(frontend.place());
    RuleId rule = endpoint.rule();
    Bytes key = FrontendKeys.endpoint(frontend, slotBase | endpoint.key().slot());
    to.accept(
        RangeKey.single(group.endpoints(), key),
        Entry.of(rule, FrontendKeys.address(endpoint.address(), endpoint.port())));
    if (endpoint.lent().isPresent()) {
      Entry value = Entry.of(rule, Bytes.of(endpoint.lent().get()));
      for (Ip source : unanswerable(endpoint.address())) {
        to.accept(hairpinKey(source, endpoint.address()), value);
      }
      to.accept(lentKey(endpoint.address()), value);
    }
  }

  /** The sources whose answers an endpoint could not send by the node. */
  static List<Ip> unanswerable(Ip endpoint) {
    return endpoint.family() == Family.V4 ? List.of(endpoint, LOOPBACK_V4) : List.of(endpoint);
  }

  static RangeKey hairpinKey(Ip source, Ip endpoint) {
    return RangeKey.single(hairpin(endpoint.family()), Bytes.of(source).plus(Bytes.of(endpoint)));
  }

  static RangeKey lentKey(Ip endpoint) {
    return RangeKey.single(lent(endpoint.family()), Bytes.of(endpoint));
  }
}
