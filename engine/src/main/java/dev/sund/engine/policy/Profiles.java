package dev.sund.engine.policy;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.program.PolicyPort;
import dev.sund.model.Port;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Which rules are asked of which ports: the profiles of this node's pods, and their rows. */
final class Profiles {
  /** The rule of pods that nobody knows. */
  static final RuleId UNKNOWN = RuleId.builtin("pod-unknown");

  private static final List<Protocol> WITH_PORTS =
      List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP);

  private final Verdicts verdicts;
  private final Map<Long, Profile> known = new HashMap<>();
  private final Set<Profile> touched = new LinkedHashSet<>();
  private final Rows<PolicyPort.Key, PolicyPort> rows = new Rows<>();

  /** Made since the last settling, by what they were made of. */
  private final Map<Asking, Profile> recent = new HashMap<>();

  /** What a profile is made of: policies, and the ports of the pod where its names count. */
  private record Asking(Direction direction, List<Stated> policies, List<Port> ports) {}

  /**
   * A rule's ports of one protocol.
   *
   * @param name by which alone they fit; null when their numbers do
   */
  private record Span(int first, int last, @Nullable PortName name) {}

  private record Spans(StatedRule rule, List<Span> spans) {}

  Profiles(Verdicts verdicts) {
    this.verdicts = verdicts;
  }

  Rows<PolicyPort.Key, PolicyPort> rows() {
    return rows;
  }

  void gains(Profile profile) {
    profile.pods++;
    touched.add(profile);
  }

  void loses(Profile profile) {
    profile.pods--;
    touched.add(profile);
  }

  /** Writes the rows of profiles that have come, and forgets those that are nobody's. */
  void settle() {
    for (Profile profile : touched) {
      if (profile.pods > 0 && !profile.live) {
        profile.live = true;
        profile.rows().forEach(row -> rows.put(row.key(), row));
        profile.ranges.forEach(range -> verdicts.gains(range.rules()));
        verdicts.gains(profile.others);
      } else if (profile.pods == 0) {
        known.remove(profile.number);
        if (profile.live) {
          profile.live = false;
          profile.rows().forEach(row -> rows.remove(row.key()));
          profile.ranges.forEach(range -> verdicts.loses(range.rules()));
          verdicts.loses(profile.others);
        }
      }
    }
    touched.clear();
    recent.clear();
  }

  /** What is said of a pod that is here and that nobody knows: nothing goes. */
  Profile closed() {
    return the(new Profile(List.of(), verdicts.the(List.of(), Optional.of(UNKNOWN))));
  }

  /**
   * What policies say of a pod in a direction; null when they say nothing.
   *
   * @param policies those that are about it, in their order
   * @param ports of the pod
   */
  @Nullable Profile of(Direction direction, List<Stated> policies, List<Port> ports) {
    List<StatedRule> rules = new ArrayList<>();
    Optional<RuleId> closedBy = isolating(direction, policies).stream().findFirst();
    for (Stated policy : policies) {
      if (closedBy.isEmpty() || policy.policy.tier() != Policy.Tier.BASELINE) {
        rules.addAll(policy.rules(direction));
      }
    }
    if (rules.isEmpty() && closedBy.isEmpty()) {
      return null;
    }
    boolean byName =
        direction == Direction.INGRESS && rules.stream().anyMatch(rule -> !rule.names.isEmpty());
    Asking asking = new Asking(direction, policies, byName ? ports : List.of());
    @Nullable Profile made = recent.get(asking);
    if (made == null) {
      made = the(make(direction, rules, closedBy, ports));
      recent.put(asking, made);
    }
    return made;
  }

  /** The policies that isolate a pod in a direction, in their order. */
  static List<RuleId> isolating(Direction direction, List<Stated> policies) {
    return policies.stream()
        .filter(policy -> policy.isolates(direction))
        .map(policy -> policy.isolation(direction))
        .toList();
  }

  private Profile the(Profile like) {
    Profile one = known.computeIfAbsent(like.number, _ -> like);
    touched.add(one);
    return one;
  }

  private Profile make(
      Direction direction, List<StatedRule> rules, Optional<RuleId> closedBy, List<Port> ports) {
    AskedRules others =
        verdicts.the(
            rules.stream()
                .filter(rule -> rule.allPorts)
                .map(rule -> new AskedRules.Asked(rule, List.of(), 0))
                .toList(),
            closedBy);
    List<Profile.Range> ranges = new ArrayList<>();
    for (Protocol protocol : WITH_PORTS) {
      List<Spans> all = new ArrayList<>();
      TreeSet<Integer> starts = new TreeSet<>();
      for (StatedRule rule : rules) {
        List<Span> spans = spans(direction, rule, protocol, ports);
        if (rule.allPorts || !spans.isEmpty()) {
          all.add(new Spans(rule, spans));
        }
        spans.forEach(span -> {
          starts.add(span.first());
          starts.add(span.last() + 1);
        });
      }
      for (int first : starts) {
        if (first <= 65535) {
          @Nullable Integer next = starts.higher(first);
          add(ranges, others, protocol, first, next == null ? 65535 : next - 1, all, closedBy);
        }
      }
    }
    return new Profile(ranges, others);
  }

  /** Appends a range, unless the same is asked as of all else; to the one before if it can be. */
  private void add(
      List<Profile.Range> ranges,
      AskedRules others,
      Protocol protocol,
      int first,
      int last,
      List<Spans> all,
      Optional<RuleId> closedBy) {
    List<AskedRules.Asked> asked = new ArrayList<>();
    for (Spans spans : all) {
      asked(spans, PortName.code(protocol, first), first).ifPresent(asked::add);
    }
    AskedRules rules = verdicts.the(asked, closedBy);
    if (rules == others) {
      return;
    }
    if (!ranges.isEmpty()) {
      Profile.Range before = ranges.getLast();
      if (before.protocol() == protocol && before.last() + 1 == first && before.rules() == rules) {
        ranges.set(
            ranges.size() - 1, new Profile.Range(protocol, before.first(), last, before.rules()));
        return;
      }
    }
    ranges.add(new Profile.Range(protocol, first, last, rules));
  }

  private static Optional<AskedRules.Asked> asked(Spans of, int code, int port) {
    if (of.rule().allPorts) {
      return Optional.of(new AskedRules.Asked(of.rule(), List.of(), 0));
    }
    List<PortName> names = new ArrayList<>();
    for (Span span : of.spans()) {
      if (span.first() <= port && port <= span.last()) {
        @Nullable PortName name = span.name();
        if (name == null) {
          return Optional.of(new AskedRules.Asked(of.rule(), List.of(), 0));
        }
        names.add(name);
      }
    }
    return names.isEmpty()
        ? Optional.empty()
        : Optional.of(new AskedRules.Asked(of.rule(), names.stream().sorted().toList(), code));
  }

  /**
   * A rule's ports of a protocol: names are this pod's on the way in, the peers' on the way out.
   */
  private static List<Span> spans(
      Direction direction, StatedRule rule, Protocol protocol, List<Port> ports) {
    List<Span> spans = new ArrayList<>();
    for (Policy.PortRange range : rule.ranges) {
      if (range.protocol() == protocol) {
        spans.add(new Span(range.first(), range.last(), null));
      }
    }
    if (direction == Direction.INGRESS) {
      for (Policy.NamedPort name : rule.names) {
        for (int code : PortName.meant(name, ports)) {
          if (PortName.protocol(code) == protocol) {
            spans.add(new Span(PortName.number(code), PortName.number(code), null));
          }
        }
      }
      return spans;
    }
    for (PortName name : rule.portNames) {
      for (int code : name.numbers()) {
        if (PortName.protocol(code) == protocol) {
          spans.add(new Span(PortName.number(code), PortName.number(code), name));
        }
      }
    }
    return spans;
  }
}
