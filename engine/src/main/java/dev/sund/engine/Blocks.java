package dev.sund.engine;

import dev.sund.engine.cluster.AddressBlock;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The blocks of pools' addresses by name, range, node and borrowed address. Blocks of different
 * sizes may overlap for as long as a pool's change takes; then the smaller one counts, as in the
 * kernel's table of routes.
 */
final class Blocks {
  private final Map<String, AddressBlock> byName = new TreeMap<>();
  private final NavigableMap<Prefix, AddressBlock> byRange = new TreeMap<>();
  private final NavigableMap<Integer, Integer> lengths = new TreeMap<>();

  /** By borrowed address, the borrower by the range of the block: the last one is the smallest. */
  private final NavigableMap<Prefix, NavigableMap<Prefix, NodeName>> borrowers = new TreeMap<>();

  private final Index<NodeName, Prefix> ofNode = new Index<>();

  /** Makes {@code now} the block of this name; the ranges that packets may now take other ways. */
  Set<Prefix> replace(String name, Optional<AddressBlock> now) {
    Optional<AddressBlock> was =
        now.isPresent()
            ? Optional.ofNullable(byName.put(name, now.get()))
            : Optional.ofNullable(byName.remove(name));
    if (was.equals(now)) {
      return Set.of();
    }
    was.ifPresent(this::drop);
    now.ifPresent(this::keep);
    Set<Prefix> touched = new HashSet<>();
    boolean same =
        was.isPresent()
            && now.isPresent()
            && was.get().node().equals(now.get().node())
            && was.get().uid().equals(now.get().uid());
    Set<Map.Entry<Ip, NodeName>> before = borrowers(was);
    Set<Map.Entry<Ip, NodeName>> after = borrowers(now);
    Stream.concat(was.stream(), now.stream())
        .filter(block -> !same)
        .forEach(block -> touched.add(block.cidr()));
    Stream.concat(before.stream(), after.stream())
        .filter(each -> !same || !before.contains(each) || !after.contains(each))
        .forEach(each -> touched.add(Prefix.host(each.getKey())));
    return touched;
  }

  private static Set<Map.Entry<Ip, NodeName>> borrowers(Optional<AddressBlock> block) {
    return block.map(AddressBlock::borrowers).map(Set::copyOf).orElse(Set.of());
  }

  private void drop(AddressBlock block) {
    byRange.remove(block.cidr());
    lengths.computeIfPresent(block.cidr().length(), (_, n) -> n == 1 ? null : n - 1);
    block.node().ifPresent(node -> ofNode.remove(node, block.cidr()));
    block
        .borrowers()
        .forEach(each -> {
          Prefix host = Prefix.host(each.getKey());
          NavigableMap<Prefix, NodeName> by = borrowers.get(host);
          if (by != null) {
            by.remove(block.cidr());
            if (by.isEmpty()) {
              borrowers.remove(host);
            }
          }
          ofNode.remove(each.getValue(), host);
        });
  }

  private void keep(AddressBlock block) {
    byRange.put(block.cidr(), block);
    lengths.merge(block.cidr().length(), 1, Integer::sum);
    block.node().ifPresent(node -> ofNode.put(node, block.cidr()));
    block
        .borrowers()
        .forEach(each -> {
          Prefix host = Prefix.host(each.getKey());
          borrowers.computeIfAbsent(host, _ -> new TreeMap<>()).put(block.cidr(), each.getValue());
          ofNode.put(each.getValue(), host);
        });
  }

  /** A way that blocks show: to which node, by which block. */
  record Way(NodeName node, AddressBlock block) {}

  /** The way to exactly this range: a borrowed address, or a whole block. */
  Optional<Way> to(Prefix range) {
    NavigableMap<Prefix, NodeName> by = borrowers.get(range);
    if (by != null) {
      AddressBlock block = byRange.get(by.lastKey());
      if (block != null) {
        return Optional.of(new Way(by.lastEntry().getValue(), block));
      }
    }
    AddressBlock block = byRange.get(range);
    return block == null ? Optional.empty() : block.node().map(node -> new Way(node, block));
  }

  /** The way that packets to this address take by what the blocks say. */
  Optional<Way> over(Prefix host) {
    Optional<Way> exact = to(host);
    if (exact.isPresent()) {
      return exact;
    }
    for (int length : lengths.descendingKeySet()) {
      if (length < host.length()) {
        Optional<Way> way = to(Prefix.around(host.address(), length));
        if (way.isPresent()) {
          return way;
        }
      }
    }
    return Optional.empty();
  }

  /** The block that is exactly this range. */
  Optional<AddressBlock> at(Prefix range) {
    return Optional.ofNullable(byRange.get(range));
  }

  /** The block of this name. */
  Optional<AddressBlock> block(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** The blocks that contain this address. */
  Collection<AddressBlock> containing(Ip ip) {
    return lengths.keySet().stream()
        .filter(length -> length <= ip.family().bits())
        .flatMap(length -> Optional.ofNullable(byRange.get(Prefix.around(ip, length))).stream())
        .toList();
  }

  /** The ranges whose packets go to this node by what the blocks say. */
  Collection<Prefix> of(NodeName node) {
    return ofNode.of(node);
  }

  /** All blocks. */
  Collection<AddressBlock> all() {
    return byName.values();
  }

  /** All ranges that blocks show ways to. */
  List<Prefix> ranges() {
    return Stream.concat(byRange.keySet().stream(), borrowers.keySet().stream()).toList();
  }
}
