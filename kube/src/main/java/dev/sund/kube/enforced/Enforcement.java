package dev.sund.kube.enforced;

import dev.sund.engine.cluster.Policy;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which policies hold on which nodes, by what the nodes say of themselves at one moment.
 *
 * <p>A policy holds on a node that was heard of lately when the node enforces everything up to the
 * policy's version, or this very generation of it. The first serves kinds without a status, whose
 * every change counts; the second kinds with one, since whoever writes a status gives the object a
 * version that no node has reason to follow.
 *
 * <p>For one thread.
 */
public final class Enforcement {
  /** How long a node's word is believed: agents renew it three times meanwhile. */
  public static final Duration BELIEVED = Duration.ofMinutes(1);

  /** Objects read at once: on nodes of a large cluster memory is dear. */
  private static final int PAGE = 100;

  /** By node, also those that say nothing. */
  private final TreeMap<String, NodePolicies> nodes = new TreeMap<>();

  private final Map<ObjectRef, TreeMap<String, Remarked>> remarks = new TreeMap<>();
  private final Instant now;

  /** A remark, and the nodes that make it. */
  private record Remarked(PolicyRemark remark, TreeSet<String> by) {}

  /**
   * A policy as the API has it.
   *
   * @param version its {@code resourceVersion}
   */
  public record Wanted(ObjectRef ref, NodePolicies.Generation generation, long version) {
    /** The policy that was read with this version. */
    public static Wanted of(Policy policy, long version) {
      return new Wanted(
          policy.ref(), new NodePolicies.Generation(policy.uid(), policy.generation()), version);
    }
  }

  /** A cluster's nodes, none of which has said anything yet. */
  public Enforcement(Collection<String> nodes, Instant now) {
    nodes.forEach(node -> this.nodes.put(node, NodePolicies.silent(node)));
    this.now = now;
  }

  /**
   * Reads what the nodes say; a server that does not have the kind has nothing to say.
   *
   * @throws IOException when the server refuses or does not answer
   */
  public static Enforcement read(ApiObjects api, Collection<String> nodes, Instant now)
      throws IOException {
    Enforcement all = new Enforcement(nodes, now);
    try {
      api.each(
          NodePolicies.PATH.all(), PAGE, object -> NodePolicies.read(object).ifPresent(all::said));
    } catch (ApiRefusal e) {
      if (!e.isNotFound()) {
        throw e;
      }
    }
    return all;
  }

  /** A node says this; what is said of no node of the cluster is passed over. */
  public void said(NodePolicies node) {
    if (nodes.replace(node.node(), node) != null) {
      for (PolicyRemark one : node.remarks()) {
        remarks
            .computeIfAbsent(one.policy(), _ -> new TreeMap<>())
            .computeIfAbsent(one.toString(), _ -> new Remarked(one, new TreeSet<>()))
            .by
            .add(node.node());
      }
    }
  }

  /** All nodes, by name. */
  public List<String> nodes() {
    return List.copyOf(nodes.keySet());
  }

  /** What a node says; nothing of one that is not there. */
  public NodePolicies of(String node) {
    return nodes.getOrDefault(node, NodePolicies.silent(node));
  }

  /** For how long a node has been silent; empty while it is believed, or has never said a thing. */
  public Optional<Duration> silent(String node) {
    return of(node)
        .seen()
        .map(seen -> Duration.between(seen, now))
        .filter(since -> since.compareTo(BELIEVED) > 0);
  }

  /** Whether a policy is in a node's kernel, as far as the node has said. */
  public boolean has(String node, Wanted policy) {
    NodePolicies said = of(node);
    if (said.versions().getOrDefault(policy.ref.kind(), -1L) >= policy.version) {
      return true;
    }
    NodePolicies.Generation generation = said.generations().get(policy.ref.name());
    return generation != null
        && policy.ref.kind().equals(Policy.CLUSTER_NETWORK_POLICY)
        && policy.generation.number() > 0
        && generation.includes(policy.generation);
  }

  /**
   * The nodes that do not enforce all of these as they are now, or have not been heard of for a
   * minute: what has been deleted or relabelled meanwhile does not hold there.
   */
  public List<String> stale(Collection<Wanted> policies) {
    return nodes.keySet().stream()
        .filter(
            node -> policies.stream().anyMatch(one -> silent(node).isPresent() || !has(node, one)))
        .toList();
  }

  /** What nodes remark on a policy, and who does, by the remark's text. */
  public Map<PolicyRemark, List<String>> remarks(ObjectRef policy) {
    Map<PolicyRemark, List<String>> found = new LinkedHashMap<>();
    remarks
        .getOrDefault(policy, new TreeMap<>())
        .values()
        .forEach(one -> found.put(one.remark, List.copyOf(one.by)));
    return found;
  }
}
