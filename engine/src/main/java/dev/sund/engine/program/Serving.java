package dev.sund.engine.program;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.Collection;
import java.util.Collections;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Who may keep the connections of a UDP {@link Frontend} that they have: all of its endpoints that
 * serve, also those that get no new connections (they end, they are elsewhere, a policy leaves them
 * out). A connection of the kernel's to any other is stale (S15): its packets would vanish until it
 * times out, since UDP has no end and no refusal that the sender must notice.
 *
 * <p>No table of the program: nothing is written for it. It is told beside the program's changes.
 *
 * @param frontend of protocol UDP
 * @param endpoints who serves; empty when nobody does: then connections stay as they are, for who
 *     comes back
 */
public record Serving(Frontend.Key frontend, SortedSet<At> endpoints) {
  public Serving {
    Checks.that(frontend.protocol() == Protocol.UDP, frontend + " is no frontend of UDP");
    endpoints = Collections.unmodifiableSortedSet(new TreeSet<>(endpoints));
  }

  /** Of a collection in any order. */
  public static Serving of(Frontend.Key frontend, Collection<At> endpoints) {
    return new Serving(frontend, new TreeSet<>(endpoints));
  }

  /** Of a place of any protocol; empty for others than UDP. */
  public static Optional<Serving> at(Frontend.Key frontend, Collection<At> endpoints) {
    return frontend.protocol() == Protocol.UDP
        ? Optional.of(of(frontend, endpoints))
        : Optional.empty();
  }

  /**
   * An endpoint's place.
   *
   * @param address where it is
   * @param port its port, 1 to 65535
   */
  public record At(Ip address, int port) implements Comparable<At> {
    public At {
      Checks.range("port", port, 1, 65535);
    }

    @Override
    public int compareTo(At other) {
      int byAddress = address.compareTo(other.address);
      return byAddress != 0 ? byAddress : Integer.compare(port, other.port);
    }
  }
}
