package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.LabelSelector;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A policy about pods' connections: a NetworkPolicy of a namespace, or a ClusterNetworkPolicy. Both
 * say the same things in other words, so that one compiler serves both.
 *
 * <p>Of a connection, tier {@code ADMIN} is asked first, then {@code NAMESPACE}, then {@code
 * BASELINE}. In the cluster's tiers, policies are asked by priority and name, rules in their order,
 * and the first whose peer and port fit decides; {@code PASS} ends the tier. In tier {@code
 * NAMESPACE} order does not matter: when any policy isolates the pod in the direction, the
 * connection goes on if a rule of one of them allows it, and ends here if none does; nothing
 * further is asked. What no tier decides goes on.
 *
 * @param ref kind and name, a NetworkPolicy's with its namespace
 * @param uid {@code metadata.uid}
 * @param created {@code metadata.creationTimestamp} in seconds since 1970
 * @param generation {@code metadata.generation}
 * @param tier when it is asked
 * @param priority its place in its tier, 0 to 1000, the lowest first; 0 in tier {@code NAMESPACE}
 * @param subject whose connections it is about
 * @param isolates in tier {@code NAMESPACE} the directions in which it isolates its pods ({@code
 *     policyTypes}); empty in the others
 * @param rules in their order, {@code INGRESS} before {@code EGRESS}
 * @see <a href="https://kubernetes.io/docs/concepts/services-networking/network-policies/">Network
 *     Policies</a>
 */
public record Policy(
    ObjectRef ref,
    String uid,
    long created,
    long generation,
    Tier tier,
    int priority,
    Pods subject,
    Set<RuleId.Direction> isolates,
    List<Rule> rules) {

  /** The kind of namespaces' policies. */
  public static final String NETWORK_POLICY = "NetworkPolicy";

  /** The kind of the cluster's policies. */
  public static final String CLUSTER_NETWORK_POLICY = "ClusterNetworkPolicy";

  public Policy {
    Checks.range("priority", priority, 0, 1000);
    EnumSet<RuleId.Direction> directions = EnumSet.noneOf(RuleId.Direction.class);
    directions.addAll(isolates);
    Checks.that(
        tier == Tier.NAMESPACE || directions.isEmpty(), ref + " isolates, and is no NetworkPolicy");
    isolates = Set.copyOf(directions);
    rules = List.copyOf(rules);
  }

  /** The identity of one of its rules; {@code index} counts within a direction. */
  public RuleId ruleId(RuleId.Direction direction, int index) {
    return new RuleId(ref, uid, direction, index);
  }

  /** When a policy is asked. */
  public enum Tier {
    /** A ClusterNetworkPolicy before all of namespaces' policies. */
    ADMIN,
    /** A NetworkPolicy. */
    NAMESPACE,
    /** A ClusterNetworkPolicy for what namespaces leave open. */
    BASELINE
  }

  /** What becomes of a connection that a rule fits. */
  public enum Action {
    /** It goes on. The only action of NetworkPolicies. */
    ACCEPT,
    /** It ends here. */
    DENY,
    /** The rest of the tier is not asked. */
    PASS
  }

  /**
   * One rule.
   *
   * @param direction INGRESS or EGRESS
   * @param index its place among the rules of its direction, from 0
   * @param name what its policy calls it, empty when it has no name
   * @param action what becomes of a connection that it fits
   * @param peers any of them fits the other end; without any nobody does: a rule of the API without
   *     peers has {@link Anyone}
   * @param ports any of them fits the destination's port; without any none does: a rule of the API
   *     without ports has {@link AllPorts}
   */
  public record Rule(
      RuleId.Direction direction,
      int index,
      String name,
      Action action,
      List<Peer> peers,
      List<PeerPort> ports) {
    public Rule {
      Checks.that(direction != RuleId.Direction.NONE, "a rule is about a direction");
      peers = List.copyOf(peers);
      ports = List.copyOf(ports);
    }
  }

  /** Who is at the other end. Pods on their node's network are no pods here, only addresses. */
  public sealed interface Peer permits Anyone, Pods, Block, Nodes {}

  /** Every address. */
  public record Anyone() implements Peer {}

  /**
   * Pods by their labels, of namespaces by theirs.
   *
   * @param namespace the name of the one namespace that they are in; empty when {@code namespaces}
   *     says which
   * @param namespaces which namespaces, {@link LabelSelector#ALL} where {@code namespace} is given
   * @param pods which pods in these
   */
  public record Pods(Optional<String> namespace, LabelSelector namespaces, LabelSelector pods)
      implements Peer {
    /** Pods of one namespace. */
    public static Pods in(String namespace, LabelSelector pods) {
      return new Pods(Optional.of(namespace), LabelSelector.ALL, pods);
    }

    /** Pods of all namespaces that a selector selects. */
    public static Pods of(LabelSelector namespaces, LabelSelector pods) {
      return new Pods(Optional.empty(), namespaces, pods);
    }

    /**
     * Whether a pod is one of them.
     *
     * @param in the pod's namespace
     * @param its that namespace's labels; null while it is not known, and then only what selects
     *     all namespaces finds its pods
     * @param labels the pod's
     */
    public boolean has(String in, @Nullable Map<String, String> its, Map<String, String> labels) {
      boolean there =
          namespace.isPresent()
              ? namespace.get().equals(in)
              : namespaces.isAll() || (its != null && namespaces.matches(its));
      return there && pods.matches(labels);
    }
  }

  /**
   * Addresses, pods' too.
   *
   * @param range all in it
   * @param except but for these, each within {@code range}
   */
  public record Block(Prefix range, List<Prefix> except) implements Peer {
    public Block {
      except = List.copyOf(except);
    }
  }

  /**
   * The addresses of nodes, by the nodes' labels; only in egress rules of the cluster's policies.
   *
   * @param nodes which nodes
   */
  public record Nodes(LabelSelector nodes) implements Peer {}

  /** Which ports of the destination. */
  public sealed interface PeerPort permits AllPorts, PortRange, NamedPort {}

  /** Every protocol and port, and what has no ports. */
  public record AllPorts() implements PeerPort {}

  /**
   * Ports by number.
   *
   * @param protocol TCP, UDP or SCTP
   * @param first 0 for all of the protocol, else 1 to 65535
   * @param last inclusive
   */
  public record PortRange(Protocol protocol, int first, int last) implements PeerPort {
    public PortRange {
      Checks.range("first port", first, 0, 65535);
      Checks.range("last port", last, first, 65535);
    }

    /** All ports of a protocol. */
    public static PortRange all(Protocol protocol) {
      return new PortRange(protocol, 0, 65535);
    }
  }

  /**
   * A port by the name that the pod at the destination gives it; a pod without such a name has no
   * such port.
   *
   * @param protocol TCP, UDP or SCTP; empty when the name says it (in the cluster's policies)
   * @param name the name of a container's port
   */
  public record NamedPort(Optional<Protocol> protocol, String name) implements PeerPort {}
}
