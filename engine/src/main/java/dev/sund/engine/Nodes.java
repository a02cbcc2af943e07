package dev.sund.engine;

import dev.sund.engine.cluster.Node;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The cluster's nodes: as the API has them, and in force, with the addresses and pod ranges that
 * they hold. Who holds what changes by the claims that {@link ClusterState} makes; after each event
 * it says so by {@link #changed}.
 */
final class Nodes {
  private final Map<NodeName, Node> nodes = new HashMap<>();

  /** All nodes' addresses, with how many nodes say they have them. */
  private final NavigableMap<Ip, Integer> everyAddress = new TreeMap<>();

  /** Nodes' pod ranges. */
  private final Claims ranges = new Claims();

  /** Who holds single addresses: nodes, and pods. */
  private final Claims addresses;

  /** What {@link #inForce} said since the last event: asked several times for each row. */
  private final Map<NodeName, Optional<Node>> inForce = new HashMap<>();

  Nodes(Claims addresses) {
    this.addresses = addresses;
  }

  /** Makes {@code now} the node of this name; the one before it. Its claims are made elsewhere. */
  Optional<Node> put(NodeName name, Optional<Node> now) {
    Optional<Node> was =
        Optional.ofNullable(now.isPresent() ? nodes.put(name, now.get()) : nodes.remove(name));
    if (!was.equals(now)) {
      was.ifPresent(node ->
          node.everyAddress()
              .forEach(ip -> everyAddress.merge(ip, -1, (n, less) -> n == 1 ? null : n + less)));
      now.ifPresent(
          node -> node.everyAddress().forEach(ip -> everyAddress.merge(ip, 1, Integer::sum)));
    }
    return was;
  }

  /** Claims may have changed. */
  void changed() {
    inForce.clear();
  }

  /** As the API has them. */
  Collection<Node> all() {
    return Collections.unmodifiableCollection(nodes.values());
  }

  Collection<NodeName> names() {
    return nodes.keySet();
  }

  /** The node as the API has it. */
  Optional<Node> get(NodeName name) {
    return Optional.ofNullable(nodes.get(name));
  }

  /** The node with those of its addresses and pod ranges that it holds. */
  Optional<Node> inForce(NodeName name) {
    return inForce.computeIfAbsent(name, this::inForceNow);
  }

  private Optional<Node> inForceNow(NodeName name) {
    Node node = nodes.get(name);
    if (node == null) {
      return Optional.empty();
    }
    Claimant claimant = Claimant.of(node);
    List<Ip> held = new ArrayList<>();
    for (Ip ip : node.addresses()) {
      if (addresses.holds(claimant, Prefix.host(ip))) {
        held.add(ip);
      }
    }
    List<Prefix> heldRanges = new ArrayList<>();
    for (Prefix cidr : node.podCidrs()) {
      if (ranges.holds(claimant, cidr) && addressIn(cidr).isEmpty()) {
        heldRanges.add(cidr);
      }
    }
    boolean whole =
        held.size() == node.addresses().size() && heldRanges.size() == node.podCidrs().size();
    return Optional.of(whole ? node : node.with(held, heldRanges));
  }

  /** Who holds which pod range. */
  Claims ranges() {
    return ranges;
  }

  /** The node whose pod range, in force, is exactly this. */
  Optional<Node> ofRange(Prefix range) {
    Optional<Claimant> holder = ranges.holder(range);
    if (holder.isEmpty()) {
      return Optional.empty();
    }
    Optional<Node> node = inForce(new NodeName(holder.get().name()));
    return node.isPresent() && node.get().podCidrs().contains(range) ? node : Optional.empty();
  }

  /** The node whose range contains all of {@code range}, if one does and is in force. */
  Optional<Node> covering(Prefix range) {
    return ranges.covering(range).flatMap(claim -> ofRange(claim.range()));
  }

  /**
   * A node's address inside of a range. A pod range with one is not routed: it would take the
   * packets between the nodes themselves.
   */
  Optional<Ip> addressIn(Prefix range) {
    Ip next = everyAddress.ceilingKey(range.address());
    return next != null && range.contains(next) ? Optional.of(next) : Optional.empty();
  }

  /** Whether a node has this address. */
  boolean haveAddress(Ip ip) {
    return everyAddress.containsKey(ip);
  }
}
