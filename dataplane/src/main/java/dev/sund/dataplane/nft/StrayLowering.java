package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.Marks;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The rules that let no stray packet of a translated connection pass (S16), constant on every node.
 *
 * <p>A segment outside of its connection's window belongs to none for the kernel: it is
 * <i>invalid</i>, and nothing translates it back. Forwarded as it is, it would show a client the
 * endpoint's own address, of which it knows no connection; the client refuses, and its refusal ends
 * the connection at the endpoint. So such packets end here, when they come from a pod or go to one:
 * whichever side of a connection is translated on this node, one end of what is forwarded is a pod
 * of it. What only passes through the node is nobody's to judge: it may be half of a conversation
 * whose other half goes another way.
 */
final class StrayLowering {
  private static final NftTable TABLE = MasqueradeLowering.TABLE;
  private static final NftChain STRAYS =
      NftChain.base(TABLE, "strays", "filter", NftChain.Hook.FORWARD, NftChain.PRIORITY_FILTER);
  private static final NftChain STRAY = NftChain.regular(TABLE, "stray");

  private static final int INVALID = 0x1;

  private StrayLowering() {}

  /** Both chains; that which the other leads to first. */
  static List<NftChain> chains() {
    return List.of(STRAY, STRAYS);
  }

  /** Their rules. */
  static List<NftRule> rules() {
    List<NftRule> rules = new ArrayList<>();
    for (Protocol protocol : List.of(Protocol.TCP, Protocol.SCTP)) {
      rules.add(
          NftRule.of(
              STRAYS,
              protocol.label() + ": of no connection",
              List.of(
                  new Expr.Ct(Expr.CtKey.STATE, Optional.empty(), Reg.R1),
                  new Expr.Bitwise(Reg.R1, Reg.R1, Bytes.host32(INVALID), Bytes.host32(0)),
                  new Expr.Cmp(Reg.R1, Expr.Op.NEQ, Bytes.host32(0)),
                  new Expr.Meta(Expr.MetaKey.L4PROTO, Reg.R1),
                  new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(protocol.number())),
                  Expr.Immediate.verdict(new Verdict.Goto(STRAY.name())))));
    }
    rules.add(drop("a pod", "sent by", Expr.MetaKey.IIFGROUP, Marks.GROUP_PODS));
    rules.add(drop("a pod", "sent to", Expr.MetaKey.OIFGROUP, Marks.GROUP_PODS));
    rules.add(
        drop("a container on a bridge", "sent by", Expr.MetaKey.IIFGROUP, Marks.GROUP_BRIDGES));
    rules.add(
        drop("a container on a bridge", "sent to", Expr.MetaKey.OIFGROUP, Marks.GROUP_BRIDGES));
    return rules;
  }

  private static NftRule drop(String whom, String way, Expr.MetaKey key, int group) {
    return NftRule.of(
        STRAY,
        way + " " + whom + ", and nothing would translate it back",
        List.of(
            new Expr.Meta(key, Reg.R1),
            new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.host32(group)),
            Expr.Counter.atZero(),
            Expr.Immediate.verdict(Verdict.DROP)));
  }
}
