package dev.sund.dataplane.nft;

import dev.sund.engine.program.PolicyVerdict;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
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
import dev.sund.model.Protocol;
import dev.sund.model.RuleId.Direction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * All of the table {@code inet sund-policy} that does not depend on what policies say, and the
 * names, sets and rules of what does: pure, printable, no decisions.
 *
 * <pre>
 *   table inet sund-policy {                           comment "made by sund"
 *     set senders-v4, senders-v6                       pod's device . its address
 *     set itself-device                                pod's device with itself
 *     set bridges                                      bridges with containers, with themselves
 *     set itself-v4, itself-v6                         address with itself, of pods on bridges
 *     map egress-v4, ingress-v4 ...                    pod's address : jump to its profile's chain
 *     map peers-v4, peers-v6                           pod's address : class
 *     map blocks-v4, blocks-v6                         range : class
 *     map ports-PROFILE-tcp ...                        range of ports : goto peers-NUMBER
 *     set allowed, isolated, denied, unknown           list of rules . class : to which this is said
 *     set refused                                      priorities of packets that may not pass
 *     set drops-egress-v4, drops-ingress-v4 ...        pod's address . priority, with a counter
 *     set drops-source                                 device, with a counter
 *     chain sources                                    see SourceLowering
 *     chain forward {                                  type filter hook forward priority -10
 *       ct state established,related accept
 *       icmpv6 type 133-137 accept
 *       iifname . oifname @itself-device accept
 *       ip saddr . ip daddr @itself-v4 accept
 *       jump egress
 *       jump ingress
 *     }
 *     chain seen {                                     type filter hook forward priority -9
 *       iifname . oifname @bridges meta priority set SEEN      see BridgeLowering
 *     }
 *     chain input {                                    type filter hook input priority -10
 *       ct state established,related accept
 *       icmpv6 type 133-137 accept
 *       jump egress
 *     }
 *     chain egress {                                   chain ingress by the destination
 *       ip saddr vmap @egress-v4
 *       meta priority @refused goto drop-egress
 *     }
 *     chain egress-PROFILE {                           one for each profile in use
 *       jump peer-destination
 *       tcp dport vmap @ports-PROFILE-tcp
 *       goto peers-NUMBER
 *     }
 *     chain peer-destination {
 *       meta priority set 0
 *       meta priority set ip daddr map @peers-v4 return
 *       meta priority set ip daddr map @blocks-v4 return
 *     }
 *     chain peers-NUMBER {                             one for each list of rules that is asked
 *       NUMBER . meta priority @allowed meta priority set 0 return
 *       meta priority set REFUSED return
 *     }
 *     chain drop-egress {
 *       add @drops-egress-v4 { ip saddr . meta priority counter }
 *       limit rate 100/second log prefix "egress" group 83
 *       drop
 *     }
 *   }
 * </pre>
 *
 * <p>The class of the other end, then what was said, stands in the packet's priority, since no
 * register lives from one rule to the next; behind these chains it is 0, as the kernel leaves it on
 * what comes from a device. To accept here ends this table's part alone: chains of others at the
 * same hook see the packet afterwards.
 *
 * <p>The kernel finds a set by comparing the names of all, and walks a whole map, of data too, when
 * a rule of another chain asks it. So lists of rules share sets, whose keys begin with the number
 * of the list, in two fields; with sets of their own one pod's change took the kernel 11 ms.
 */
final class PolicyLowering {
  /** The table; its comment is how a later agent knows it is ours. */
  static final NftTable TABLE =
      NftTable.of(NftFamily.INET, Marks.POLICY_TABLE, Marks.TABLE_COMMENT);

  /** Hooks' priority: before the rules of others that filter. */
  static final int PRIORITY = -10;

  static final String ITSELF_DEVICE = "itself-device";
  static final String BRIDGES = "bridges";
  static final String REFUSED = "refused";

  /** The most packets that a chain shows to the log in a second. */
  static final int LOG_RATE = 100;

  private static final int LOG_BURST = 200;

