package dev.sund.engine.policy.reach;

import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.PolicyCompiler;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.PolicyVerdict;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Who may reach whom on which ports, in the whole cluster.
 *
 * <pre>
 *   Reachability reach = Reachability.of(policies, namespaces, nodes, pods);
 *   for (PodGroup from : reach.groups())
 *     for (PodGroup to : reach.groups())
 *       reach.open(from, to, Family.V4);     // a PortSet
 *   reach.decisions(from, to, Family.V4);    // and why
 * </pre>
 *
 * <p>Pods on their node's network and finished ones have no part in it, as for all policies; a pod
 * without an address has none either, and where several pods say one address the one that the
 * compiler believes has it ({@link #unplaced} names the others).
 *
 * <p>Answers are worked out when they are asked for and some are kept: used by one thread.
 */
public final class Reachability {
  private final PolicyTables tables;

  /** Of each group what is said of connections to it; null when nothing is. */
  private final List<@Nullable ProfileSets> ingress = new ArrayList<>();

  private final List<@Nullable ProfileSets> egress = new ArrayList<>();
  private final List<PodGroup> groups;
  private final Map<PodKey, PodGroup> groupOf = new HashMap<>();
  private final List<Outside> outside;
  private final Map<Ip, PodKey> pods;
  private final Map<PodKey, Ip> addressOf = new HashMap<>();
  private final List<PodKey> unplaced = new ArrayList<>();

  /** Intersections of sets that were asked for. */
  private final Map<Both, PortSet> both = new HashMap<>();

  /** Two sets, known by being the same objects. */
  private record Both(PortSet one, PortSet other) {
    @Override
    @SuppressWarnings("ReferenceEquality") // there are few objects, and many questions
    public boolean equals(@Nullable Object that) {
      return that instanceof Both(PortSet a, PortSet b) && a == one && b == other;
    }

    @Override
    public int hashCode() {
      return 31 * System.identityHashCode(one) + System.identityHashCode(other);
    }
  }

  /** What makes a group. */
  private record Alike(OptionalLong ingress, OptionalLong egress, Map<Family, Integer> classes) {}

  private Reachability(PolicyTables tables, Collection<Node> nodes, Map<Ip, PodKey> pods) {
    this.tables = tables;
    this.pods = pods;
    pods.forEach((ip, pod) -> addressOf.put(pod, ip));
    this.groups = grouped();
    Map<Long, ProfileSets> profiles = ProfileSets.of(tables);
    for (PodGroup group : groups) {
      ingress.add(group.ingress().isEmpty() ? null : profiles.get(group.ingress().getAsLong()));
      egress.add(group.egress().isEmpty() ? null : profiles.get(group.egress().getAsLong()));
      group.pods().forEach(pod -> groupOf.put(pod, group));
    }
    this.outside = Surroundings.of(tables, pods.keySet(), nodes);
  }

  /** Works out who can be told apart. */
  public static Reachability of(
      Collection<Policy> policies,
      Collection<Namespace> namespaces,
      Collection<Node> nodes,
      Collection<PolicyPod> pods) {
    PolicyCompiler compiler = new PolicyCompiler();
    policies.forEach(compiler::put);
    namespaces.forEach(compiler::put);
    nodes.forEach(compiler::put);
    List<PodKey> told = new ArrayList<>();
    for (PolicyPod pod : pods) {
      if (pod.counts()) {
        compiler.put(pod);
        compiler.attach(pod.key(), pod.addresses());
        told.add(pod.key());
      }
    }
    compiler.compile();
    Map<Ip, PodKey> holders = new LinkedHashMap<>();
    for (PolicyPod pod : pods) {
      for (Ip ip : pod.counts() ? pod.addresses() : List.<Ip>of()) {
        compiler.holder(ip).ifPresent(holder -> holders.put(ip, holder));
      }
    }
    Reachability reach = new Reachability(compiler.tables(), nodes, holders);
    told.stream()
        .sorted()
        .filter(pod -> !reach.groupOf.containsKey(pod))
        .forEach(reach.unplaced::add);
    return reach;
  }

  private List<PodGroup> grouped() {
    SortedMap<PodKey, Map<Family, Ip>> addresses = new TreeMap<>();
    pods.forEach((ip, pod) ->
        addresses
            .computeIfAbsent(pod, _ -> new EnumMap<>(Family.class))
            .merge(ip.family(), ip, (one, other) -> one.compareTo(other) < 0 ? one : other));
    Map<Alike, List<PodKey>> alike = new LinkedHashMap<>();
    addresses.forEach((pod, own) -> {
      Map<Family, Integer> classes = new EnumMap<>(Family.class);
      own.forEach((family, ip) -> classes.put(family, tables.classOf(ip)));
      Ip first = own.values().iterator().next();
      Alike key =
          new Alike(profile(first, Direction.INGRESS), profile(first, Direction.EGRESS), classes);
      alike.computeIfAbsent(key, _ -> new ArrayList<>()).add(pod);
    });
    List<PodGroup> made = new ArrayList<>();
    alike.forEach((key, members) ->
        made.add(new PodGroup(made.size(), members, key.classes, key.ingress, key.egress)));
    return List.copyOf(made);
  }

  private OptionalLong profile(Ip pod, Direction direction) {
    @Nullable PodPolicy row = tables.pods().get(new PodPolicy.Key(pod, direction));
    return row == null ? OptionalLong.empty() : OptionalLong.of(row.profile());
  }

  /** All groups, in the order of their first pods. */
  public List<PodGroup> groups() {
    return groups;
  }

  /** All classes of addresses that are no pod's. */
  public List<Outside> outside() {
    return outside;
  }

  /** Pods that have no part in it: without an address, or another one has it. */
  public List<PodKey> unplaced() {
    return List.copyOf(unplaced);
  }

  /** The tables of all pods, as if they were on one node. */
  public PolicyTables tables() {
    return tables;
  }

  /** The group of a pod; empty for those that have no part in it. */
  public Optional<PodGroup> group(PodKey pod) {
    return Optional.ofNullable(groupOf.get(pod));
  }

  /** The pod that has an address. */
  public Optional<PodKey> pod(Ip address) {
    return Optional.ofNullable(pods.get(address));
  }

  /** Whose address this is. */
  public Party at(Ip address) {
    @Nullable PodKey pod = pods.get(address);
    @Nullable PodGroup group = pod == null ? null : groupOf.get(pod);
    if (group != null) {
      return group;
    }
    int peerClass = tables.classOf(address);
    return outside.stream()
        .filter(one -> one.family() == address.family() && one.peerClass() == peerClass)
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(address + " is in no class of addresses"));
  }

  /** The policies that isolate a pod in a direction, in their order. */
  public List<RuleId> isolating(PodKey pod, Direction direction) {
    @Nullable Ip address = addressOf.get(pod);
    @Nullable PodPolicy row =
        address == null ? null : tables.pods().get(new PodPolicy.Key(address, direction));
    return row == null ? List.of() : row.isolating();
  }

  /**
   * The ports on which connections between two go on: both ends' policies allow them (N23).
   *
   * @param family by addresses of which; where one of the two has none nothing is open
   */
  public PortSet open(Party from, Party to, Family family) {
    @Nullable Integer asking = classOf(from, family);
    @Nullable Integer asked = classOf(to, family);
    if (asking == null || asked == null) {
      return PortSet.NONE;
    }
    PortSet egress = says(from, Direction.EGRESS, asked);
    PortSet ingress = says(to, Direction.INGRESS, asking);
    if (egress.isEmpty() || ingress.isAll()) {
      return egress;
    }
    if (egress.isAll() || ingress.isEmpty()) {
      return ingress;
    }
    return both.computeIfAbsent(
        new Both(egress, ingress), sets -> sets.one.intersection(sets.other));
  }

  /** The ports on which they go on by addresses of any family. */
  public PortSet open(Party from, Party to) {
    return open(from, to, Family.V4).union(open(from, to, Family.V6));
  }

  /**
   * The ports that the policies of one end alone allow.
   *
   * @param pods at this end
   * @param direction whether they are asked or ask
   */
  public PortSet allowed(PodGroup pods, Direction direction, Party peer, Family family) {
    @Nullable Integer peerClass = classOf(peer, family);
    return peerClass == null || !pods.classes().containsKey(family)
        ? PortSet.NONE
        : says(pods, direction, peerClass);
  }

  private static @Nullable Integer classOf(Party party, Family family) {
    return switch (party) {
      case PodGroup group -> group.classes().get(family);
      case Outside outside -> outside.family() == family ? outside.peerClass() : null;
    };
  }

  private PortSet says(Party party, Direction direction, Integer peerClass) {
    @Nullable ProfileSets profile = profile(party, direction);
    return profile == null ? PortSet.ALL : profile.open(peerClass);
  }

  private @Nullable ProfileSets profile(Party party, Direction direction) {
    return switch (party) {
      case PodGroup group -> (direction == Direction.INGRESS ? ingress : egress).get(group.index());
      case Outside _ -> null;
    };
  }

  /**
   * What decides about each port, open or not; together they are about all ports. Without any where
   * one of the two has no address of the family.
   */
  public List<Decision> decisions(Party from, Party to, Family family) {
    @Nullable Integer asking = classOf(from, family);
    @Nullable Integer asked = classOf(to, family);
    if (asking == null || asked == null) {
      return List.of();
    }
    Map<Why, PortSet> found = new LinkedHashMap<>();
    for (Side egress : sides(from, Direction.EGRESS, asked)) {
      for (Side ingress : sides(to, Direction.INGRESS, asking)) {
        PortSet ports = egress.ports.intersection(ingress.ports);
        if (!ports.isEmpty()) {
          found.merge(new Why(egress.verdict, ingress.verdict), ports, PortSet::union);
        }
      }
    }
    List<Decision> decisions = new ArrayList<>();
    found.forEach((why, ports) -> decisions.add(new Decision(ports, why.egress, why.ingress)));
    return decisions;
  }

  private record Why(Optional<PolicyVerdict> egress, Optional<PolicyVerdict> ingress) {}

  private record Side(PortSet ports, Optional<PolicyVerdict> verdict) {}

  private List<Side> sides(Party party, Direction direction, int peerClass) {
    @Nullable ProfileSets profile = profile(party, direction);
    if (profile == null) {
      return List.of(new Side(PortSet.ALL, Optional.empty()));
    }
    return profile.parts().stream()
        .map(part -> new Side(part.ports(), Optional.of(part.said().to(peerClass))))
        .toList();
  }
}
