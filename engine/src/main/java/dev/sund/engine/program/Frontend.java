package dev.sund.engine.program;

import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An address and port at which something else answers: the destination of a connection's first
 * packet is translated to one of {@code Endpoints}, or the packet ends here. Key: {@code key}. Of
 * two that a packet meets, the one with its exact address goes before the one for all of the node's
 * addresses.
 *
 * <p>It is asked of packets that come to the node from elsewhere or from pods, and of those that
 * are born on it. Packets that come from elsewhere for a loopback address meet none.
 *
 * <p>Who asks may make a difference. Askers <i>inside</i> are the pods of the cluster (their source
 * is in a {@link Masquerade.Part#CLUSTER} range), containers on a bridge of the node (in a {@link
 * Masquerade.Part#BRIDGED} range) and the node itself (the packet is born on it, or comes from one
 * of its addresses); all others ask from <i>outside</i>. Each has an answer; most frontends give
 * both the same one.
 *
 * <p>In the kernel: an element of a map in {@link dev.sund.model.Marks#TABLE}, whose value is the
 * number of endpoints in bits of the packet's mark, with the rule as its comment.
 *
 * @param key where it is
 * @param inside what becomes of packets from inside
 * @param outside what becomes of packets from outside; when it equals {@code inside}, endpoints are
 *     those of {@link View#INSIDE} for all
 * @param limited whether only sources in this frontend's {@link SourceRange} rows may ask; the
 *     packets of others vanish, before anything else is decided
 * @param loopback whether the node's own loopback address (127.0.0.1) is one of the addresses of
 *     {@link Place.AnyLocal}; when not, a packet from the node to it is refused
 * @param affinity how long a client keeps the endpoint that it was given, from its last connection
 *     on, 1 to 86,400 seconds; empty when each connection is chosen for anew. A client is a source
 *     address, and keeps an endpoint for each address and port that it asks
 * @param choice how an endpoint is chosen
 * @param rule who asked for it
 */
public record Frontend(
    Key key,
    Answer inside,
    Answer outside,
    boolean limited,
    boolean loopback,
    Optional<Duration> affinity,
    EndpointChoice choice,
    RuleId rule) {

  public Frontend {
    affinity.ifPresent(time ->
        Checks.range("affinity seconds", Math.clamp(time.toSeconds(), 0, 86_401), 1, 86_400));
  }

  /**
   * A frontend that gives everybody the same answer, on the node's loopback address too, and
   * forgets its clients.
   */
  public Frontend(Key key, Action action, MasqueradeClass masquerade, RuleId rule) {
    this(
        key,
        new Answer(action, masquerade),
        new Answer(action, masquerade),
        false,
        true,
        Optional.empty(),
        EndpointChoice.RANDOM,
        rule);
  }

  /** Whether it makes a difference who asks. */
  public boolean isSplit() {
    return !inside.equals(outside);
  }

  /** The answer to those who ask in a way. */
  public Answer answer(View view) {
    return switch (view) {
      case INSIDE -> inside;
      case OUTSIDE -> outside;
    };
  }

  /** Who asks. */
  public enum View {
    /** Pods of the cluster, the node itself; and all others where that makes no difference. */
    INSIDE,
    /** All others, where that makes a difference. */
    OUTSIDE
  }

  /**
   * What becomes of a connection's first packet.
   *
   * @param action where it goes
   * @param masquerade which sources are translated behind it; an endpoint's own {@link
   *     Endpoint#lent} comes first
   */
  public record Answer(Action action, MasqueradeClass masquerade) {}

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

      /** Written out, as that of {@link Ip}. */
      @Override
      public boolean equals(@Nullable Object other) {
        return other instanceof At at && address.equals(at.address);
      }

      @Override
      public int hashCode() {
        return address.hashCode();
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
    public Key {
      Checks.range("port", port, 1, 65535);
      Checks.that(protocol != Protocol.ICMP, "ICMP has no ports");
    }

    /** Plain, as that of prefixes: the order of tables with as many rows as there are Services. */
    @Override
    public int compareTo(Key other) {
      int order = compare(place, other.place);
      if (order == 0) {
        order = Integer.compare(protocol.ordinal(), other.protocol.ordinal());
      }
      return order == 0 ? Integer.compare(port, other.port) : order;
    }

    /** By family; single addresses before all of the node's. */
    private static int compare(Place one, Place other) {
      if (one instanceof Place.At at && other instanceof Place.At otherAt) {
        return at.address.compareTo(otherAt.address);
      }
      int order = Integer.compare(one.family().ordinal(), other.family().ordinal());
      return order == 0
          ? Boolean.compare(one instanceof Place.AnyLocal, other instanceof Place.AnyLocal)
          : order;
    }

    /** Written out, as that of {@link Ip}. */
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key
          && port == key.port
          && protocol == key.protocol
          && place.equals(key.place);
    }

    @Override
    public int hashCode() {
      return 31 * (31 * place.hashCode() + port) + protocol.ordinal();
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
    ALWAYS,
    /** Sources that are no pods of the cluster are translated, the node's own too. */
    FROM_OUTSIDE,
    /** Packets that are born on the node are translated, and no others. */
    FROM_NODE
  }
}
