package dev.sund.dataplane.nft;

import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.Masquerade.Part;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.NftType;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Userdata;
import dev.sund.model.Family;
import dev.sund.model.Marks;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The {@code Masquerade} table as objects of nf_tables, as records: pure, printable, no decisions.
 *
 * <p>Table, chain, sets and rules are the same on every node; rows become elements. See the
 * package's essay for how rows that nest or touch are kept apart.
 */
public final class MasqueradeLowering {
  /** The table; its comment is how a later agent knows it is ours. */
  public static final NftTable TABLE =
      NftTable.of(NftFamily.INET, Marks.TABLE, Marks.TABLE_COMMENT);

  /** The chain that sees each connection's first packet when it leaves the node. */
  public static final NftChain CHAIN =
      NftChain.base(
          TABLE, "postrouting", "nat", NftChain.Hook.POSTROUTING, NftChain.PRIORITY_SRCNAT);

  private static final Map<String, Part> PARTS = parts();
  private static final int NFPROTO_IPV4 = 2;
  private static final int NFPROTO_IPV6 = 10;

  private MasqueradeLowering() {}

  /**
   * The set of this part's ranges of this family. That of bridges has a pair of addresses as key,
   * and of each range all pairs of its addresses.
   */
  public static NftSet set(Part part, Family family) {
    NftType.Field address = family == Family.V4 ? NftType.IPV4_ADDR : NftType.IPV6_ADDR;
    NftSet set =
        switch (part) {
          case NAT_OUTGOING, CLUSTER -> NftSet.of(TABLE, setName(part, family), address);
          case BRIDGED, NEIGHBOURS -> NftSet.of(TABLE, setName(part, family), address, address);
        };
    return set.ofRanges()
        .withComment(
            switch (part) {
              case NAT_OUTGOING -> "sources that are translated when they leave the cluster";
              case CLUSTER -> "destinations inside the cluster";
              case BRIDGED -> "sources and destinations on one bridge";
              case NEIGHBOURS -> "neighbours that ask each other by ports of the node";
            });
  }

  /** All sets, in the order of their names. */
  public static List<NftSet> sets() {
    List<NftSet> sets = new ArrayList<>();
    for (Part part : List.of(Part.BRIDGED, Part.CLUSTER, Part.NAT_OUTGOING, Part.NEIGHBOURS)) {
      for (Family family : Family.values()) {
        sets.add(set(part, family));
      }
    }
    return sets;
  }

  /** The name of a set: {@code nat-outgoing-v4}. */
  static String setName(Part part, Family family) {
    return switch (part) {
          case BRIDGED -> "bridged-";
          case CLUSTER -> "cluster-";
          case NAT_OUTGOING -> "nat-outgoing-";
          case NEIGHBOURS -> "neighbours-";
        }
        + family.label();
  }

  /** The part and family whose set has this name. */
  static Optional<Masquerade.Part> partOf(String setName) {
    return Optional.ofNullable(PARTS.get(setName));
  }

  private static Map<String, Part> parts() {
    Map<String, Part> parts = new HashMap<>();
    for (Part part : Part.values()) {
      for (Family family : Family.values()) {
        parts.put(setName(part, family), part);
      }
    }
    return Map.copyOf(parts);
  }

