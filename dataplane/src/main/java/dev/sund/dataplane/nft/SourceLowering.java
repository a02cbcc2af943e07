package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftType;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;

/**
 * From which addresses pods with links of their own send, in {@code inet sund-policy}.
 *
 * <pre>
 *   chain sources {                                  type filter hook prerouting priority raw + 10
 *     iifgroup pods iifname . ip saddr != @senders-v4 goto drop-source       the same for IPv6
 *   }
 *   chain drop-source {
 *     add @drops-source { iifname counter }
 *     limit rate 100/second log prefix "source" group 83
 *     drop
 *   }
 * </pre>
 *
 * <p>Containers on bridges all come in by the bridge: {@link BridgeLowering} asks them.
 */
final class SourceLowering {
  /** Before connections are looked up, so that what has a false source makes none. */
  private static final int PRIORITY = -290;

  private static final NftChain SOURCES =
      NftChain.base(PolicyLowering.TABLE, "sources", "filter", NftChain.Hook.PREROUTING, PRIORITY);
  private static final NftChain DROP_SOURCE = PolicyLowering.chain("drop-source");

  private SourceLowering() {}

  /** The chains; those that others lead to come first. */
  static List<NftChain> chains() {
    return List.of(DROP_SOURCE, SOURCES);
  }

  /** Pods send from their own addresses; by ICMPv6 from those of the link, or from none yet. */
  static List<NftRule> rules() {
    List<NftRule> rules = new ArrayList<>();
    List<Expr> fromPods =
        List.of(
            new Expr.Meta(Expr.MetaKey.IIFGROUP, Reg.R1),
            new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.host32(Marks.GROUP_PODS)));
    Prefix link = Prefix.parse("fe80::/10");
    Bytes mask = Bytes.mask(link);
    rules.add(
        NftRule.of(
            SOURCES,
            "v6: pods speak to their gateway from an address of the link",
            PacketFields.join(
                fromPods,
                PacketFields.family(Family.V6),
                List.of(
                    PacketFields.source(Family.V6, 0),
                    new Expr.Bitwise(Reg.R1, Reg.R1, mask, Bytes.EMPTY.padded(mask.length())),
                    new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(link.address()))),
                PolicyLowering.icmpv6(),
                List.of(Expr.Immediate.verdict(Verdict.RETURN)))));
    rules.add(
        NftRule.of(
            SOURCES,
            "v6: pods ask who has an address before they take it",
            PacketFields.join(
                fromPods,
                PacketFields.family(Family.V6),
                List.of(
                    PacketFields.source(Family.V6, 0),
                    new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(Ip.any(Family.V6)))),
                PolicyLowering.icmpv6(),
                List.of(Expr.Immediate.verdict(Verdict.RETURN)))));
    for (Family family : Family.values()) {
      rules.add(
          NftRule.of(
              SOURCES,
              family.label() + ": pods send from their own addresses",
              PacketFields.join(
                  fromPods,
                  PacketFields.family(family),
                  List.of(
                      new Expr.Meta(Expr.MetaKey.IIFNAME, Reg.R1),
                      PacketFields.source(family, NftType.IFNAME.padded()),
                      Expr.Lookup.notIn(PolicyLowering.senders(family), Reg.R1),
                      Expr.Immediate.verdict(new Verdict.Goto(DROP_SOURCE.name()))))));
    }
    rules.add(
        NftRule.of(
            DROP_SOURCE,
            "counted",
            List.of(
                new Expr.Meta(Expr.MetaKey.IIFNAME, Reg.R1),
                new Expr.CountAt(DropSite.SOURCE.set(), Reg.R1))));
    PolicyLowering.showAndDrop(rules, DROP_SOURCE, DropSite.SOURCE);
    return rules;
  }
}
