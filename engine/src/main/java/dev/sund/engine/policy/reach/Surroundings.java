package dev.sund.engine.policy.reach;

import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.program.PolicyPeer;
import dev.sund.engine.program.PolicyTables;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.NavigableSet;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * All addresses that are no pod's, by their classes: from the rows of ranges that policies name.
 */
final class Surroundings {
  /** Addresses that are not reached over the Internet (RFC 6890), and none of a host's. */
  private static final List<Prefix> NOT_INTERNET =
      Stream.of(
              "0.0.0.0/8",
              "10.0.0.0/8",
              "100.64.0.0/10",
              "127.0.0.0/8",
              "169.254.0.0/16",
              "172.16.0.0/12",
              "192.0.0.0/24",
              "192.168.0.0/16",
              "198.18.0.0/15",
              "224.0.0.0/3",
              "::/3",
              "4000::/2",
              "8000::/1")
          .map(Prefix::parse)
          .toList();

  private final PolicyTables tables;
  private final NavigableSet<Prefix> pods = new TreeSet<>();

  /** Rows of ranges, and all of each family; where one repeats what is around it it is left out. */
  private final SortedMap<Prefix, Integer> classes = new TreeMap<>();

  /** A range, the ranges directly in it that are of other classes, and its pods. */
  private record Area(Prefix range, int peerClass, List<Prefix> except, List<Prefix> pods) {
    boolean isEmpty() {
      return isFull(range, Stream.concat(except.stream(), pods.stream()).toList());
    }

    /** An address that no pod has. */
    Ip example() {
      List<Prefix> left = new ArrayList<>();
      without(range, except, left);
      for (Prefix part : left) {
        Ip address = part.address();
        while (part.contains(address) && pods.contains(Prefix.host(address))) {
          address = address.plus(1);
        }
        if (part.contains(address)) {
          return address;
        }
      }
      throw new IllegalStateException(range + " has no address but pods'");
    }

    /** Whether some address of it is one of the Internet's. */
    boolean isInternet() {
      List<Prefix> taken = Stream.concat(except.stream(), pods.stream()).toList();
      List<Prefix> open = new ArrayList<>();
      without(range, NOT_INTERNET, open);
      return open.stream().anyMatch(part -> !isFull(part, taken));
    }
  }

  private Surroundings(PolicyTables tables, Collection<Ip> pods) {
    this.tables = tables;
    pods.forEach(ip -> this.pods.add(Prefix.host(ip)));
    for (Family family : Family.values()) {
      classes.put(Prefix.all(family), PolicyPeer.OTHERS);
    }
    for (PolicyPeer row : tables.peers().values()) {
      if (!this.pods.contains(row.range())) {
        classes.put(row.range(), row.peerClass());
      }
    }
  }

  /**
   * The classes that have an address.
   *
   * @param pods the addresses of pods
   */
  static List<Outside> of(PolicyTables tables, Collection<Ip> pods, Collection<Node> nodes) {
    return new Surroundings(tables, pods).classes(nodes);
  }

  private record OfFamily(Family family, int peerClass) implements Comparable<OfFamily> {
    @Override
    public int compareTo(OfFamily other) {
      int order = family.compareTo(other.family);
      return order == 0 ? Integer.compareUnsigned(peerClass, other.peerClass) : order;
    }
  }

  private List<Outside> classes(Collection<Node> nodes) {
    SortedMap<OfFamily, List<Area>> byClass = new TreeMap<>();
    for (Area area : areas()) {
      if (!area.isEmpty()) {
        byClass
            .computeIfAbsent(
                new OfFamily(area.range.family(), area.peerClass), _ -> new ArrayList<>())
            .add(area);
      }
    }
    List<Outside> found = new ArrayList<>();
    byClass.forEach((key, areas) -> {
      found.add(
          new Outside(
              found.size(),
              key.family,
              key.peerClass,
              areas.stream().map(area -> new Policy.Block(area.range, area.except)).toList(),
              areas.stream().anyMatch(Area::isInternet),
              areas.getFirst().example(),
              nodesIn(key, nodes)));
    });
    return found;
  }

  private List<NodeName> nodesIn(OfFamily key, Collection<Node> nodes) {
    return nodes.stream()
        .filter(node ->
            node.peerAddresses().stream()
                .anyMatch(ip -> ip.family() == key.family && tables.classOf(ip) == key.peerClass))
        .map(Node::name)
        .sorted()
        .toList();
  }

  /** Rows come sorted, each after those that contain it. */
  private List<Area> areas() {
    List<Area> areas = new ArrayList<>();
    List<Area> around = new ArrayList<>();
    classes.forEach((range, peerClass) -> {
      @Nullable Area parent = enclosing(around, range);
      if (parent != null && parent.peerClass == peerClass) {
        return;
      }
      Area area = new Area(range, peerClass, new ArrayList<>(), new ArrayList<>());
      if (parent != null) {
        parent.except.add(range);
      }
      around.add(area);
      areas.add(area);
    });
    for (Area area : areas) {
      for (Prefix pod : pods.subSet(area.range, true, Prefix.host(area.range.last()), true)) {
        if (area.except.stream().noneMatch(part -> part.contains(pod))) {
          area.pods.add(pod);
        }
      }
    }
    return areas;
  }

  /** The innermost of the ranges begun that contains this one; those that ended are left. */
  private static @Nullable Area enclosing(List<Area> around, Prefix range) {
    while (!around.isEmpty()) {
      Area last = around.getLast();
      if (last.range.contains(range)) {
        return last;
      }
      around.removeLast();
    }
    return null;
  }

  /** Whether others take all of a range; of these none overlaps another one. */
  private static boolean isFull(Prefix range, List<Prefix> others) {
    BigInteger taken = BigInteger.ZERO;
    for (Prefix other : others) {
      if (other.contains(range)) {
        return true;
      }
      if (range.contains(other)) {
        taken = taken.add(size(other));
      }
    }
    return taken.equals(size(range));
  }

  private static BigInteger size(Prefix range) {
    return BigInteger.ONE.shiftLeft(range.family().bits() - range.length());
  }

  /** What is left of a range without others. */
  private static void without(Prefix range, List<Prefix> others, List<Prefix> left) {
    if (others.stream().anyMatch(other -> other.contains(range))) {
      return;
    }
    if (others.stream().noneMatch(range::contains)) {
      left.add(range);
      return;
    }
    int length = range.length() + 1;
    without(Prefix.around(range.address(), length), others, left);
    without(Prefix.around(range.last(), length), others, left);
  }
}
