package dev.sund.engine.policy;

import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.program.PodPolicy;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.PolicyLookup;
import dev.sund.engine.program.PolicyTables;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the {@link PolicyTables} of one node. It is told what there is, in any order and any number
 * of times, and {@link #compile} tells what that changed; what the tables are depends on the last
 * words alone.
 *
 * <pre>
 *   compiler.put(policy);
 *   compiler.put(pod);
 *   compiler.attach(pod.key(), addresses); // one of this node
 *   PolicyDelta delta = compiler.compile();
 * </pre>
 *
 * <p>A pod that is here and was not told, or is told to have finished, is closed in both
 * directions: nobody knows which policies are about it. So nothing may be enforced before the first
 * full list has been told.
 *
 * <p>Used by one thread.
 */
public final class PolicyCompiler {
  private static final List<Direction> DIRECTIONS = List.of(Direction.INGRESS, Direction.EGRESS);

  private final Roster roster = new Roster();
  private final Peers peers;
  private final Verdicts verdicts = new Verdicts();
  private final Profiles profiles = new Profiles(verdicts);
  private final Rows<PodPolicy.Key, PodPolicy> rows = new Rows<>();

  private final Map<ObjectRef, Stated> policies = new HashMap<>();

  /** Policies by the namespace whose pods they can be about, the cluster's by the empty name. */
  private final Map<String, Set<Stated>> byNamespace = new HashMap<>();

  private final Set<KnownPod> here = new LinkedHashSet<>();

  /** Pods of this node that other policies may be about, or the same ones say something else. */
  private final Set<KnownPod> stale = new LinkedHashSet<>();

  /** Addresses of this node's pods whose rows may differ. */
  private final Set<Ip> staleAddresses = new TreeSet<>();

  private long serial;

  /** A compiler that knows of nothing. */
  public PolicyCompiler() {
    this(-1);
  }

  /**
   * A compiler whose classes have few numbers, for tests of what happens then.
   *
   * @param classMask the bits that numbers of classes may have
   */
  PolicyCompiler(int classMask) {
    this.peers = new Peers(roster, new Classes(classMask));
  }

  // What there is.

  /** A policy is there, or is another one under its name. */
  public void put(Policy policy) {
    @Nullable Stated was = policies.get(policy.ref());
    if (was == null || !was.policy.equals(policy)) {
      remove(policy.ref());
      Stated now = new Stated(policy, serial++);
      policies.put(policy.ref(), now);
      byNamespace.computeIfAbsent(now.namespace(), _ -> new HashSet<>()).add(now);
      touchSubjects(now);
    }
  }

  /** A policy is gone. */
  public void remove(ObjectRef policy) {
    @Nullable Stated was = policies.remove(policy);
    if (was != null) {
      byNamespace.computeIfPresent(
          was.namespace(),
          (_, of) -> {
            of.remove(was);
            return of.isEmpty() ? null : of;
          });
      touchSubjects(was);
    }
  }

  private void touchSubjects(Stated policy) {
    for (KnownPod pod : here) {
      if (policy.namespace().isEmpty() || policy.namespace().equals(pod.key.namespace())) {
        stale.add(pod);
      }
    }
  }

  /** A namespace is there, or has other labels. */
  public void put(Namespace namespace) {
    relabel(roster.namespace(namespace.name()), namespace.labels());
  }

  /** A namespace is gone. */
  public void removeNamespace(String name) {
    relabel(roster.namespace(name), null);
    roster.tidy(name);
  }

  private void relabel(KnownNamespace namespace, @Nullable Map<String, String> labels) {
    if (roster.relabel(namespace, labels)) {
      namespace.pods.values().forEach(pod -> peers.touch(pod.addresses()));
    }
    for (KnownPod pod : namespace.pods.values()) {
      if (pod.isHere()) {
        stale.add(pod);
      }
    }
  }

  /** A node is there, or has other labels or addresses. */
  public void put(Node node) {
    peers.touch(roster.change(node.name(), node));
  }

  /** A node is gone. */
  public void remove(NodeName node) {
    peers.touch(roster.change(node, null));
  }

  /** A pod is there, or is another one under its name, or has changed. */
  public void put(PolicyPod pod) {
    if (!pod.counts()) {
      remove(pod.key());
      return;
    }
    KnownPod known = roster.pod(pod.key());
    if (!pod.equals(known.told)) {
      change(known, () -> known.told = pod);
    }
  }

  /** A pod is gone. */
  public void remove(PodKey pod) {
    @Nullable KnownPod known = roster.podIfKnown(pod);
    if (known != null && known.told != null) {
      change(known, () -> known.told = null);
    }
  }

  /**
   * A pod is on this node, whether or not it was told.
   *
   * @param addresses that it has here, whatever it says itself; without any it is not here
   */
  public void attach(PodKey pod, Collection<Ip> addresses) {
    List<Ip> now = List.copyOf(new TreeSet<>(addresses));
    @Nullable KnownPod before = roster.podIfKnown(pod);
    if (!now.equals(before == null ? List.of() : before.attached)) {
      KnownPod known = roster.pod(pod);
      change(known, () -> known.attached = now);
    }
  }

  /** A pod is not, or no longer, on this node. */
  public void detach(PodKey pod) {
    attach(pod, List.of());
  }

  private void change(KnownPod pod, Runnable change) {
    boolean wasHere = pod.isHere();
    Set<Ip> addresses = roster.change(pod, change);
    peers.touch(addresses);
    if (pod.isHere()) {
      here.add(pod);
    } else {
      here.remove(pod);
    }
    if (wasHere || pod.isHere()) {
      stale.add(pod);
      staleAddresses.addAll(addresses);
    }
  }

  // What follows from it.

  /** Brings the tables up to date with all that was told, and tells what changed in them. */
  public PolicyDelta compile() {
    Set<KnownPod> toProfile = new LinkedHashSet<>(stale);
    stale.forEach(this::select);
    stale.clear();
    Peers.Settled settled = peers.settle();
    if (!settled.names().isEmpty()) {
      for (KnownPod pod : here) {
        if (uses(pod, settled.names())) {
          toProfile.add(pod);
        }
      }
    }
    toProfile.forEach(this::profile);
    profiles.settle();
    verdicts.settle(settled.moved());
    staleAddresses.forEach(this::write);
    staleAddresses.clear();
    return new PolicyDelta(
        rows.changes(),
        profiles.rows().changes(),
        peers.rows().changes(),
        verdicts.rows().changes());
  }

  /** The tables as they were when {@link #compile} was last called. */
  public PolicyTables tables() {
    return new PolicyTables(
        rows.all(), profiles.rows().all(), peers.rows().all(), verdicts.rows().all());
  }

  /** The same, to be asked at once: valid until something is told or compiled. */
  public PolicyLookup lookup() {
    return new PolicyLookup(
        rows.all(), profiles.rows().all(), peers.rows().all(), verdicts.rows().all());
  }

  /** The pods of this node that are closed, since they were not told. */
  public Set<PodKey> unknown() {
    Set<PodKey> unknown = new TreeSet<>();
    for (KnownPod pod : here) {
      if (pod.isUnknown()) {
        unknown.add(pod.key);
      }
    }
    return unknown;
  }

  /** The pod that has an address: of several that say it the one that counts. */
  public Optional<PodKey> holder(Ip address) {
    return Optional.ofNullable(roster.holder(address)).map(pod -> pod.key);
  }

  /** Finds the policies that are about a pod. */
  private void select(KnownPod pod) {
    List<Stated> now = new ArrayList<>();
    if (pod.isHere() && pod.told != null) {
      String namespace = pod.key.namespace();
      @Nullable Map<String, String> labels = roster.labelsOf(namespace);
      for (String where : List.of(namespace, "")) {
        for (Stated policy : byNamespace.getOrDefault(where, Set.of())) {
          if (policy.isAbout(namespace, labels, pod.told.labels())) {
            now.add(policy);
          }
        }
      }
      now.sort(null);
    }
    for (Stated policy : now) {
      if (policy.pods++ == 0) {
        peers.acquire(policy);
      }
    }
    for (Stated policy : pod.policies) {
      if (--policy.pods == 0) {
        peers.release(policy);
      }
    }
    pod.policies = List.copyOf(now);
    staleAddresses.addAll(pod.attached);
  }

  private static boolean uses(KnownPod pod, Set<PortName> names) {
    return pod.policies.stream()
        .flatMap(policy -> policy.rules(Direction.EGRESS).stream())
        .anyMatch(rule -> rule.portNames.stream().anyMatch(names::contains));
  }

  private void profile(KnownPod pod) {
    @Nullable Profile ingress = profile(pod, Direction.INGRESS);
    @Nullable Profile egress = profile(pod, Direction.EGRESS);
    gains(ingress);
    gains(egress);
    loses(pod.ingress);
    loses(pod.egress);
    pod.ingress = ingress;
    pod.egress = egress;
    staleAddresses.addAll(pod.attached);
  }

  private void gains(@Nullable Profile profile) {
    if (profile != null) {
      profiles.gains(profile);
    }
  }

  private void loses(@Nullable Profile profile) {
    if (profile != null) {
      profiles.loses(profile);
    }
  }

  private @Nullable Profile profile(KnownPod pod, Direction direction) {
    if (!pod.isHere()) {
      return null;
    }
    return pod.told == null
        ? profiles.closed()
        : profiles.of(direction, pod.policies, pod.told.ports());
  }

  private void write(Ip address) {
    @Nullable KnownPod holder = roster.holder(address);
    for (Direction direction : DIRECTIONS) {
      PodPolicy.Key key = new PodPolicy.Key(address, direction);
      @Nullable PodPolicy row = holder == null ? null : row(holder, key);
      if (row == null) {
        rows.remove(key);
      } else {
        rows.put(key, row);
      }
    }
  }

  private static @Nullable PodPolicy row(KnownPod pod, PodPolicy.Key key) {
    @Nullable Profile profile = pod.profile(key.direction());
    if (profile == null || !pod.attached.contains(key.pod())) {
      return null;
    }
    return new PodPolicy(
        key,
        profile.number,
        pod.told == null
            ? List.of(Profiles.UNKNOWN)
            : Profiles.isolating(key.direction(), pod.policies));
  }
}