  /** The rule of a family: source in one set, destination not in the other, masquerade. */
  public static NftRule rule(Family family) {
    boolean v4 = family == Family.V4;
    return NftRule.of(
        CHAIN,
        family.label() + ": pods leave the cluster with the node's address",
        List.of(
            new Expr.Meta(Expr.MetaKey.NFPROTO, Reg.R1),
            new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(v4 ? NFPROTO_IPV4 : NFPROTO_IPV6)),
            new Expr.Payload(Reg.R1, Expr.Header.NETWORK, v4 ? 12 : 8, family.bytes()),
            Expr.Lookup.in(setName(Part.NAT_OUTGOING, family), Reg.R1),
            new Expr.Payload(Reg.R1, Expr.Header.NETWORK, v4 ? 16 : 24, family.bytes()),
            Expr.Lookup.notIn(setName(Part.CLUSTER, family), Reg.R1),
            Expr.Counter.atZero(),
            new Expr.Masquerade(Expr.NAT_FULLY_RANDOM, Optional.empty(), Optional.empty())));
  }

  /**
   * The rule of a family for bridges: the source is on one, by the pair of it with itself, and the
   * destination is neither on the same one nor multicast.
   */
  public static NftRule bridgedRule(Family family) {
    boolean v4 = family == Family.V4;
    String set = setName(Part.BRIDGED, family);
    Reg second = v4 ? Reg.word(1) : Reg.R2;
    Expr.Payload source =
        new Expr.Payload(Reg.R1, Expr.Header.NETWORK, v4 ? 12 : 8, family.bytes());
    int destination = v4 ? 16 : 24;
    return NftRule.of(
        CHAIN,
        family.label() + ": containers leave their bridge with the node's address",
        List.of(
            new Expr.Meta(Expr.MetaKey.NFPROTO, Reg.R1),
            new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(v4 ? NFPROTO_IPV4 : NFPROTO_IPV6)),
            source,
            new Expr.Payload(second, Expr.Header.NETWORK, source.offset(), family.bytes()),
            Expr.Lookup.in(set, Reg.R1),
            source, // again, as nft writes it that restores a listing
            new Expr.Payload(second, Expr.Header.NETWORK, destination, family.bytes()),
            Expr.Lookup.notIn(set, Reg.R1),
            new Expr.Payload(Reg.R1, Expr.Header.NETWORK, destination, 1),
            new Expr.Range(Reg.R1, true, Bytes.of(v4 ? 0xe0 : 0xff), Bytes.of(v4 ? 0xef : 0xff)),
            Expr.Counter.atZero(),
            new Expr.Masquerade(Expr.NAT_FULLY_RANDOM, Optional.empty(), Optional.empty())));
  }

  /** That a source is on none of the node's bridges. */
  static List<Expr> notBridged(Family family) {
    boolean v4 = family == Family.V4;
    Expr.Payload source =
        new Expr.Payload(Reg.R1, Expr.Header.NETWORK, v4 ? 12 : 8, family.bytes());
    return List.of(
        source,
        new Expr.Payload(
            v4 ? Reg.word(1) : Reg.R2, Expr.Header.NETWORK, source.offset(), family.bytes()),
        Expr.Lookup.notIn(setName(Part.BRIDGED, family), Reg.R1));
  }

  /**
   * The rule of a family for neighbours: the packet met a frontend of ours, and source and
   * destination are on one link.
   */
  public static NftRule neighboursRule(Family family) {
    boolean v4 = family == Family.V4;
    return NftRule.of(
        CHAIN,
        family.label() + ": neighbours that ask each other by the node are seen as the node",
        List.of(
            // The mark first, as nft writes it that restores a listing.
            new Expr.Meta(Expr.MetaKey.MARK, Reg.R1),
            new Expr.Bitwise(
                Reg.R1, Reg.R1, Bytes.host32(Marks.FRONTEND_MARK_MASK), Bytes.host32(0)),
            new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.host32(Marks.FRONTEND_MARK)),
            new Expr.Meta(Expr.MetaKey.NFPROTO, Reg.R1),
            new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(v4 ? NFPROTO_IPV4 : NFPROTO_IPV6)),
            new Expr.Payload(Reg.R1, Expr.Header.NETWORK, v4 ? 12 : 8, family.bytes()),
            new Expr.Payload(
                v4 ? Reg.word(1) : Reg.R2, Expr.Header.NETWORK, v4 ? 16 : 24, family.bytes()),
            Expr.Lookup.in(setName(Part.NEIGHBOURS, family), Reg.R1),
            Expr.Counter.atZero(),
            new Expr.Masquerade(Expr.NAT_FULLY_RANDOM, Optional.empty(), Optional.empty())));
  }

  /** The rule that looks at the rows of this part and family. */
  static NftRule rule(Part part, Family family) {
    return switch (part) {
      case NAT_OUTGOING, CLUSTER -> rule(family);
      case BRIDGED -> bridgedRule(family);
      case NEIGHBOURS -> neighboursRule(family);
    };
  }

  /** All rules, in their order. */
  public static List<NftRule> rules() {
    return List.of(
        rule(Family.V4),
        rule(Family.V6),
        bridgedRule(Family.V4),
        bridgedRule(Family.V6),
        neighboursRule(Family.V4),
        neighboursRule(Family.V6));
  }

  /** Whether the keys of the set of this name are pairs of addresses. */
  static boolean holdsPairs(String setName) {
    return partOf(setName).filter(MasqueradeLowering::holdsPairs).isPresent();
  }

  private static boolean holdsPairs(Part part) {
    return switch (part) {
      case BRIDGED, NEIGHBOURS -> true;
      case NAT_OUTGOING, CLUSTER -> false;
    };
  }

  /** The place of a row's element. */
  static RangeKey key(Masquerade row) {
    Bytes low = Bytes.of(row.range().address());
    Bytes high = Bytes.of(row.range().last());
    boolean pairs = holdsPairs(row.part());
    return new RangeKey(
        setName(row.part(), row.range().family()),
        pairs ? low.plus(low) : low,
        pairs ? high.plus(high) : high);
  }

  /** The comment of a row's element. */
  static String comment(RuleId rule) {
    return rule.textWithin(Userdata.MAX_COMMENT_BYTES);
  }
}
