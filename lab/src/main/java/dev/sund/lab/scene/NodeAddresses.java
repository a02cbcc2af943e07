package dev.sund.lab.scene;

import dev.sund.kube.tree.Tree;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Gives nodes that state no InternalIP addresses on two subnets, in turn. */
final class NodeAddresses {
  private static final Map<Family, List<Prefix>> SUBNETS =
      Map.of(
          Family.V4,
          List.of(Prefix.parse("192.168.11.0/24"), Prefix.parse("192.168.12.0/24")),
          Family.V6,
          List.of(Prefix.parse("fd00:a::/64"), Prefix.parse("fd00:b::/64")));

  private final Ranges ranges;
  private final List<String> invented;

  NodeAddresses(Ranges ranges, List<String> invented) {
    this.ranges = ranges;
    this.invented = invented;
  }

  /** The first InternalIP of each family. */
  static List<Ip> given(Tree.Mapping node) {
    List<Ip> found = new ArrayList<>();
    for (Tree item : Trees.items(Trees.child(node, "status"), "addresses")) {
      if (item instanceof Tree.Mapping address
          && address.text("type").filter("InternalIP"::equals).isPresent()) {
        address
            .text("address")
            .flatMap(Ip::tryParse)
            .filter(ip -> found.stream().noneMatch(other -> other.family() == ip.family()))
            .ifPresent(found::add);
      }
    }
    return found;
  }

  /** Completes every node that has none. */
  void complete(Map<String, Tree.Mapping> nodes) {
    Set<Family> families = EnumSet.noneOf(Family.class);
    for (Tree.Mapping node : nodes.values()) {
      for (Ip ip : given(node)) {
        families.add(ip.family());
        ranges.take(ip);
      }
    }
    if (families.isEmpty()) {
      families.addAll(EnumSet.allOf(Family.class));
    }
    int index = 0;
    for (var node : nodes.entrySet()) {
      index++;
      if (given(node.getValue()).isEmpty()) {
        List<Ip> addresses = new ArrayList<>();
        for (Family family : families) {
          Prefix subnet = SUBNETS.getOrDefault(family, List.of()).get((index - 1) % 2);
          addresses.add(ranges.address(subnet, 10 + index));
        }
        invented.add("addresses " + addresses + " of node " + node.getKey());
        node.setValue(with(node.getValue(), addresses));
      }
    }
  }

  private static Tree.Mapping with(Tree.Mapping node, List<Ip> addresses) {
    List<Tree> items = new ArrayList<>();
    for (Ip address : addresses) {
      items.add(Trees.mapping("address", address.toString(), "type", "InternalIP"));
    }
    items.addAll(Trees.items(Trees.child(node, "status"), "addresses"));
    return node.with(
        "status", Trees.child(node, "status").with("addresses", Tree.Sequence.of(items)));
  }
}
