package dev.sund.engine.policy;

import dev.sund.engine.cluster.Policy;
import dev.sund.model.Port;
import dev.sund.model.Protocol;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A port's name that a rule about the way out uses: what it means depends on the pod at the other
 * end, so that it is a part of classes.
 */
final class PortName implements Comparable<PortName> {
  final Policy.NamedPort content;
  final Digest.Value digest;

  /** How many atoms' rules use it; it is forgotten without any. */
  int uses;

  /** The classes of pods that have such a port. */
  final Set<PeerClass> classes = new HashSet<>();

  /** The lists in which a rule for everyone waits for it. */
  final Set<AskedRules> lists = new HashSet<>();

  /** Which ports pods mean by it, and how many classes each. */
  private final TreeMap<Integer, Integer> numbers = new TreeMap<>();

  PortName(Policy.NamedPort content) {
    this.content = content;
    this.digest =
        new Digest()
            .text(content.protocol().map(Protocol::label).orElse(""))
            .text(content.name())
            .done();
  }

  /** Protocol and number of a port in one number. */
  static int code(Protocol protocol, int number) {
    return protocol.ordinal() << 16 | number;
  }

  static Protocol protocol(int code) {
    return Protocol.values()[code >>> 16];
  }

  static int number(int code) {
    return code & 0xffff;
  }

  /** The codes of the ports that a pod with these ports calls so. */
  static NavigableSet<Integer> meant(Policy.NamedPort name, List<Port> ports) {
    NavigableSet<Integer> meant = new TreeSet<>();
    for (Port port : ports) {
      if (port.name().equals(name.name())
          && (name.protocol().isEmpty() || name.protocol().get() == port.protocol())) {
        meant.add(code(port.protocol(), port.number()));
      }
    }
    return meant;
  }

  /** A class comes in whose pods mean these; true when one of them is new. */
  boolean means(Set<Integer> codes) {
    boolean fresh = false;
    for (int code : codes) {
      fresh |= numbers.merge(code, 1, Integer::sum) == 1;
    }
    return fresh;
  }

  /** A class goes; true when nobody means one of these any more. */
  boolean meansNoMore(Set<Integer> codes) {
    boolean last = false;
    for (int code : codes) {
      last |= numbers.merge(code, -1, (was, less) -> was + less == 0 ? null : was + less) == null;
    }
    return last;
  }

  /** The ports that pods mean by it. */
  Set<Integer> numbers() {
    return numbers.keySet();
  }

  @Override
  public int compareTo(PortName other) {
    return digest.compareTo(other.digest);
  }
}