  /** Both headers, whatever options they have. */
  private static final int LOG_BYTES = 128;

  private static final int DROPS = 65_535;
  private static final int ESTABLISHED_OR_RELATED = 0x6;
  private static final int ICMPV6 = 58;
  private static final int NEIGHBOUR_FIRST = 133;
  private static final int NEIGHBOUR_LAST = 137;
  private static final String PEERS = "peers-";
  private static final String BLOCKS = "blocks-";
  private static final String PORTS = "ports-";
  private static final int DIGITS = 16;

  private static final Set<String> POD_MAPS = podMaps();

  private static final NftChain FORWARD =
      NftChain.base(TABLE, "forward", "filter", NftChain.Hook.FORWARD, PRIORITY);
  private static final NftChain INPUT =
      NftChain.base(TABLE, "input", "filter", NftChain.Hook.INPUT, PRIORITY);
  private static final NftChain SEEN =
      NftChain.base(TABLE, "seen", "filter", NftChain.Hook.FORWARD, PRIORITY + 1);

  private PolicyLowering() {}

  static NftChain chain(String name) {
    return NftChain.regular(TABLE, name);
  }

  /** {@code egress} or {@code ingress}. */
  static String label(Direction direction) {
    return direction == Direction.EGRESS ? "egress" : "ingress";
  }

  private static NftType.Field address(Family family) {
    return family == Family.V4 ? NftType.IPV4_ADDR : NftType.IPV6_ADDR;
  }

  // Names.

  static String itself(Family family) {
    return "itself-" + family.label();
  }

  static String senders(Family family) {
    return "senders-" + family.label();
  }

  static String pods(Direction direction, Family family) {
    return label(direction) + "-" + family.label();
  }

  static String peers(Family family) {
    return PEERS + family.label();
  }

  static String blocks(Family family) {
    return BLOCKS + family.label();
  }

  static String drops(Direction direction, Family family) {
    return "drops-" + label(direction) + "-" + family.label();
  }

  /** The chain of a profile's pods. */
  static String gate(Direction direction, long profile) {
    return label(direction) + "-" + digits(profile);
  }

  /** The map of a profile's ports. */
  static String ports(long profile, Protocol protocol) {
    return PORTS + digits(profile) + "-" + protocol.label();
  }

  /** The chain of a list of rules. */
  static String asked(long peers) {
    return PEERS + digits(peers);
  }

  /** Where it stands that a list of rules says to a class what this set is about. */
  static RangeKey told(Said said, long peers, int peerClass) {
    return RangeKey.single(
        said.label(), high(peers).plus(low(peers)).plus(Bytes.host32(peerClass)));
  }

  /** The list and the class of such a key. */
  static PolicyVerdict.Key told(Bytes key) {
    long high = FrontendKeys.host(key.slice(0, 4));
    long low = Integer.toUnsignedLong(FrontendKeys.host(key.slice(4, 8)));
    return new PolicyVerdict.Key(high << 32 | low, FrontendKeys.host(key.slice(8, 12)));
  }

  private static Bytes high(long peers) {
    return Bytes.host32((int) (peers >>> 32));
  }

  private static Bytes low(long peers) {
    return Bytes.host32((int) peers);
  }

  private static String digits(long number) {
    return "%016x".formatted(number);
  }

  /** The number behind a name that begins so; empty when there is none. */
  static Optional<Long> number(String name, String prefix, String suffix) {
    return name.length() == prefix.length() + DIGITS + suffix.length()
            && name.startsWith(prefix)
            && name.endsWith(suffix)
            && name.substring(prefix.length(), prefix.length() + DIGITS)
                .chars()
                .allMatch(digit -> Character.digit(digit, 16) >= 0 && digit < 'g')
        ? Optional.of(Long.parseUnsignedLong(name, prefix.length(), prefix.length() + DIGITS, 16))
        : Optional.empty();
  }

  /** Whether the keys of the map of this name are ranges. */
  static boolean isOfRanges(String set) {
    return set.startsWith(BLOCKS) || set.startsWith(PORTS);
  }

