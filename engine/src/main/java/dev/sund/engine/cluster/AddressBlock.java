package dev.sund.engine.cluster;

import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A block of a pool's addresses, as far as packets are concerned: which node they go to. What that
 * node itself has claimed of it changes nothing for them.
 *
 * @param name {@code metadata.name}
 * @param uid {@code metadata.uid}
 * @param pool the name of the pool that it was cut from
 * @param cidr its range
 * @param node the node that the range as a whole is routed to; empty for a block that lies idle or
 *     has borrowers only
 * @param borrowed by node, which addresses of it this node may give although the range does not go
 *     there; ascending
 */
public record AddressBlock(
    String name,
    String uid,
    String pool,
    Prefix cidr,
    Optional<NodeName> node,
    NavigableMap<NodeName, List<Ip>> borrowed) {
  public AddressBlock {
    NavigableMap<NodeName, List<Ip>> copy = new TreeMap<>();
    borrowed.forEach((borrower, ips) -> copy.put(borrower, List.copyOf(ips)));
    borrowed = Collections.unmodifiableNavigableMap(copy);
  }

  /** Whether packets to this address go to this node by what the block says. */
  public boolean leads(Ip ip, NodeName name) {
    return cidr.contains(ip)
        && (node.equals(Optional.of(name)) || borrowed.getOrDefault(name, List.of()).contains(ip));
  }

  /** Every borrowed address with its borrower. */
  public List<Map.Entry<Ip, NodeName>> borrowers() {
    List<Map.Entry<Ip, NodeName>> all = new ArrayList<>();
    borrowed.forEach((borrower, ips) -> ips.forEach(ip -> all.add(Map.entry(ip, borrower))));
    return all;
  }
}
