package dev.sund.dataplane.nft;

import dev.sund.dataplane.Lift;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.engine.program.PolicyPort;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftRange;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.Verdict;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The policies in force: the table {@code inet sund-policy} as rows of the policy tables.
 *
 * <p>The kernel has no room for which policies isolate a pod, for rules that say to a class what is
 * said to others too, and for ranges inside of others: these are joined from what is wanted, where
 * the kernel does what they say.
 */
public final class PolicyLift {
  private static final List<Direction> DIRECTIONS = List.of(Direction.EGRESS, Direction.INGRESS);

  private final NftContents contents;
  private final PolicyTables wanted;
  private final TreeMap<PodPolicy.Key, PodPolicy> pods = new TreeMap<>();
  private final TreeMap<PolicyPort.Key, PolicyPort> ports = new TreeMap<>();
  private final TreeMap<Prefix, PolicyPeer> peers = new TreeMap<>();
  private final TreeMap<PolicyVerdict.Key, PolicyVerdict> verdicts = new TreeMap<>();

  private PolicyLift(NftContents contents, PolicyTables wanted) {
    this.contents = contents;
    this.wanted = wanted;
  }

  /**
   * Reads the rows that the kernel's objects stand for.
   *
   * @param contents the table, empty when there is none
   * @param wanted to join from what the kernel has no room for
   */
  public static PolicyTables read(Optional<NftContents> contents, PolicyTables wanted) {
    if (contents.isEmpty() || TableCheck.isForeign(contents)) {
      return PolicyTables.EMPTY;
    }
    PolicyLift lift = new PolicyLift(contents.get(), wanted);
    lift.pods();
    lift.ports();
    for (Family family : Family.values()) {
      lift.peers(family);
      lift.blocks(family);
    }
    lift.verdicts();
    return new PolicyTables(lift.pods, lift.ports, lift.peers, lift.verdicts);
  }

  private List<NftElement> elements(String set) {
    return contents.elements().getOrDefault(set, List.of());
  }

  private static RuleId rule(String comment, RuleId same) {
    return comment.equals(MasqueradeLowering.comment(same)) ? same : rule(comment);
  }

  private static RuleId rule(String comment) {
    try {
      return RuleId.parse(comment);
    } catch (IllegalArgumentException _) {
      return Lift.STRAY;
    }
  }

  private static Optional<String> chain(Optional<Data> data) {
    return data.flatMap(value ->
        switch (value) {
          case Data.To(Verdict.Jump(var chain)) -> Optional.of(chain);
          case Data.To(Verdict.Goto(var chain)) -> Optional.of(chain);
          case Data.To _, Data.Value _ -> Optional.empty();
        });
  }

  private static int number(Optional<Data> data) {
    return data.isPresent() && data.get() instanceof Data.Value(Bytes bytes)
        ? FrontendKeys.host(bytes)
        : PolicyPeer.OTHERS;
  }

  private void pods() {
    for (Direction direction : DIRECTIONS) {
      for (Family family : Family.values()) {
        for (NftElement element : elements(PolicyLowering.pods(direction, family))) {
          PodPolicy.Key key = new PodPolicy.Key(Ip.of(element.key().toArray()), direction);
          chain(element.data())
              .flatMap(
                  chain -> PolicyLowering.number(chain, PolicyLowering.label(direction) + "-", ""))
              .ifPresent(profile -> {
                PodPolicy same = wanted.pods().get(key);
                pods.put(
                    key, new PodPolicy(key, profile, same == null ? List.of() : same.isolating()));
              });
        }
      }
    }
  }

  /** Which rules a chain asks of all that is left at its end. */
  private static Optional<Long> last(List<NftRule> rules) {
    if (rules.isEmpty() || rules.getLast().expressions().isEmpty()) {
      return Optional.empty();
    }
    return rules.getLast().expressions().getLast() instanceof Expr.Immediate(var _, var data)
        ? chain(Optional.of(data)).flatMap(PolicyLift::asked)
        : Optional.empty();
  }

  private static Optional<Long> asked(String chain) {
    return PolicyLowering.number(chain, "peers-", "");
  }

  private void ports() {
    for (Map.Entry<String, List<NftRule>> chain : contents.rules().entrySet()) {
      for (Direction direction : DIRECTIONS) {
        PolicyLowering.number(chain.getKey(), PolicyLowering.label(direction) + "-", "")
            .ifPresent(profile -> {
              PolicyPort.Key key = PolicyPort.Key.others(profile);
              last(chain.getValue())
                  .ifPresent(peers -> ports.put(key, new PolicyPort(key, 0, peers)));
            });
      }
    }
    for (String set : contents.sets().keySet()) {
      for (Protocol protocol : Protocol.values()) {
        PolicyLowering.number(set, "ports-", "-" + protocol.label())
            .ifPresent(profile -> {
              for (NftRange range : NftRange.join(elements(set))) {
                PolicyPort.Key key =
                    new PolicyPort.Key(
                        profile, Optional.of(protocol), PolicyLowering.port(range.low()));
                int last = PolicyLowering.port(range.high());
                chain(range.start().data())
                    .flatMap(PolicyLift::asked)
                    .ifPresent(peers -> ports.put(key, new PolicyPort(key, last, peers)));
              }
            });
      }
    }
  }