  /** Whether a pod's own elements are in it, which outlast its link. */
  static boolean isOfPods(String set) {
    return POD_MAPS.contains(set) || set.startsWith("senders-") || set.startsWith("itself-");
  }

  private static Set<String> podMaps() {
    Set<String> maps = new HashSet<>();
    for (Family family : Family.values()) {
      maps.add(pods(Direction.EGRESS, family));
      maps.add(pods(Direction.INGRESS, family));
    }
    return maps;
  }

  /** Whether a chain of this name is there as long as somebody needs it. */
  static boolean isVariable(NftChain chain) {
    return number(chain.name(), PEERS, "").isPresent()
        || number(chain.name(), "egress-", "").isPresent()
        || number(chain.name(), "ingress-", "").isPresent();
  }

  /** The set of this name that is there as long as somebody needs it, if it is such a one. */
  static Optional<NftSet> variable(String name) {
    for (Protocol protocol : Protocol.values()) {
      if (number(name, PORTS, "-" + protocol.label()).isPresent()) {
        return Optional.of(
            NftSet.of(TABLE, name, NftType.INET_SERVICE)
                .to(NftType.VERDICT)
                .ofRanges()
                .withComment("ports of a profile : which rules are asked"));
      }
    }
    return Optional.empty();
  }

  // What is constant.

  /** The sets and maps. */
  static List<NftSet> sets() {
    List<NftSet> sets = new ArrayList<>();
    for (Family family : Family.values()) {
      NftType.Field address = address(family);
      sets.add(
          NftSet.of(TABLE, senders(family), NftType.IFNAME, address)
              .withComment("pods' devices and the addresses that they send from"));
      sets.add(
          NftSet.of(TABLE, itself(family), address, address)
              .withComment("pods on bridges, with themselves"));
      sets.add(
          NftSet.of(TABLE, peers(family), address)
              .to(NftType.of(NftType.CLASSID))
              .withComment("pods' addresses : class of peers"));
      sets.add(
          NftSet.of(TABLE, blocks(family), address)
              .to(NftType.of(NftType.CLASSID))
              .ofRanges()
              .withComment("ranges : class of peers"));
      for (Direction direction : List.of(Direction.EGRESS, Direction.INGRESS)) {
        sets.add(
            NftSet.of(TABLE, pods(direction, family), address)
                .to(NftType.VERDICT)
                .withComment("pods of this node : their profile"));
        sets.add(counted(drops(direction, family), address, NftType.CLASSID));
      }
    }
    sets.add(
        NftSet.of(TABLE, ITSELF_DEVICE, NftType.IFNAME, NftType.IFNAME)
            .withComment("pods' devices, with themselves"));
    sets.add(
        NftSet.of(TABLE, BRIDGES, NftType.IFNAME, NftType.IFNAME)
            .withComment("bridges with containers, with themselves"));
    for (Said said : Said.values()) {
      sets.add(
          NftSet.of(TABLE, said.label(), NftType.MARK, NftType.MARK, NftType.CLASSID)
              .withComment("list of rules . class of peers: " + said.label()));
    }
    sets.add(NftSet.of(TABLE, REFUSED, NftType.CLASSID).withComment("may not pass"));
    sets.add(counted(DropSite.SOURCE.set(), NftType.IFNAME));
    return sets;
  }

  private static NftSet counted(String name, NftType.Field... key) {
    NftSet set = NftSet.of(TABLE, name, key).withComment("what was dropped").withSize(DROPS);
    return set.withFlags(set.flags() | NftSet.EVAL);
  }

  /** The chains; those that others lead to come first. */
  static List<NftChain> chains() {
    List<NftChain> chains = new ArrayList<>();
    for (Direction direction : List.of(Direction.EGRESS, Direction.INGRESS)) {
      chains.add(chain(peer(direction)));
      chains.add(chain("drop-" + label(direction)));
      chains.add(chain(label(direction)));
    }
    chains.addAll(SourceLowering.chains());
    chains.addAll(List.of(FORWARD, SEEN, INPUT));
    return chains;
  }

