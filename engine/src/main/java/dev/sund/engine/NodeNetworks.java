package dev.sund.engine;

import dev.sund.engine.cluster.BridgedNetwork;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.engine.program.BridgePort;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What is on this node alone, whatever is in the cluster: networks on its bridges, and the
 * containers on them, also those that have ports at the node.
 */
final class NodeNetworks {
  private final TreeMap<String, BridgedNetwork> bridges = new TreeMap<>();
  private final TreeMap<String, MappedContainer> containers = new TreeMap<>();
  private final TreeMap<String, PortOnBridge> ports = new TreeMap<>();

  /** Whether there is nothing of it. */
  boolean isEmpty() {
    return bridges.isEmpty() && containers.isEmpty() && ports.isEmpty();
  }

  /** The ranges whose rows in the masquerade table follow from it. */
  Collection<Prefix> ranges() {
    return Stream.concat(
            bridges.values().stream().flatMap(network -> network.translated().stream()),
            containers.values().stream().flatMap(one -> one.neighbourhoods().stream()))
        .toList();
  }

  /** The network on a bridge that has this subnet translated: the first by name. */
  Optional<BridgedNetwork> bridged(Prefix subnet) {
    return bridges.values().stream()
        .filter(network -> network.translated().contains(subnet))
        .findFirst();
  }

  /** A network whose containers ask each other by the node on this subnet: the first by name. */
  Optional<String> neighbourhood(Prefix subnet) {
    return containers.values().stream()
        .filter(container -> container.neighbourhoods().contains(subnet))
        .map(MappedContainer::network)
        .min(Comparator.naturalOrder());
  }

  /** The networks on bridges, by name. */
  Collection<BridgedNetwork> networks() {
    return bridges.values();
  }

  /** The containers with ports at the node, by name. */
  Collection<MappedContainer> containers() {
    return containers.values();
  }

  /** The container of this name. */
  Optional<MappedContainer> container(String key) {
    return Optional.ofNullable(containers.get(key));
  }

  /** The links of containers to bridges. */
  Collection<PortOnBridge> ports() {
    return ports.values();
  }

  /** The row of a port: of several containers that say they have it the first by key. */
  Optional<BridgePort> row(String device) {
    return port(device)
        .map(port ->
            new BridgePort(
                port.device(),
                port.bridge(),
                port.addresses(),
                RuleId.of(RuleId.CONTAINER, port.key(), ""),
                port.pod(),
                port.hairpin()));
  }

  /** The container behind a port of a bridge: of several that say they are the first by key. */
  Optional<PortOnBridge> port(String device) {
    return ports.values().stream().filter(port -> port.device().equals(device)).findFirst();
  }

  /** The container on a bridge that has this address: of several the first by key. */
  Optional<PortOnBridge> portOf(Ip address) {
    return ports.values().stream().filter(port -> port.addresses().contains(address)).findFirst();
  }

  /**
   * Takes in an event about what is on this node alone.
   *
   * @return the pods of which something else is true now
   */
  Set<PodKey> take(ClusterEvent event, HostPorts hostPorts, Touched touched) {
    if (event instanceof ClusterEvent.NetworkSeen(var network)) {
      put(network.name(), Optional.of(network), touched);
    } else if (event instanceof ClusterEvent.NetworkGone(var name)) {
      put(name, Optional.empty(), touched);
    } else if (event instanceof ClusterEvent.PortsSeen(var container)) {
      put(container.key(), Optional.of(container), hostPorts, touched);
    } else if (event instanceof ClusterEvent.PortsGone(var key)) {
      put(key, Optional.empty(), hostPorts, touched);
    } else if (event instanceof ClusterEvent.BridgeJoined(var port)) {
      return join(port.key(), Optional.of(port), touched);
    } else if (event instanceof ClusterEvent.BridgeLeft(var key)) {
      return join(key, Optional.empty(), touched);
    }
    return Set.of();
  }

  private Set<PodKey> join(String key, Optional<PortOnBridge> now, Touched touched) {
    Optional<PortOnBridge> was = put(ports, key, now);
    Set<PodKey> pods = new TreeSet<>();
    for (PortOnBridge port : Stream.concat(was.stream(), now.stream()).toList()) {
      touched.bridgePorts.add(port.device());
      port.pod().ifPresent(pods::add);
    }
    return was.equals(now) ? Set.of() : pods;
  }

  /** From now on the network of this name is so, or is none. */
  private void put(String name, Optional<BridgedNetwork> now, Touched touched) {
    Optional<BridgedNetwork> was = put(bridges, name, now);
    Stream.concat(was.stream(), now.stream())
        .forEach(network -> touched.ranges.addAll(network.translated()));
  }

  /** From now on the container of this name is so, or is none. */
  private void put(String key, Optional<MappedContainer> now, HostPorts ports, Touched touched) {
    Optional<MappedContainer> was = put(containers, key, now);
    Stream.concat(was.stream(), now.stream())
        .forEach(container -> touched.ranges.addAll(container.neighbourhoods()));
    ports.replace(key, now.map(HostPorts::wishes).orElse(List.of()), touched);
    // What is lent to whom stands in the same rows as the ports, and may differ where they do not.
    ports.ofDevice(key).forEach(wish -> touched.frontends.add(wish.key()));
  }

  private static <V> Optional<V> put(TreeMap<String, V> map, String key, Optional<V> now) {
    return Optional.ofNullable(now.isPresent() ? map.put(key, now.get()) : map.remove(key));
  }
}