  private void peers(Family family) {
    for (NftElement element : elements(PolicyLowering.peers(family))) {
      Prefix range = Prefix.host(Ip.of(element.key().toArray()));
      peer(range, number(element.data()), element.comment());
    }
  }

  private void peer(Prefix range, int peerClass, String comment) {
    PolicyPeer same = wanted.peers().get(range);
    peers.put(
        range,
        new PolicyPeer(
            range, peerClass, same == null ? rule(comment) : rule(comment, same.rule())));
  }

  /** Ranges that are wanted and whose pieces are all there; what is left as ranges of its own. */
  private void blocks(Family family) {
    String set = PolicyLowering.blocks(family);
    Map<RangeKey, NftRange> left = new HashMap<>();
    NftRange.join(elements(set))
        .forEach(range -> left.put(new RangeKey(set, range.low(), range.high()), range));
    NavigableMap<Prefix, PolicyPeer> rows = new TreeMap<>();
    wanted
        .peers()
        .forEach((range, row) -> {
          if (range.family() == family && range.length() < family.bits()) {
            rows.put(range, row);
          }
        });
    Map<RangeKey, PolicyPeer> owners = PolicyEntries.owners(set, rows);
    for (PolicyPeer row : rows.values()) {
      boolean whole = true;
      for (Map.Entry<RangeKey, PolicyPeer> piece : owners.entrySet()) {
        if (piece.getValue() == row) {
          NftRange there = left.get(piece.getKey());
          whole &= there != null && number(there.start().data()) == row.peerClass();
        }
      }
      if (whole) {
        peers.put(row.range(), row);
      }
    }
    owners.forEach((piece, row) -> {
      if (row.equals(peers.get(row.range()))) {
        left.remove(piece);
      }
    });
    left.values().forEach(range -> split(range, family));
  }

  /** A range as the prefixes that it is made of. */
  private void split(NftRange range, Family family) {
    Bytes at = range.low();
    boolean over = false;
    while (!over && at.compareTo(range.high()) <= 0) {
      Ip first = Ip.of(at.toArray());
      int length = 0;
      while (!fits(Prefix.around(first, length), first, range.high()) && length < family.bits()) {
        length++;
      }
      Prefix prefix = Prefix.around(first, length);
      if (!peers.containsKey(prefix)) {
        peer(prefix, number(range.start().data()), range.comment());
      }
      at = Bytes.of(prefix.last()).next();
      over = at.isZero();
    }
  }

  private static boolean fits(Prefix prefix, Ip first, Bytes last) {
    return prefix.address().equals(first) && Bytes.of(prefix.last()).compareTo(last) <= 0;
  }

  private void verdicts() {
    for (Said said : Said.values()) {
      for (NftElement element : elements(said.label())) {
        verdict(PolicyLowering.told(element.key()), said, element.comment());
      }
    }
    for (Map.Entry<String, List<NftRule>> chain : contents.rules().entrySet()) {
      Optional<Long> number = asked(chain.getKey());
      if (number.isEmpty()) {
        continue;
      }
      Optional<Said> others = said(chain.getValue());
      if (others.isEmpty()) {
        continue;
      }
      verdict(PolicyVerdict.Key.others(number.get()), others.get(), "");
      PolicyVerdict.Key first = new PolicyVerdict.Key(number.get(), 0);
      wanted
          .verdicts()
          .tailMap(first)
          .forEach((key, row) -> {
            if (key.peers() == number.get() && Said.of(row) == others.get()) {
              verdicts.putIfAbsent(key, row);
            }
          });
    }
  }

  private void verdict(PolicyVerdict.Key key, Said said, String comment) {
    PolicyVerdict same = wanted.verdicts().get(key);
    if (same != null
        && Said.of(same) == said
        && (comment.isEmpty() || comment.equals(MasqueradeLowering.comment(same.rule())))) {
      verdicts.put(key, same);
    } else {
      verdicts.put(key, new PolicyVerdict(key, said == Said.ALLOWED, rule(comment)));
    }
  }

  /** What the chain of a list says to others. */
  private static Optional<Said> said(List<NftRule> rules) {
    if (rules.isEmpty()
        || rules.getLast().expressions().isEmpty()
        || !(rules.getLast().expressions().getFirst()
            instanceof Expr.Immediate(var _, Data.Value(Bytes priority)))) {
      return Optional.empty();
    }
    return Said.ofPriority(FrontendKeys.host(priority));
  }
}
