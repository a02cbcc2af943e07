package dev.sund.engine.policy.audit;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.reach.Decision;
import dev.sund.engine.policy.reach.Outside;
import dev.sund.engine.policy.reach.Party;
import dev.sund.engine.policy.reach.PodGroup;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.engine.policy.seen.SeenParty;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What a change of a cluster's objects opens and closes, for all pods and all ports.
 *
 * @param workloads between workloads, and between them and addresses; where nothing changes there
 *     is no entry. A pod that comes is as if nothing was open to it before, one that goes as if
 *     nothing was after
 * @param openedPairs of how many pairs of pods some port opens
 * @param closedPairs of how many some port closes
 * @param seen what becomes of connections that were seen
 */
public record WhatIf(
    SortedMap<Crossing<String>, PathChange> workloads,
    long openedPairs,
    long closedPairs,
    List<Seen> seen) {
  public WhatIf {
    workloads = Collections.unmodifiableSortedMap(workloads);
    seen = List.copyOf(seen);
  }

  /** What becomes of a connection that was seen. */
  public enum Fate {
    /** It goes on. */
    STAYS,
    /** It would be cut. */
    CUT,
    /** It is closed as things are; the change opens it. */
    OPENED,
    /** It is closed before and after. */
    CLOSED,
    /** An end of it is nobody that is known. */
    UNKNOWN
  }

  /**
   * A connection that was seen, and its fate.
   *
   * @param why who decides after the change where it does not go on; empty otherwise
   */
  public record Seen(SeenConnection connection, Fate fate, String why) {}

  /** Compares. */
  public static WhatIf of(PolicyScene before, PolicyScene after, List<SeenConnection> connections) {
    return new Comparing(before, after).all(connections);
  }

  /** Whether nothing opens or closes. */
  public boolean isNothing() {
    return workloads.isEmpty();
  }

  /** Pods that neither side tells apart. */
  private record Joint(Optional<PodGroup> before, Optional<PodGroup> after) {}

  private record Members(Joint joint, List<PodKey> pods, Map<String, Long> workloads) {}

  private static final class Comparing {
    private final Reachability before;
    private final Reachability after;
    private final Map<PodKey, String> names = new HashMap<>();
    private final List<Members> members = new ArrayList<>();
    private final List<Outside> outside;
    private final SeenEnds ends;
    private final PolicyScene sceneBefore;
    private final PolicyScene sceneAfter;
    private final SortedMap<Crossing<String>, PathChange> changes = new TreeMap<>();
    private long openedPairs;
    private long closedPairs;

    Comparing(PolicyScene before, PolicyScene after) {
      this.before = before.reachability();
      this.after = after.reachability();
      for (PolicyScene scene : List.of(before, after)) {
        for (ScenePod pod : scene.pods()) {
          if (pod.pod().counts()) {
            names.put(pod.pod().key(), pod.workload().toString());
          }
        }
      }
      this.sceneBefore = before;
      this.sceneAfter = after;
      this.ends =
          new SeenEnds(Stream.concat(before.pods().stream(), after.pods().stream()).toList());
      this.outside = refined(before, after, Set.of());
      join();
    }

    /**
     * Classes of addresses that neither side splits: those that all policies of both make.
     *
     * @param ranges that are to split them too
     */
    private static List<Outside> refined(
        PolicyScene before, PolicyScene after, Set<Prefix> ranges) {
      List<Policy> both = new ArrayList<>(after.policies());
      for (Policy policy : before.policies()) {
        ObjectRef ref = policy.ref();
        both.add(
            new Policy(
                new ObjectRef(ref.kind(), ref.name() + ".before"),
                policy.uid(),
                policy.created(),
                policy.generation(),
                policy.tier(),
                policy.priority(),
                policy.subject(),
                policy.isolates(),
                policy.rules()));
      }
      for (Prefix range : ranges) {
        both.add(naming(range));
      }
      return Reachability.of(
              both,
              after.namespaces(),
              after.nodes(),
              Stream.concat(before.pods().stream(), after.pods().stream())
                  .map(ScenePod::pod)
                  .toList())
          .outside();
    }

    /** A policy that decides nothing and yet tells a range from other addresses. */
    private static Policy naming(Prefix range) {
      return new Policy(
          new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, "range." + range),
          "",
          0,
          0,
          Policy.Tier.ADMIN,
          0,
          Policy.Pods.of(LabelSelector.ALL, LabelSelector.ALL),
          Set.of(),
          List.of(
              new Policy.Rule(
                  RuleId.Direction.INGRESS,
                  0,
                  "",
                  Policy.Action.PASS,
                  List.of(new Policy.Block(range, List.of())),
                  List.of(new Policy.AllPorts()))));
    }

    private void join() {
      Map<Joint, List<PodKey>> joint = new LinkedHashMap<>();
      names.keySet().stream()
          .sorted()
          .forEach(pod -> {
            Joint of = new Joint(before.group(pod), after.group(pod));
            joint.computeIfAbsent(of, _ -> new ArrayList<>()).add(pod);
          });
      joint.forEach((of, pods) -> {
        Map<String, Long> workloads = new TreeMap<>();
        pods.forEach(pod -> workloads.merge(name(pod), 1L, Long::sum));
        members.add(new Members(of, pods, workloads));
      });
    }

    private String name(PodKey pod) {
      return names.getOrDefault(pod, pod.toString());
    }

    WhatIf all(List<SeenConnection> connections) {
      for (Members from : members) {
        for (Members to : members) {
          pods(from, to);
        }
        outside.forEach(other -> addresses(from, other));
      }
      return new WhatIf(changes, openedPairs, closedPairs, seen(connections));
    }

    private void pods(Members from, Members to) {
      boolean same = from.joint().equals(to.joint());
      if (same && from.pods().size() == 1) {
        return;
      }
      PortSet was = open(before, from.joint().before(), to.joint().before());
      PortSet is = open(after, from.joint().after(), to.joint().after());
      if (was.equals(is)) {
        return;
      }
      from.workloads()
          .forEach((one, pods) ->
              to.workloads()
                  .forEach((other, others) -> {
                    long pairs = pods * others - (same && one.equals(other) ? pods : 0);
                    if (pairs > 0) {
                      PathChange change = PathChange.of(was, is, pairs);
                      openedPairs += change.openedPairs();
                      closedPairs += change.closedPairs();
                      changes.merge(new Crossing<>(one, other), change, PathChange::and);
                    }
                  }));
    }

    private static PortSet open(
        Reachability reach, Optional<? extends Party> from, Optional<? extends Party> to) {
      return from.isEmpty() || to.isEmpty() ? PortSet.NONE : reach.open(from.get(), to.get());
    }

    private void addresses(Members pods, Outside other) {
      String name = other.internet() ? "Internet (" + other + ")" : other.toString();
      Optional<Party> was = Optional.of(before.at(other.example()));
      Optional<Party> is = Optional.of(after.at(other.example()));
      PathChange out =
          PathChange.of(
              open(before, pods.joint().before(), was), open(after, pods.joint().after(), is), 0);
      PathChange in =
          PathChange.of(
              open(before, was, pods.joint().before()), open(after, is, pods.joint().after()), 0);
      for (String workload : pods.workloads().keySet()) {
        if (!out.isNone()) {
          changes.merge(new Crossing<>(workload, name), out, PathChange::and);
        }
        if (!in.isNone()) {
          changes.merge(new Crossing<>(name, workload), in, PathChange::and);
        }
      }
    }

    // Connections that were seen.

    /**
     * Pods, or addresses, that neither side tells apart.
     *
     * @param pods how many pods
     */
    private record End(Optional<PodKey> pod, Optional<Ip> address, long pods) {}

    /** Of each range that was seen, an address of every class that it has a part of. */
    private Map<Prefix, List<Ip>> examples(List<SeenConnection> connections) {
      Map<Prefix, List<Ip>> examples = new HashMap<>();
      for (SeenConnection connection : connections) {
        for (String name : List.of(connection.from(), connection.to())) {
          if (SeenParty.parse(name) instanceof SeenParty.Range(Prefix range) && !range.isHost()) {
            examples.put(range, new ArrayList<>());
          }
        }
      }
      if (!examples.isEmpty()) {
        for (Outside one : refined(sceneBefore, sceneAfter, examples.keySet())) {
          examples.forEach((range, some) -> {
            if (range.contains(one.example())) {
              some.add(one.example());
            }
          });
        }
      }
      return examples;
    }

    private List<Seen> seen(List<SeenConnection> connections) {
      Map<Prefix, List<Ip>> examples = examples(connections);
      return connections.stream().map(one -> seen(one, examples)).toList();
    }

    private List<End> ends(SeenParty party, Map<Prefix, List<Ip>> examples) {
      if (party instanceof SeenParty.Range(Prefix range)) {
        return (range.isHost() ? List.of(range.address()) : examples.getOrDefault(range, List.of()))
            .stream()
                .map(ip -> new End(before.pod(ip).or(() -> after.pod(ip)), Optional.of(ip), 1))
                .toList();
      }
      Map<Joint, List<PodKey>> alike = new LinkedHashMap<>();
      for (ScenePod pod : ends.pods(party)) {
        PodKey key = pod.pod().key();
        Joint of = new Joint(before.group(key), after.group(key));
        List<PodKey> pods = alike.computeIfAbsent(of, _ -> new ArrayList<>());
        if (!pods.contains(key)) {
          pods.add(key);
        }
      }
      return alike.values().stream()
          .map(pods -> new End(Optional.of(pods.getFirst()), Optional.empty(), pods.size()))
          .toList();
    }

    private static Optional<? extends Party> party(Reachability reach, End end) {
      return end.pod().isPresent() ? reach.group(end.pod().get()) : end.address().map(reach::at);
    }

    private Seen seen(SeenConnection connection, Map<Prefix, List<Ip>> examples) {
      SeenParty asking = SeenParty.parse(connection.from());
      if (asking instanceof SeenParty.OwnNode) { // N15
        return new Seen(connection, Fate.STAYS, "");
      }
      List<End> from = ends(asking, examples);
      List<End> to = ends(SeenParty.parse(connection.to()), examples);
      if (from.isEmpty() || to.isEmpty()) {
        return new Seen(
            connection,
            Fate.UNKNOWN,
            "nobody is known as " + (from.isEmpty() ? connection.from() : connection.to()));
      }
      Fate worst = Fate.STAYS;
      String why = "";
      for (End one : from) {
        for (End other : to) {
          boolean self = // N16
              one.pod().isPresent() && one.pod().equals(other.pod()) && one.pods() == 1;
          boolean was = self || goes(before, one, other, connection);
          boolean is = self || goes(after, one, other, connection);
          Fate fate = is ? was ? Fate.STAYS : Fate.OPENED : was ? Fate.CUT : Fate.CLOSED;
          if (rank(fate) > rank(worst)) {
            worst = fate;
            why = is ? "" : why(one, other, connection);
          }
        }
      }
      return new Seen(connection, worst, why);
    }

    private static int rank(Fate fate) {
      return switch (fate) {
        case STAYS -> 0;
        case OPENED -> 1;
        case CLOSED -> 2;
        case CUT -> 3;
        case UNKNOWN -> 4;
      };
    }

    private static boolean goes(Reachability reach, End from, End to, SeenConnection connection) {
      return open(reach, party(reach, from), party(reach, to))
          .contains(connection.protocol(), connection.port());
    }

    private String why(End from, End to, SeenConnection connection) {
      Optional<? extends Party> asking = party(after, from);
      Optional<? extends Party> asked = party(after, to);
      if (asking.isEmpty() || asked.isEmpty()) {
        return "an end of it is gone";
      }
      for (Family family : Family.values()) {
        for (Decision decision : after.decisions(asking.get(), asked.get(), family)) {
          if (!decision.open()
              && decision.ports().contains(connection.protocol(), connection.port())) {
            PolicyVerdict verdict =
                decision.egress().filter(one -> !one.allowed()).or(decision::ingress).orElseThrow();
            return verdict.rule().object()
                + (verdict.rule().direction() == RuleId.Direction.EGRESS
                    ? " closes the way out"
                    : " closes the way in");
          }
        }
      }
      return "they have no addresses of one family";
    }
  }
}
