package dev.sund.engine;

import dev.sund.engine.cluster.BridgedNetwork;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.model.Prefix;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * What is on this node alone, whatever is in the cluster: networks on its bridges, and containers
 * of such networks that have ports at the node.
 */
final class NodeNetworks {
  private final TreeMap<String, BridgedNetwork> bridges = new TreeMap<>();
  private final TreeMap<String, MappedContainer> containers = new TreeMap<>();

  /** Whether there is nothing of it. */
  boolean isEmpty() {
    return bridges.isEmpty() && containers.isEmpty();
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

  /** From now on the network of this name is so, or is none. */
  void put(String name, Optional<BridgedNetwork> now, Touched touched) {
    Optional<BridgedNetwork> was = put(bridges, name, now);
    Stream.concat(was.stream(), now.stream())
        .forEach(network -> touched.ranges.addAll(network.translated()));
  }

  /** From now on the container of this name is so, or is none. */
  void put(String key, Optional<MappedContainer> now, HostPorts ports, Touched touched) {
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