  /** The elements that are there without any row. */
  static NavigableMap<RangeKey, Entry> entries() {
    NavigableMap<RangeKey, Entry> entries = new TreeMap<>();
    for (Said said : Said.values()) {
      if (said != Said.ALLOWED) {
        entries.put(RangeKey.single(REFUSED, said.bytes()), Entry.of(said.label()));
      }
    }
    return entries;
  }

  /** The rules, each chain's in order. */
  static List<NftRule> rules() {
    List<NftRule> rules = new ArrayList<>();
    rules.addAll(SourceLowering.rules());
    rules.add(seen());
    for (Direction direction : List.of(Direction.EGRESS, Direction.INGRESS)) {
      ask(rules, direction);
      look(rules, direction);
      drop(rules, direction);
    }
    for (NftChain chain : List.of(FORWARD, INPUT)) {
      rules.add(
          NftRule.of(
              chain,
              "policies are about connections",
              List.of(
                  new Expr.Ct(Expr.CtKey.STATE, Optional.empty(), Reg.R1),
                  new Expr.Bitwise(
                      Reg.R1, Reg.R1, Bytes.host32(ESTABLISHED_OR_RELATED), Bytes.host32(0)),
                  new Expr.Cmp(Reg.R1, Expr.Op.NEQ, Bytes.host32(0)),
                  Expr.Immediate.verdict(Verdict.ACCEPT))));
      rules.add(
          NftRule.of(
              chain,
              "who has which address is no matter of policies",
              PacketFields.join(
                  PacketFields.family(Family.V6),
                  icmpv6(),
                  List.of(
                      new Expr.Payload(Reg.R1, Expr.Header.TRANSPORT, 0, 1),
                      new Expr.Cmp(Reg.R1, Expr.Op.GTE, Bytes.of(NEIGHBOUR_FIRST)),
                      new Expr.Cmp(Reg.R1, Expr.Op.LTE, Bytes.of(NEIGHBOUR_LAST)),
                      Expr.Immediate.verdict(Verdict.ACCEPT)))));
    }
    rules.add(
        NftRule.of(
            FORWARD,
            "a pod reaches itself",
            List.of(
                new Expr.Meta(Expr.MetaKey.IIFNAME, Reg.R1),
                new Expr.Meta(Expr.MetaKey.OIFNAME, Reg.R2),
                Expr.Lookup.in(ITSELF_DEVICE, Reg.R1),
                Expr.Immediate.verdict(Verdict.ACCEPT))));
    for (Family family : Family.values()) {
      rules.add(
          NftRule.of(
              FORWARD,
              family.label() + ": a pod on a bridge reaches itself",
              PacketFields.join(
                  PacketFields.family(family),
                  List.of(
                      PacketFields.source(family, 0),
                      PacketFields.destination(family, family.bytes()),
                      Expr.Lookup.in(itself(family), Reg.R1),
                      Expr.Immediate.verdict(Verdict.ACCEPT)))));
    }
    for (Direction direction : List.of(Direction.EGRESS, Direction.INGRESS)) {
      rules.add(to(FORWARD, "policies of " + label(direction), direction));
    }
    rules.add(to(INPUT, "pods that ask their own node", Direction.EGRESS));
    return rules;
  }

  private static NftRule to(NftChain from, String comment, Direction direction) {
    return NftRule.of(
        from, comment, List.of(Expr.Immediate.verdict(new Verdict.Jump(label(direction)))));
  }

  /** Behind all that policies say: what goes from port to port may go on, see BridgeLowering. */
  private static NftRule seen() {
    return NftRule.of(
        SEEN,
        "policies have seen it",
        PacketFields.join(
            List.of(
                new Expr.Meta(Expr.MetaKey.IIFNAME, Reg.R1),
                new Expr.Meta(Expr.MetaKey.OIFNAME, Reg.R2),
                Expr.Lookup.in(BRIDGES, Reg.R1)),
            say(BridgeLowering.SEEN)));
  }

