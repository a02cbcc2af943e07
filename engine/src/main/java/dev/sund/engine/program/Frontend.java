package dev.sund.engine.program;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.util.Comparator;

/**
 * An address and port at which something else answers: the destination of a connection's first
 * packet is translated to one of {@code Endpoints}, or the packet ends here. Key: {@code key}. Of
 * two that a packet meets, the one with its exact address goes before the one for all of the node's
 * addresses.
 *
 * <p>It is asked of packets that come to the node from elsewhere or from pods, and of those that
 * are born on it. Packets that come from elsewhere for a loopback address meet none.
 *
 * <p>In the kernel: an element of a map in {@link dev.sund.model.Marks#TABLE}, whose value is the
 * number of endpoints in bits of the packet's mark, with the rule as its comment.
 *
 * @param key where it is
 * @param action what becomes of the packet
 * @param masquerade which sources are translated behind it; an endpoint's own {@link Endpoint#lent}
 *     comes first
 * @param rule who asked for it
 */
public record Frontend(Key key, Action action, MasqueradeClass masquerade, RuleId rule) {

  /** The most endpoints that one frontend can have. */
  public static final int MOST_ENDPOINTS = 4094;

  /** Which destinations a frontend is about. */
  public sealed interface Place {
    /** The family of its packets. */
    Family family();

    /** One address, whoever carries it. */
    record At(Ip address) implements Place {
      @Override
      public Family family() {
        return address.family();
      }

      @Override
      public String toString() {
        return address.toString();
      }
    }

    /** Any address that the node itself carries. */
    record AnyLocal(Family family) implements Place {
      /** {@code local-v4}. */
      @Override
      public String toString() {
        return "local-" + family.label();
      }
    }
  }

  /** Where a frontend is. */
  public record Key(Place place, Protocol protocol, int port) implements Comparable<Key> {
    private static final Comparator<Key> ORDER =
        Comparator.comparing((Key key) -> key.place.family())
            .thenComparing(key -> key.place instanceof Place.AnyLocal)
            .thenComparing(
                key -> key.place instanceof Place.At(var ip) ? ip : Ip.any(key.place.family()))
            .thenComparing(Key::protocol)
            .thenComparingInt(Key::port);

    public Key {
      Checks.range("port", port, 1, 65535);
      Checks.that(protocol != Protocol.ICMP, "ICMP has no ports");
    }

    @Override
    public int compareTo(Key other) {
      return ORDER.compare(this, other);
    }

    /** {@code 10.96.0.10 80/tcp} or {@code local-v4 8080/tcp}. */
    @Override
    public String toString() {
      return place + " " + port + "/" + protocol.label();
    }
  }

  /** What becomes of a connection's first packet. */
  public sealed interface Action {
    /** It goes to one of so many endpoints, slots 0 and up. */
    record Balance(int endpoints) implements Action {
      public Balance {
        Checks.range("number of endpoints", endpoints, 1, MOST_ENDPOINTS);
      }
    }

    /** It is refused, and the sender is told. */
    record Reject() implements Action {}

    /** It vanishes. */
    record Drop() implements Action {}
  }

  /** Which sources are translated to an address of the node. */
  public enum MasqueradeClass {
    /** The endpoint sees who asks. */
    KEEP_SOURCE,
    /** Every source is translated: the answer must come back by this node. */
    ALWAYS
  }
}
