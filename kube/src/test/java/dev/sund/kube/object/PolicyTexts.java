package dev.sund.kube.object;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.AllPorts;
import dev.sund.engine.cluster.Policy.Anyone;
import dev.sund.engine.cluster.Policy.Block;
import dev.sund.engine.cluster.Policy.NamedPort;
import dev.sund.engine.cluster.Policy.Nodes;
import dev.sund.engine.cluster.Policy.Peer;
import dev.sund.engine.cluster.Policy.PeerPort;
import dev.sund.engine.cluster.Policy.Pods;
import dev.sund.engine.cluster.Policy.PortRange;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.model.LabelSelector;
import dev.sund.model.ObjectRef;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Policies from YAML, and in a few words what each became. */
final class PolicyTexts {
  private PolicyTexts() {}

  /** Each document of the text, parsed. */
  static List<Parsed<Policy>> parse(String text) throws MalformedException {
    List<Parsed<Policy>> parsed = new ArrayList<>();
    for (Tree document : YamlTrees.documents(text)) {
      parsed.add(parse((Tree.Mapping) document));
    }
    return parsed;
  }

  static Parsed<Policy> parse(Tree.Mapping object) {
    Tree.Mapping metadata = object.mapping("metadata").orElseThrow();
    String name = metadata.text("name").orElseThrow();
    if (object.text("kind").orElseThrow().equals(Policy.CLUSTER_NETWORK_POLICY)) {
      return ClusterNetworkPolicyParser.parse(
          new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, name), object);
    }
    return NetworkPolicyParser.parse(
        new ObjectRef(
            Policy.NETWORK_POLICY, metadata.text("namespace").orElse("default") + "/" + name),
        object);
  }

  /** The one policy of a text that has no problems. */
  static Policy good(String text) throws MalformedException {
    List<Parsed<Policy>> parsed = parse(text);
    if (parsed.size() != 1 || !parsed.getFirst().problems().isEmpty()) {
      throw new AssertionError("one policy without problems is needed: " + parsed);
    }
    return parsed.getFirst().value().orElseThrow();
  }

  /** A NetworkPolicy {@code shop/p} of this {@code spec}, written in flow style. */
  static Policy network(String spec) throws MalformedException {
    return good(
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: p, namespace: shop}
        spec: %s
        """
            .formatted(spec));
  }

  /** A ClusterNetworkPolicy {@code p} of this {@code spec}, written in flow style. */
  static Policy cluster(String spec) throws MalformedException {
    return good(
        """
        apiVersion: policy.networking.k8s.io/v1alpha2
        kind: ClusterNetworkPolicy
        metadata: {name: p}
        spec: %s
        """
            .formatted(spec));
  }

  /** What it says, one line and one for each rule. */
  static String said(Policy policy) {
    return policy.ref()
        + ": "
        + policy.tier()
        + (policy.tier() == Policy.Tier.NAMESPACE ? "" : " " + policy.priority())
        + ", "
        + said(policy.subject())
        + policy.isolates().stream()
            .sorted()
            .map(direction -> ", isolates " + direction)
            .collect(Collectors.joining())
        + "\n"
        + policy.rules().stream().map(PolicyTexts::said).collect(Collectors.joining());
  }

  private static String said(Policy.Rule rule) {
    return "  %s %d%s %s: %s on %s\n"
        .formatted(
            rule.direction(),
            rule.index(),
            rule.name().isEmpty() ? "" : " '" + rule.name() + "'",
            rule.action(),
            rule.peers().isEmpty()
                ? "nobody"
                : rule.peers().stream().map(PolicyTexts::said).collect(Collectors.joining(" or ")),
            rule.ports().isEmpty()
                ? "nothing"
                : rule.ports().stream().map(PolicyTexts::said).collect(Collectors.joining(" or ")));
  }

  private static String said(Peer peer) {
    return switch (peer) {
      case Anyone _ -> "anyone";
      case Pods pods ->
          "pods ("
              + all(pods.pods())
              + ") of "
              + pods.namespace().orElse("(" + all(pods.namespaces()) + ")");
      case Block block ->
          block.range()
              + block.except().stream().map(part -> " but " + part).collect(Collectors.joining());
      case Nodes nodes -> "nodes (" + all(nodes.nodes()) + ")";
    };
  }

  private static String said(PeerPort port) {
    return switch (port) {
      case AllPorts _ -> "all";
      case PortRange range -> range.protocol().label() + " " + range.first() + "-" + range.last();
      case NamedPort named ->
          named.protocol().map(protocol -> protocol.label() + " ").orElse("") + named.name();
    };
  }

  private static String all(LabelSelector selector) {
    return selector.isAll() ? "all" : selector.toString();
  }
}
