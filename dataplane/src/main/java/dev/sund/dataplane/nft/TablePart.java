package dev.sund.dataplane.nft;

import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSet;
import dev.sund.kernel.nft.NftType;
import dev.sund.kernel.nft.Reg;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * A set of our table that is there as long as it has elements, and the rule that looks into it: one
 * for each length of prefixes that say who may ask, one for each time that clients keep their
 * endpoint.
 *
 * <p>Sources are looked up by a hash, once for each length in use: a set of ranges with several
 * fields would be copied as a whole at each commit that touches it. A time is a constant of its
 * rule, since an element of a frontend cannot say it.
 *
 * @param kind what it is about
 * @param group of which frontends
 * @param number the prefixes' length in bits, or seconds
 */
record TablePart(Kind kind, FrontendGroup group, int number) implements Comparable<TablePart> {
  /** The chain that remembers who was led to which endpoint. */
  static final NftChain LEARN = NftChain.regular(MasqueradeLowering.TABLE, "learn");

  /** The most that clients' endpoints are remembered; further clients are chosen for anew. */
  static final int MOST_CLIENTS = 262_144;

  private static final Comparator<TablePart> ORDER =
      Comparator.comparing(TablePart::kind)
          .thenComparing(TablePart::group)
          .thenComparingInt(TablePart::number);

  /** What such a set is about. */
  enum Kind {
    /** Frontends and who may ask them. */
    ALLOWED("allowed-"),
    /** Frontends whose clients keep their endpoint. */
    AFFINITY("affinity-");

    private final String prefix;

    Kind(String prefix) {
      this.prefix = prefix;
    }
  }

