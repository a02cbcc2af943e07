package dev.sund.dataplane.nft;

import static dev.sund.dataplane.nft.PacketFields.family;
import static dev.sund.dataplane.nft.PacketFields.join;
import static dev.sund.dataplane.nft.PacketFields.protocol;

import dev.sund.engine.program.Frontend.Action;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The chains that frontends' marks lead to: one for each number of endpoints in use, and for each
 * combination of what must be decided before. They depend on what kinds of frontends there are, and
 * not on how many.
 *
 * <p>In each, in this order: who may not ask is dropped; the node's loopback is refused; those
 * outside go their own way; a client that had an endpoint goes there; an endpoint is chosen.
 */
final class ChooserLowering {
  /** The seed of choices that are to be the same on every node; of no meaning. */
  static final int SEED = 0x53756e64;

  private ChooserLowering() {}

  /** The element that leads a frontend's mark on. */
  static Entry answer(FrontendMark mark) {
    String comment =
        switch (mark.action()) {
          case Action.Balance(int endpoints) ->
              endpoints == 1 ? "1 endpoint" : endpoints + " endpoints";
          case Action.Reject() -> "nobody answers";
          case Action.Drop() -> "nobody here answers";
        };
    return Entry.of(
        comment, new Data.To(mark.needsChain() ? new Verdict.Jump(mark.chain()) : end(mark)));
  }

  private static Verdict goTo(String chain) {
    return new Verdict.Goto(chain);
  }

  private static Verdict end(FrontendMark mark) {
    return switch (mark.action()) {
      case Action.Drop() -> Verdict.DROP;
      case Action.Reject(), Action.Balance _ -> goTo(FrontendLowering.REFUSE);
    };
  }

  /** The mark that an element of the maps of answers is about. */
  static Optional<FrontendMark> mark(RangeKey key) {
    return key.set().equals(FrontendLowering.ANSWERS)
            || key.set().equals(FrontendLowering.ANSWERS_OUTSIDE)
        ? FrontendMark.of(FrontendKeys.host(key.low()))
        : Optional.empty();
  }

  /** The chain that an element leads to, when it is one of its own. */
  static Optional<NftChain> chain(RangeKey key) {
    return mark(key).filter(FrontendMark::needsChain).map(ChooserLowering::chain);
  }

  static NftChain chain(FrontendMark mark) {
    return NftChain.regular(MasqueradeLowering.TABLE, mark.chain());
  }

  /** The rules of the chain that an element leads to. */
  static List<NftRule> rules(RangeKey key) {
    return mark(key)
        .filter(FrontendMark::needsChain)
        .map(ChooserLowering::rules)
        .orElseGet(List::of);
  }

  private static List<NftRule> rules(FrontendMark mark) {
    List<NftRule> rules = new ArrayList<>();
    FrontendGroup group = mark.group();
    if (mark.limited()) {
      rules.add(
          rule(
              mark,
              "only some sources may ask",
              List.of(Expr.Immediate.verdict(new Verdict.Jump(group.allowed())))));
    }
    if (!mark.loopback() && group == FrontendGroup.NODE_V4) {
      rules.add(
          rule(
              mark,
              "the loopback address is none of them",
              join(
                  family(group.family()),
                  FrontendLowering.toLoopback(),
                  List.of(Expr.Immediate.verdict(goTo(FrontendLowering.REFUSE))))));
    }
    if (mark.split()) {
      rules.add(
          rule(
              mark,
              "who is no pod and not the node gets another answer",
              join(
                  family(group.family()),
                  List.of(
                      PacketFields.source(group.family(), 0),
                      Expr.Lookup.notIn(FrontendLowering.cluster(group.family()), Reg.R1)),
                  MasqueradeLowering.notBridged(group.family()),
                  PacketFields.fib(PacketFields.FIB_SOURCE, Expr.Op.NEQ),
                  FrontendLowering.marked(
                      group, group.externals(), FrontendLowering.DISPATCH_OUTSIDE))));
    }
    switch (mark.action()) {
      case Action.Balance(int endpoints) -> choose(mark, endpoints, rules);
      case Action.Reject(), Action.Drop() ->
          rules.add(rule(mark, "nobody answers", List.of(Expr.Immediate.verdict(end(mark)))));
    }
    return rules;
  }

  /**
   * UDP chooses by who asks, so that packets of one socket go to one endpoint before there is a
   * connection to remember it; the others by chance, unless all are to choose by who asks.
   */
  private static void choose(FrontendMark mark, int endpoints, List<NftRule> rules) {
    FrontendGroup group = mark.group();
    long first = Integer.toUnsignedLong(mark.slot(0));
    List<Expr> then =
        List.of(
            new Expr.MetaSet(Expr.MetaKey.MARK, Reg.R1),
            Expr.Immediate.verdict(goTo(group.pick())));
    if (mark.sticky()) {
      rules.add(
          rule(
              mark,
              "who had an endpoint keeps it",
              List.of(
                  Expr.Immediate.load(Reg.R1, Bytes.host32(mark.slot(0))),
                  new Expr.MetaSet(Expr.MetaKey.MARK, Reg.R1),
                  Expr.Immediate.verdict(new Verdict.Jump(group.kept())))));
    }
    switch (mark.choice()) {
      case RANDOM -> {
        rules.add(
            rule(
                mark,
                "udp: by who asks",
                join(
                    family(group.family()),
                    protocol(Protocol.UDP),
                    byClient(mark, endpoints, Optional.empty()),
                    then)));
        rules.add(
            rule(
                mark,
                "others: by chance",
                join(List.of(new Expr.Numgen(Reg.R1, endpoints, true, first)), then)));
      }
      case BY_CLIENT ->
          rules.add(
              rule(
                  mark,
                  "by who asks, as every node",
                  join(
                      family(group.family()), byClient(mark, endpoints, Optional.of(SEED)), then)));
    }
  }

  private static List<Expr> byClient(FrontendMark mark, int endpoints, Optional<Integer> seed) {
    int bytes = mark.group().family().bytes();
    return List.of(
        PacketFields.source(mark.group().family(), 16),
        PacketFields.sourcePort(16 + bytes),
        new Expr.Hash(
            Optional.of(Reg.R2),
            Reg.R1,
            bytes + 4,
            endpoints,
            seed,
            Integer.toUnsignedLong(mark.slot(0)),
            false));
  }

  private static NftRule rule(FrontendMark mark, String comment, List<Expr> expressions) {
    return NftRule.of(chain(mark), comment, expressions);
  }
}
