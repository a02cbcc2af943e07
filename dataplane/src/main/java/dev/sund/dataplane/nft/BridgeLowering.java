package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftFamily;
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
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The table {@code bridge sund-policy}: what frames are asked on bridges that have containers, and
 * rules of IP cannot ask, since all of a bridge's ports are one device to them.
 *
 * <pre>
 *   table bridge sund-policy {                         comment "made by sund"
 *     set ports                                        devices of containers with addresses
 *     set senders-v4, senders-v6                       device . address
 *     set judged                                       devices of pods with policies
 *     set drops-source, drops-tagged,
 *         drops-unseen-out, drops-unseen-in            device, with a counter
 *     chain sources {                                  type filter hook prerouting priority -290
 *       iifname != @ports accept
 *       vlan tagged goto drop-tagged                   such frames pass the rules of IP unseen
 *       arp saddr ip 0.0.0.0 accept
 *       arp iifname . arp saddr ip != @senders-v4 goto drop-source
 *       ip iifname . ip saddr != @senders-v4 goto drop-source
 *       icmpv6 neighbour advert of an address of the link accept
 *       icmpv6 neighbour advert iifname . target != @senders-v6 goto drop-source
 *       icmpv6 from the link, or from none, accept
 *       ip6 iifname . ip6 saddr != @senders-v6 goto drop-source
 *     }
 *     chain forward {                                  type filter hook forward priority 10
 *       oifname @judged ip6 daddr fe80::/10 not icmpv6 goto drop-unseen-in
 *       meta priority SEEN meta priority set 0 accept
 *       ip, ip6 iifname @judged goto drop-unseen-out
 *       ip, ip6 oifname @judged goto drop-unseen-in
 *     }
 *   }
 * </pre>
 *
 * <p>The chain {@code seen} of {@code inet sund-policy} gives packets from one port to another the
 * priority {@link #SEEN}, behind all that policies say. What comes here without it has been seen by
 * no rule: the kernel does not show it, or that table is gone. Such packets end here.
 */
final class BridgeLowering {
  static final NftTable TABLE =
      NftTable.of(NftFamily.BRIDGE, Marks.POLICY_TABLE, Marks.TABLE_COMMENT);

  /** Before the kernel shows frames to the rules of IP (NF_BR_PRI_BRNF is 0). */
  private static final int PRIORITY_SOURCES = -290;

  /** After it has. */
  private static final int PRIORITY_FORWARD = 10;

  /** The priority of what policies have let through, from one port of a bridge to another. */
  static final int SEEN = Marks.SEEN_PRIORITY;

  static final String PORTS = "ports";
  static final String JUDGED = "judged";

  /** Where frames end here. */
  static final List<DropSite> DROPS_AT =
      List.of(DropSite.SOURCE, DropSite.TAGGED, DropSite.UNSEEN_OUT, DropSite.UNSEEN_IN);

  private static final int DROPS = 65_535;
  private static final int ETH_P_IP = 0x0800;
  private static final int ETH_P_ARP = 0x0806;
  private static final int ETH_P_8021Q = 0x8100;
  private static final int ETH_P_IPV6 = 0x86dd;
  private static final int ETH_P_8021AD = 0x88a8;
  private static final int ETHER_TYPE_AT = 12;
  private static final int ARP_SENDER_AT = 14;
  private static final int ICMPV6 = 58;
  private static final int NEIGHBOUR_ADVERT = 136;
  private static final int TARGET_AT = 8;
  private static final Prefix LINK = Prefix.parse("fe80::/10");

  private static final NftChain SOURCES =
      NftChain.base(TABLE, "sources", "filter", NftChain.Hook.PREROUTING, PRIORITY_SOURCES);
  private static final NftChain FORWARD =
      NftChain.base(TABLE, "forward", "filter", NftChain.Hook.FORWARD, PRIORITY_FORWARD);

  private BridgeLowering() {}

  static String senders(Family family) {
    return "senders-" + family.label();
  }

  /** All that is constant, with these elements. */
  static TableImage image(java.util.NavigableMap<RangeKey, Entry> elements) {
    return new TableImage(
        TABLE,
        Stream.concat(DROPS_AT.stream().map(BridgeLowering::chain), Stream.of(SOURCES, FORWARD))
            .toList(),
        sets(),
        rules(),
        elements);
  }

  /** All that is constant. */
  static TableImage constant() {
    return image(new TreeMap<>());
  }

  private static List<NftSet> sets() {
    List<NftSet> sets = new ArrayList<>();
    sets.add(NftSet.of(TABLE, PORTS, NftType.IFNAME).withComment("devices of containers"));
    sets.add(NftSet.of(TABLE, JUDGED, NftType.IFNAME).withComment("devices of pods with policies"));
    for (Family family : Family.values()) {
      sets.add(
          NftSet.of(
                  TABLE,
                  senders(family),
                  NftType.IFNAME,
                  family == Family.V4 ? NftType.IPV4_ADDR : NftType.IPV6_ADDR)
              .withComment("containers' devices and the addresses that they send from"));
    }
    for (DropSite site : DROPS_AT) {
      NftSet set =
          NftSet.of(TABLE, site.set(), NftType.IFNAME)
              .withComment("what was dropped")
              .withSize(DROPS);
      sets.add(set.withFlags(set.flags() | NftSet.EVAL));
    }
    return sets;
  }

  private static List<NftRule> rules() {
    List<NftRule> rules = new ArrayList<>();
    sources(rules);
    forward(rules);
    DROPS_AT.forEach(site -> drop(rules, site));
    return rules;
  }

  private static void sources(List<NftRule> rules) {
    rules.add(
        NftRule.of(
            SOURCES,
            "devices of others",
            List.of(
                new Expr.Meta(Expr.MetaKey.IIFNAME, Reg.R1),
                Expr.Lookup.notIn(PORTS, Reg.R1),
                Expr.Immediate.verdict(Verdict.ACCEPT))));
    for (int tag : new int[] {ETH_P_8021Q, ETH_P_8021AD}) {
      rules.add(
          NftRule.of(
              SOURCES,
              "tagged frames pass the rules of IP unseen",
              List.of(
                  new Expr.Payload(Reg.R1, Expr.Header.LINK, ETHER_TYPE_AT, 2),
                  new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.u16(tag)),
                  go(DropSite.TAGGED))));
    }
    Expr.Payload sender =
        new Expr.Payload(Reg.R1, Expr.Header.NETWORK, ARP_SENDER_AT, Family.V4.bytes());
    rules.add(
        NftRule.of(
            SOURCES,
            "arp: containers ask who has an address before they take it",
            PacketFields.join(
                protocol(ETH_P_ARP),
                List.of(
                    sender,
                    new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(Ip.any(Family.V4))),
                    Expr.Immediate.verdict(Verdict.ACCEPT)))));
    rules.add(
        own(
            "arp: containers say that they have their own addresses",
            protocol(ETH_P_ARP),
            Family.V4,
            new Expr.Payload(at(), Expr.Header.NETWORK, ARP_SENDER_AT, Family.V4.bytes())));
    rules.add(
        own(
            "v4: containers send from their own addresses",
            protocol(ETH_P_IP),
            Family.V4,
            PacketFields.source(Family.V4, NftType.IFNAME.padded())));
    List<Expr> advert =
        PacketFields.join(
            icmpv6(),
            List.of(
                new Expr.Payload(Reg.R1, Expr.Header.TRANSPORT, 0, 1),
                new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(NEIGHBOUR_ADVERT))));
    Expr.Payload target =
        new Expr.Payload(Reg.R1, Expr.Header.TRANSPORT, TARGET_AT, Family.V6.bytes());
    rules.add(
        NftRule.of(
            SOURCES,
            "v6: containers say that they have an address of the link",
            PacketFields.join(
                advert,
                List.of(target),
                ofLink(),
                List.of(Expr.Immediate.verdict(Verdict.ACCEPT)))));
    rules.add(
        own(
            "v6: containers say that they have their own addresses",
            advert,
            Family.V6,
            new Expr.Payload(at(), Expr.Header.TRANSPORT, TARGET_AT, Family.V6.bytes())));
    rules.add(
        NftRule.of(
            SOURCES,
            "v6: containers speak to neighbours from an address of the link",
            PacketFields.join(
                icmpv6(),
                List.of(PacketFields.source(Family.V6, 0)),
                ofLink(),
                List.of(Expr.Immediate.verdict(Verdict.ACCEPT)))));
    rules.add(
        NftRule.of(
            SOURCES,
            "v6: containers ask who has an address before they take it",
            PacketFields.join(
                icmpv6(),
                List.of(
                    PacketFields.source(Family.V6, 0),
                    new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(Ip.any(Family.V6))),
                    Expr.Immediate.verdict(Verdict.ACCEPT)))));
    rules.add(
        own(
            "v6: containers send from their own addresses",
            protocol(ETH_P_IPV6),
            Family.V6,
            PacketFields.source(Family.V6, NftType.IFNAME.padded())));
  }

  private static Reg at() {
    return FrontendGroup.register(NftType.IFNAME.padded());
  }

  /** What says an address that is not the device's goes no further. */
  private static NftRule own(String comment, List<Expr> which, Family family, Expr address) {
    return NftRule.of(
        SOURCES,
        comment,
        PacketFields.join(
            which,
            List.of(
                new Expr.Meta(Expr.MetaKey.IIFNAME, Reg.R1),
                address,
                Expr.Lookup.notIn(senders(family), Reg.R1),
                go(DropSite.SOURCE))));
  }

  private static void forward(List<NftRule> rules) {
    rules.add(
        NftRule.of(
            FORWARD,
            "policies know no addresses of the link",
            PacketFields.join(
                device(Expr.MetaKey.OIFNAME),
                protocol(ETH_P_IPV6),
                List.of(
                    new Expr.Meta(Expr.MetaKey.L4PROTO, Reg.R1),
                    new Expr.Cmp(Reg.R1, Expr.Op.NEQ, Bytes.of(ICMPV6)),
                    PacketFields.destination(Family.V6, 0)),
                ofLink(),
                List.of(go(DropSite.UNSEEN_IN)))));
    rules.add(
        NftRule.of(
            FORWARD,
            "policies have seen it",
            List.of(
                new Expr.Meta(Expr.MetaKey.PRIORITY, Reg.R1),
                new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.host32(SEEN)),
                Expr.Immediate.load(Reg.R1, Bytes.host32(0)),
                new Expr.MetaSet(Expr.MetaKey.PRIORITY, Reg.R1),
                Expr.Immediate.verdict(Verdict.ACCEPT))));
    for (int type : new int[] {ETH_P_IP, ETH_P_IPV6}) {
      rules.add(
          NftRule.of(
              FORWARD,
              "nobody has seen what a pod with policies sends",
              PacketFields.join(
                  protocol(type), device(Expr.MetaKey.IIFNAME), List.of(go(DropSite.UNSEEN_OUT)))));
      rules.add(
          NftRule.of(
              FORWARD,
              "nobody has seen what is sent to a pod with policies",
              PacketFields.join(
                  protocol(type), device(Expr.MetaKey.OIFNAME), List.of(go(DropSite.UNSEEN_IN)))));
    }
  }

  private static List<Expr> device(Expr.MetaKey key) {
    return List.of(new Expr.Meta(key, Reg.R1), Expr.Lookup.in(JUDGED, Reg.R1));
  }

  private static List<Expr> protocol(int etherType) {
    return List.of(
        new Expr.Meta(Expr.MetaKey.PROTOCOL, Reg.R1),
        new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.u16(etherType)));
  }

  private static List<Expr> icmpv6() {
    return PacketFields.join(
        protocol(ETH_P_IPV6),
        List.of(
            new Expr.Meta(Expr.MetaKey.L4PROTO, Reg.R1),
            new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(ICMPV6))));
  }

  /** Goes on when the address in the first register is one of the link. */
  private static List<Expr> ofLink() {
    Bytes mask = Bytes.mask(LINK);
    return List.of(
        new Expr.Bitwise(Reg.R1, Reg.R1, mask, Bytes.EMPTY.padded(mask.length())),
        new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(LINK.address())));
  }

  private static NftChain chain(DropSite site) {
    return NftChain.regular(TABLE, "drop-" + site.label());
  }

  private static Expr go(DropSite site) {
    return Expr.Immediate.verdict(new Verdict.Goto(chain(site).name()));
  }

  /** Counted by the device of the container that it is about, whoever is at the other end. */
  private static void drop(List<NftRule> rules, DropSite site) {
    Expr.MetaKey device =
        site.direction() == Direction.EGRESS ? Expr.MetaKey.IIFNAME : Expr.MetaKey.OIFNAME;
    rules.add(
        NftRule.of(
            chain(site),
            "counted",
            List.of(new Expr.Meta(device, Reg.R1), new Expr.CountAt(site.set(), Reg.R1))));
    PolicyLowering.showAndDrop(rules, chain(site), site);
  }

  /** The address in an element of {@link #senders}, empty for other sets. */
  static Optional<Ip> sender(RangeKey key) {
    for (Family family : Family.values()) {
      if (key.set().equals(senders(family))) {
        return Optional.of(
            Ip.of(key.low().slice(NftType.IFNAME.length(), key.low().length()).toArray()));
      }
    }
    return Optional.empty();
  }
}
