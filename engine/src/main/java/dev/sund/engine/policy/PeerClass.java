package dev.sund.engine.policy;

import java.util.List;
import java.util.NavigableSet;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A class of peers: addresses that fit the same atoms and, where a rule asks for it, mean the same
 * ports by the same names.
 */
final class PeerClass implements Comparable<PeerClass> {
  /** The class of addresses that nothing tells from all others. */
  static final PeerClass OTHERS = new PeerClass(List.of(), new TreeMap<>());

  /** In the order of their digests. */
  final List<Atom> atoms;

  final SortedMap<PortName, NavigableSet<Integer>> ports;

  /** How many rows are of it. */
  int rows;

  /** Its number while it has rows. */
  int number;

  private final int hash;
  private Digest.@Nullable Value digest;

  PeerClass(List<Atom> atoms, SortedMap<PortName, NavigableSet<Integer>> ports) {
    this.atoms = atoms;
    this.ports = ports;
    this.hash = 31 * atoms.hashCode() + ports.hashCode();
  }

  /** Of all that makes it; made when it is first asked for. */
  Digest.Value digest() {
    if (digest == null) {
      Digest content = new Digest().number(atoms.size());
      atoms.forEach(atom -> content.value(atom.digest));
      ports.forEach((name, codes) -> {
        content.value(name.digest).number(codes.size());
        codes.forEach(content::number);
      });
      digest = content.done();
    }
    return digest;
  }

  boolean isOthers() {
    return atoms.isEmpty() && ports.isEmpty();
  }

  /** Whether its pods mean this port by a name. */
  boolean means(PortName name, int code) {
    @Nullable NavigableSet<Integer> codes = ports.get(name);
    return codes != null && codes.contains(code);
  }

  /** The numbers that it would have, in the order of preference; some of them 0. */
  int candidate(int attempt) {
    if (attempt < 4) {
      return (int) (digest().word(attempt) >>> 32);
    }
    return (int) (new Digest().value(digest()).number(attempt).done().word(0) >>> 32);
  }

  @Override
  public int compareTo(PeerClass other) {
    return digest().compareTo(other.digest());
  }

  /** Atoms and names are one object each. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PeerClass one
        && hash == one.hash
        && atoms.equals(one.atoms)
        && ports.equals(one.ports);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
