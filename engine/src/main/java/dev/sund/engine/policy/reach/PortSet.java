package dev.sund.engine.policy.reach;

import dev.sund.model.Checks;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * A set of ports of each protocol that has ports, and whether all that has none is in it: ICMP and
 * every other protocol, of which policies say the same. Immutable.
 */
public final class PortSet {
  private static final List<Protocol> WITH_PORTS =
      List.of(Protocol.TCP, Protocol.UDP, Protocol.SCTP);
  private static final int LAST = 65535;

  /** No port of any protocol, and nothing that has none. */
  public static final PortSet NONE = new PortSet(new int[0]);

  /** Everything. */
  public static final PortSet ALL = all();

  /** What has no ports. */
  public static final PortSet WITHOUT_PORTS =
      new PortSet(new int[] {base(WITH_PORTS.size()), base(WITH_PORTS.size())});

  /**
   * First and last of each range, disjoint and in order, on one line: ports of a protocol after
   * those of the one before, with room between them so that no two protocols' ranges touch.
   */
  private final int[] bounds;

  private PortSet(int[] bounds) {
    this.bounds = bounds;
  }

  /**
   * Ports that follow each other.
   *
   * @param protocol TCP, UDP or SCTP; empty for what has no ports
   * @param first 0 to 65535; 0 without a protocol
   * @param last inclusive
   */
  public record Range(Optional<Protocol> protocol, int first, int last) {
    public Range {
      Checks.range("first port", first, 0, LAST);
      Checks.range("last port", last, first, LAST);
    }

    /** Whether these are all ports of the protocol; no connection has port 0. */
    public boolean isAll() {
      return first <= 1 && last == LAST;
    }

    /** {@code 80}, {@code 8000-8010}, {@code all}; empty for what has no ports. */
    public String ports() {
      if (protocol.isEmpty()) {
        return "";
      }
      int least = Math.max(1, first); // no connection has port 0
      return isAll() ? "all" : least == last ? Integer.toString(last) : least + "-" + last;
    }

    /** {@code tcp 80}, {@code udp all}, {@code icmp and others}. */
    @Override
    public String toString() {
      return protocol.map(one -> one.label() + " " + ports()).orElse("icmp and others");
    }
  }

  /** The ports of a protocol from {@code first} to {@code last}. */
  public static PortSet of(Protocol protocol, int first, int last) {
    int base = base(WITH_PORTS.indexOf(protocol));
    return new PortSet(new int[] {base + first, base + last});
  }

  private static PortSet all() {
    int[] bounds = new int[2 * WITH_PORTS.size() + 2];
    for (int i = 0; i < WITH_PORTS.size(); i++) {
      bounds[2 * i] = base(i);
      bounds[2 * i + 1] = base(i) + LAST;
    }
    bounds[bounds.length - 2] = base(WITH_PORTS.size());
    bounds[bounds.length - 1] = base(WITH_PORTS.size());
    return new PortSet(bounds);
  }

  private static int base(int protocol) {
    return protocol << 17;
  }

  /** Whether nothing is in it. */
  public boolean isEmpty() {
    return bounds.length == 0;
  }

  /** Whether everything is in it. */
  public boolean isAll() {
    return equals(ALL);
  }

  /**
   * Whether a connection's port is in it.
   *
   * @param port of no meaning for a protocol without ports
   */
  public boolean contains(Protocol protocol, int port) {
    int index = WITH_PORTS.indexOf(protocol);
    int code = index < 0 ? base(WITH_PORTS.size()) : base(index) + port;
    int found = Arrays.binarySearch(bounds, code);
    return found >= 0 || found % 2 == 0; // an odd number of bounds before it: inside a range
  }

  /** Whether all of the other one is in it. */
  public boolean contains(PortSet other) {
    return other.minus(this).isEmpty();
  }

  /** What is in either. */
  public PortSet union(PortSet other) {
    return joined(other, false, false);
  }

  /** What is in both. */
  public PortSet intersection(PortSet other) {
    return joined(other, true, false);
  }

  /** What is in this one alone. */
  public PortSet minus(PortSet other) {
    return joined(other, true, true);
  }

  /** One walk along the line over the bounds of both. */
  private PortSet joined(PortSet other, boolean both, boolean without) {
    int[] made = new int[bounds.length + other.bounds.length + 2];
    int count = 0;
    int mine = 0;
    int theirs = 0;
    boolean inside = false;
    while (mine < bounds.length || theirs < other.bounds.length) {
      int at = Math.min(turn(bounds, mine), turn(other.bounds, theirs));
      if (turn(bounds, mine) == at) {
        mine++;
      }
      if (turn(other.bounds, theirs) == at) {
        theirs++;
      }
      boolean inMine = mine % 2 == 1;
      boolean inTheirs = theirs % 2 == 1 ^ without;
      boolean now = both ? inMine && inTheirs : inMine || inTheirs;
      if (now != inside) {
        made[count++] = now ? at : at - 1;
        inside = now;
      }
    }
    return count == 0 ? NONE : new PortSet(Arrays.copyOf(made, count));
  }

  /** Where a range begins, or the first place behind it. */
  private static int turn(int[] bounds, int index) {
    return index == bounds.length ? Integer.MAX_VALUE : bounds[index] + index % 2;
  }

  /** Its ranges in the order TCP, UDP, SCTP, what has no ports. */
  public List<Range> ranges() {
    List<Range> ranges = new ArrayList<>();
    for (int i = 0; i < bounds.length; i += 2) {
      int index = bounds[i] >>> 17;
      if (index == WITH_PORTS.size()) {
        ranges.add(new Range(Optional.empty(), 0, 0));
      } else {
        ranges.add(
            new Range(
                Optional.of(WITH_PORTS.get(index)), bounds[i] & 0x1ffff, bounds[i + 1] & 0x1ffff));
      }
    }
    return ranges;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof PortSet set && Arrays.equals(bounds, set.bounds);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bounds);
  }

  /** {@code all}; {@code none}; {@code tcp 80,443, udp all, icmp and others}. */
  @Override
  public String toString() {
    if (isEmpty() || isAll()) {
      return isEmpty() ? "none" : "all";
    }
    StringJoiner text = new StringJoiner(", ");
    Optional<Protocol> before = Optional.empty();
    for (Range range : ranges()) {
      boolean further = range.protocol().isPresent() && range.protocol().equals(before);
      text.add(further ? range.ports() : range.toString());
      before = range.protocol();
    }
    return text.toString();
  }
}