  static List<Expr> icmpv6() {
    return List.of(
        new Expr.Meta(Expr.MetaKey.L4PROTO, Reg.R1),
        new Expr.Cmp(Reg.R1, Expr.Op.EQ, Bytes.of(ICMPV6)));
  }

  /** Looks up the pod's profile, and drops what this refuses. */
  private static void ask(List<NftRule> rules, Direction direction) {
    NftChain chain = chain(label(direction));
    for (Family family : Family.values()) {
      rules.add(
          NftRule.of(
              chain,
              family.label() + ": the pod's profile",
              PacketFields.join(
                  PacketFields.family(family),
                  List.of(
                      pod(direction, family, 0),
                      Expr.Lookup.map(pods(direction, family), Reg.R1, Reg.VERDICT)))));
    }
    rules.add(
        NftRule.of(
            chain,
            "may not pass",
            List.of(
                new Expr.Meta(Expr.MetaKey.PRIORITY, Reg.R1),
                Expr.Lookup.in(REFUSED, Reg.R1),
                Expr.Immediate.verdict(new Verdict.Goto("drop-" + label(direction))))));
  }

  private static Expr pod(Direction direction, Family family, int at) {
    return direction == Direction.EGRESS
        ? PacketFields.source(family, at)
        : PacketFields.destination(family, at);
  }

  private static String peer(Direction direction) {
    return direction == Direction.EGRESS ? "peer-destination" : "peer-source";
  }

  /** Gives the packet the class of its other end. */
  private static void look(List<NftRule> rules, Direction direction) {
    NftChain chain = chain(peer(direction));
    rules.add(NftRule.of(chain, "of no class", say(0)));
    for (Family family : Family.values()) {
      for (String map : List.of(peers(family), blocks(family))) {
        Expr other =
            direction == Direction.EGRESS
                ? PacketFields.destination(family, 0)
                : PacketFields.source(family, 0);
        rules.add(
            NftRule.of(
                chain,
                "by " + map,
                PacketFields.join(
                    PacketFields.family(family),
                    List.of(
                        other,
                        Expr.Lookup.map(map, Reg.R1, Reg.R1),
                        new Expr.MetaSet(Expr.MetaKey.PRIORITY, Reg.R1),
                        Expr.Immediate.verdict(Verdict.RETURN)))));
      }
    }
  }

  private static List<Expr> say(int priority) {
    return List.of(
        Expr.Immediate.load(Reg.R1, Bytes.host32(priority)),
        new Expr.MetaSet(Expr.MetaKey.PRIORITY, Reg.R1));
  }

  private static void drop(List<NftRule> rules, Direction direction) {
    NftChain chain = chain("drop-" + label(direction));
    for (Family family : Family.values()) {
      rules.add(
          NftRule.of(
              chain,
              family.label() + ": counted",
              PacketFields.join(
                  PacketFields.family(family),
                  List.of(
                      pod(direction, family, 0),
                      new Expr.Meta(Expr.MetaKey.PRIORITY, FrontendGroup.register(family.bytes())),
                      new Expr.CountAt(drops(direction, family), Reg.R1)))));
    }
    showAndDrop(rules, chain, direction == Direction.EGRESS ? DropSite.EGRESS : DropSite.INGRESS);
  }

  static void showAndDrop(List<NftRule> rules, NftChain chain, DropSite site) {
    rules.add(
        NftRule.of(
            chain,
            "shown",
            List.of(
                new Expr.Limit(LOG_RATE, 1, LOG_BURST, false, false),
                new Expr.Log(
                    site.label(), Optional.of(Marks.DROP_LOG_GROUP), 0, 0, LOG_BYTES, 1))));
    rules.add(NftRule.of(chain, "ends here", List.of(Expr.Immediate.verdict(Verdict.DROP))));
  }

  // What policies say.

