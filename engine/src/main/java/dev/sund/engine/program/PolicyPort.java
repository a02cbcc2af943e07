package dev.sund.engine.program;

import dev.sund.model.Checks;
import dev.sund.model.Protocol;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which peers may use a range of ports, for the pods of one profile. Key: {@code key}. The port is
 * the one at the pod that is asked, after translation, in both directions. The ranges of a profile
 * and protocol are disjoint; what none of them contains, and what has no ports, is judged by the
 * profile's row without a protocol, which there always is.
 *
 * <p>In the kernel: an element of the profile's own verdict map.
 *
 * @param key which profile, protocol and first port
 * @param last the last port of the range, inclusive
 * @param peers which {@link PolicyVerdict} rows are asked: equal wherever the same rules are asked
 */
public record PolicyPort(Key key, int last, long peers) {
  public PolicyPort {
    Checks.range("last port", last, key.first, 65535);
  }

  /**
   * Where a range begins.
   *
   * @param profile of a {@link PodPolicy}
   * @param protocol TCP, UDP or SCTP; empty for all that no range contains, ICMP too
   * @param first the range's first port; 0 without a protocol
   */
  public record Key(long profile, Optional<Protocol> protocol, int first)
      implements Comparable<Key> {
    public Key {
      Checks.range("first port", first, 0, protocol.isPresent() ? 65535 : 0);
      Checks.that(protocol.filter(Protocol.ICMP::equals).isEmpty(), "ICMP has no ports");
    }

    /** The row of a profile for what no range contains. */
    public static Key others(long profile) {
      return new Key(profile, Optional.empty(), 0);
    }

    @Override
    public int compareTo(Key other) {
      int order = Long.compareUnsigned(profile, other.profile);
      if (order == 0) {
        order = Integer.compare(rank(protocol), rank(other.protocol));
      }
      return order == 0 ? Integer.compare(first, other.first) : order;
    }

    private static int rank(Optional<Protocol> protocol) {
      return protocol.isPresent() ? protocol.get().ordinal() : -1;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key
          && profile == key.profile
          && first == key.first
          && protocol.equals(key.protocol);
    }

    @Override
    public int hashCode() {
      return 31 * Long.hashCode(profile) + 7 * first + rank(protocol);
    }

    /** {@code 00c3a1f09b2d4e55 tcp 80}; {@code 00c3a1f09b2d4e55 others}. */
    @Override
    public String toString() {
      return "%016x ".formatted(profile)
          + protocol.map(one -> one.label() + " " + first).orElse("others");
    }
  }
}