  /** The part whose set has this name. */
  static Optional<TablePart> of(String set) {
    for (Kind kind : Kind.values()) {
      int dash = set.lastIndexOf('-');
      if (!set.startsWith(kind.prefix) || dash < kind.prefix.length()) {
        continue;
      }
      for (FrontendGroup group : FrontendGroup.values()) {
        if (group.label().equals(set.substring(kind.prefix.length(), dash))) {
          return number(set.substring(dash + 1))
              .map(number -> new TablePart(kind, group, number))
              .filter(part -> part.isPossible() && part.name().equals(set));
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<Integer> number(String digits) {
    return !digits.isEmpty()
            && digits.length() <= 5
            && digits.chars().allMatch(digit -> digit >= '0' && digit <= '9')
        ? Optional.of(Integer.parseInt(digits))
        : Optional.empty();
  }

  private boolean isPossible() {
    return switch (kind) {
      case ALLOWED -> number <= group.family().bytes() * 8;
      case AFFINITY -> number > 0 && number <= 86_400;
    };
  }

  /** Those that elements belong to. */
  static SortedSet<TablePart> in(NavigableMap<RangeKey, Entry> entries) {
    List<String> sets = new ArrayList<>();
    RangeKey at = entries.isEmpty() ? null : entries.firstKey();
    while (at != null) {
      sets.add(at.set());
      at = entries.ceilingKey(RangeKey.single(at.set() + "\0", Bytes.EMPTY));
    }
    return in(sets);
  }

  /** Those among sets that have elements. */
  static SortedSet<TablePart> in(Collection<String> sets) {
    SortedSet<TablePart> parts = new TreeSet<>();
    sets.forEach(set -> of(set).ifPresent(parts::add));
    return parts;
  }

  /** The set's name: {@code allowed-v4-24}, {@code affinity-node-v6-10800}. */
  String name() {
    return kind.prefix + group.label() + "-" + number;
  }

  /** The set. */
  NftSet set() {
    List<NftType.Field> key = group.key();
    if (kind == Kind.ALLOWED) {
      key.add(group.address());
    }
    return NftSet.of(MasqueradeLowering.TABLE, name(), key.toArray(NftType.Field[]::new))
        .withComment(
            switch (kind) {
              case ALLOWED -> "frontend . network of sources that may ask it";
              case AFFINITY -> "frontends whose clients keep their endpoint";
            });
  }

  /** The name of the map of clients and their endpoints. */
  static String clients(Family family) {
    return "clients-" + family.label();
  }

  /** The map of clients and their endpoints, which rules fill. */
  static NftSet clientsMap(Family family) {
    NftType.Field address = family == Family.V4 ? NftType.IPV4_ADDR : NftType.IPV6_ADDR;
    NftSet map =
        NftSet.of(
                MasqueradeLowering.TABLE,
                clients(family),
                address,
                address,
                NftType.INET_PROTO,
                NftType.INET_SERVICE)
            .to(NftType.of(address, NftType.INET_SERVICE))
            .withComment("client . what it asked : the endpoint that it keeps")
            .withSize(MOST_CLIENTS)
            .withTimeout(Duration.ZERO);
    return map.withFlags(map.flags() | NftSet.EVAL);
  }

  /** The chain that the rule is in. */
  NftChain chain() {
    return switch (kind) {
      case ALLOWED -> NftChain.regular(MasqueradeLowering.TABLE, group.allowed());
      case AFFINITY -> LEARN;
    };
  }

  /** All rules of a chain of parts. */
  static List<NftRule> rules(NftChain chain, SortedSet<TablePart> parts) {
    List<NftRule> rules = new ArrayList<>();
    boolean learns = chain.equals(LEARN);
    for (TablePart part : parts) {
      if (part.chain().equals(chain)) {
        rules.add(part.rule());
      }
    }
    if (!learns) {
      rules.add(
          NftRule.of(
              chain,
              "nobody else may ask",
              List.of(Expr.Counter.atZero(), Expr.Immediate.verdict(Verdict.DROP))));
    }
    return rules;
  }

  /** The chains of parts, which are there without parts too. */
  static Collection<NftChain> chains() {
    List<NftChain> chains = new ArrayList<>();
    for (FrontendGroup group : FrontendGroup.values()) {
      chains.add(NftChain.regular(MasqueradeLowering.TABLE, group.allowed()));
    }
    chains.add(LEARN);
    return chains;
  }

  private NftRule rule() {
    return switch (kind) {
      case ALLOWED -> allow();
      case AFFINITY -> learn();
    };
  }

  private NftRule allow() {
    Family family = group.family();
    int at = group.addressBytes() + 8;
    List<Expr> mask = new ArrayList<>();
    if (number < family.bytes() * 8) {
      Bytes bits = Bytes.mask(Prefix.around(Ip.any(family), number));
      Reg source = FrontendGroup.register(at);
      mask.add(new Expr.Bitwise(source, source, bits, Bytes.EMPTY.padded(bits.length())));
    }
    return NftRule.of(
        chain(),
        "sources by their first " + number + " bits",
        PacketFields.join(
            PacketFields.family(family),
            PacketFields.frontend(group, 0),
            List.of(PacketFields.source(family, at)),
            mask,
            List.of(Expr.Lookup.in(name(), Reg.R1), Expr.Immediate.verdict(Verdict.RETURN))));
  }

  /** The client, what it asked, and the endpoint behind it; one at an address goes first. */
  private NftRule learn() {
    Family family = group.family();
    int address = family.bytes();
    int value = 2 * address + 8;
    FrontendGroup whole = family == Family.V4 ? FrontendGroup.V4 : FrontendGroup.V6;
    return NftRule.of(
        LEARN,
        (group.isNode() ? "at the node: " : "") + "clients that stay for " + number + " seconds",
        PacketFields.join(
            PacketFields.family(family),
            PacketFields.asked(group, 0),
            List.of(Expr.Lookup.in(name(), Reg.R1), PacketFields.source(family, 0)),
            PacketFields.asked(whole, address),
            List.of(
                PacketFields.destination(family, value),
                PacketFields.destinationPort(value + address),
                new Expr.Update(
                    clients(family),
                    Reg.R1,
                    Optional.of(FrontendGroup.register(value)),
                    Optional.of(Duration.ofSeconds(number))),
                Expr.Immediate.verdict(Verdict.RETURN))));
  }

  @Override
  public int compareTo(TablePart other) {
    return ORDER.compare(this, other);
  }
}