  /**
   * The rules of a profile's chain.
   *
   * @param protocols those with ports of which other rules are asked than of all else
   * @param others which rules are asked of all else
   */
  static List<NftRule> gateRules(
      Direction direction, long profile, Collection<Protocol> protocols, long others) {
    NftChain chain = chain(gate(direction, profile));
    List<NftRule> rules = new ArrayList<>();
    rules.add(
        NftRule.of(
            chain,
            "the class of the other end",
            List.of(Expr.Immediate.verdict(new Verdict.Jump(peer(direction))))));
    for (Protocol protocol : protocols) {
      rules.add(
          NftRule.of(
              chain,
              protocol.label() + " ports",
              PacketFields.join(
                  PacketFields.protocol(protocol),
                  List.of(
                      PacketFields.destinationPort(0),
                      Expr.Lookup.map(ports(profile, protocol), Reg.R1, Reg.VERDICT)))));
    }
    rules.add(
        NftRule.of(
            chain, "all else", List.of(Expr.Immediate.verdict(new Verdict.Goto(asked(others))))));
    return rules;
  }

  /**
   * The rules of the chain of a list of rules.
   *
   * @param others what is said to classes that are in none of the sets
   * @param sets what else is said to some
   */
  static List<NftRule> askedRules(long peers, Said others, Collection<Said> sets) {
    NftChain chain = chain(asked(peers));
    List<NftRule> rules = new ArrayList<>();
    for (Said said : sets) {
      rules.add(
          NftRule.of(
              chain,
              said.label(),
              PacketFields.join(
                  List.of(
                      Expr.Immediate.load(FrontendGroup.register(0), high(peers)),
                      Expr.Immediate.load(FrontendGroup.register(4), low(peers)),
                      new Expr.Meta(Expr.MetaKey.PRIORITY, FrontendGroup.register(8)),
                      Expr.Lookup.in(said.label(), Reg.R1)),
                  say(said.priority()),
                  List.of(Expr.Immediate.verdict(Verdict.RETURN)))));
    }
    rules.add(
        NftRule.of(
            chain,
            "others: " + others.label(),
            PacketFields.join(
                say(others.priority()), List.of(Expr.Immediate.verdict(Verdict.RETURN)))));
    return rules;
  }

  /** A key of one of these sets as people write it; empty where it is a range of addresses. */
  static Optional<String> text(String set, Bytes low, Bytes high) {
    int name = NftType.IFNAME.length();
    if (set.equals(ITSELF_DEVICE) || set.equals(BRIDGES)) {
      return Optional.of(device(low));
    }
    for (Family family : Family.values()) {
      if (set.equals(senders(family))) {
        return Optional.of(device(low) + " " + Ip.of(low.slice(name, low.length()).toArray()));
      }
      if (set.equals(itself(family))) {
        return Optional.of(Ip.of(low.slice(0, family.bytes()).toArray()).toString());
      }
    }
    if (set.startsWith(PORTS) && low.length() == 2 && high.length() == 2) {
      return Optional.of(port(low) + "-" + port(high));
    }
    for (Said said : Said.values()) {
      if (set.equals(said.label())) {
        return Optional.of(told(low).toString());
      }
    }
    return set.equals(REFUSED)
        ? Optional.of("class %08x".formatted(FrontendKeys.host(low)))
        : Optional.empty();
  }

  /** The number of a port in a key. */
  static int port(Bytes bytes) {
    return bytes.at(0) << 8 | bytes.at(1);
  }

  /** The device that a key begins with. */
  static String device(Bytes key) {
    int end = 0;
    while (end < NftType.IFNAME.length() && key.at(end) != 0) {
      end++;
    }
    return new String(key.slice(0, end).toArray(), StandardCharsets.UTF_8);
  }

  /** A device's name as a set's key holds it. */
  static Bytes device(String name) {
    return Bytes.of(name.getBytes(StandardCharsets.UTF_8)).padded(NftType.IFNAME.length());
  }

  static Data jump(String chain) {
    return new Data.To(new Verdict.Jump(chain));
  }

  static Data go(String chain) {
    return new Data.To(new Verdict.Goto(chain));
  }
}
