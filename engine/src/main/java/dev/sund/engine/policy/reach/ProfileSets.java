package dev.sund.engine.policy.reach;

import dev.sund.engine.program.PolicyPort;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a profile says to each class of peers, as sets of ports. */
final class ProfileSets {
  /** All verdicts of one list of rules: by class, and what is said to all others. */
  static final class Said {
    final Map<Integer, PolicyVerdict> byClass = new HashMap<>();
    @Nullable PolicyVerdict others;

    PolicyVerdict to(int peerClass) {
      @Nullable PolicyVerdict said = byClass.getOrDefault(peerClass, others);
      if (said == null) {
        throw new IllegalStateException("there is no verdict for all others");
      }
      return said;
    }
  }

  /** Ports of which the same rules are asked. */
  record Part(PortSet ports, Said said) {}

  private final List<Part> parts;
  private final Map<BitSet, PortSet> sets = new HashMap<>();
  private final Map<Integer, PortSet> byClass = new HashMap<>();
  private final PortSet others;

  ProfileSets(List<Part> parts) {
    this.parts = List.copyOf(parts);
    this.others = made(0);
    for (Part part : parts) {
      for (Integer peerClass : part.said.byClass.keySet()) {
        if (!byClass.containsKey(peerClass)) {
          byClass.put(peerClass, made(peerClass));
        }
      }
    }
  }

  /** The verdicts of all lists, by their numbers. */
  static Map<Long, Said> said(PolicyTables tables) {
    Map<Long, Said> all = new HashMap<>();
    tables
        .verdicts()
        .forEach((key, verdict) -> {
          Said said = all.computeIfAbsent(key.peers(), _ -> new Said());
          if (key.peerClass() == 0) {
            said.others = verdict;
          } else {
            said.byClass.put(key.peerClass(), verdict);
          }
        });
    return all;
  }

  /** All profiles, by their numbers. */
  static Map<Long, ProfileSets> of(PolicyTables tables) {
    Map<Long, Said> said = said(tables);
    Map<Long, Map<Long, PortSet>> ports = new LinkedHashMap<>();
    Map<Long, PolicyPort> rest = new HashMap<>();
    tables
        .ports()
        .forEach((key, row) -> {
          if (key.protocol().isEmpty()) {
            rest.put(key.profile(), row);
            ports.computeIfAbsent(key.profile(), _ -> new LinkedHashMap<>());
          } else {
            Protocol protocol = key.protocol().get();
            ports
                .computeIfAbsent(key.profile(), _ -> new LinkedHashMap<>())
                .merge(row.peers(), PortSet.of(protocol, key.first(), row.last()), PortSet::union);
          }
        });
    Map<Long, ProfileSets> all = new HashMap<>();
    ports.forEach((profile, lists) -> {
      PortSet left = PortSet.ALL;
      for (PortSet named : lists.values()) {
        left = left.minus(named);
      }
      @Nullable PolicyPort others = rest.get(profile);
      if (others == null) {
        throw new IllegalStateException("there is no row " + PolicyPort.Key.others(profile));
      }
      lists.merge(others.peers(), left, PortSet::union);
      List<Part> parts = new ArrayList<>();
      lists.forEach((peers, set) -> {
        @Nullable Said verdicts = said.get(peers);
        if (verdicts == null) {
          throw new IllegalStateException("there is no verdict " + PolicyVerdict.Key.others(peers));
        }
        parts.add(new Part(set, verdicts));
      });
      all.put(profile, new ProfileSets(parts));
    });
    return all;
  }

  /** The ports that are open to a class. */
  PortSet open(Integer peerClass) {
    return byClass.getOrDefault(peerClass, others);
  }

  /** Sets of different classes are one object where they are equal. */
  private PortSet made(int peerClass) {
    BitSet allowed = new BitSet();
    for (int i = 0; i < parts.size(); i++) {
      allowed.set(i, parts.get(i).said.to(peerClass).allowed());
    }
    @Nullable PortSet known = sets.get(allowed);
    if (known == null) {
      known = PortSet.NONE;
      for (int i = allowed.nextSetBit(0); i >= 0; i = allowed.nextSetBit(i + 1)) {
        known = known.union(parts.get(i).ports);
      }
      sets.put(allowed, known);
    }
    return known;
  }

  /** Its ports, by the rules that are asked of them. */
  List<Part> parts() {
    return parts;
  }
}
