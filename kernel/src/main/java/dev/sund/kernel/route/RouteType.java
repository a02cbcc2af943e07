package dev.sund.kernel.route;

/** What a route does with packets (RTN_...), in the order of its numbers. */
public enum RouteType {
  /** Nothing said. */
  UNSPEC,
  /** Sends them on. */
  UNICAST,
  /** Accepts them. */
  LOCAL,
  /** Accepts them as broadcasts. */
  BROADCAST,
  /** Accepts them as broadcasts, sends as unicasts. */
  ANYCAST,
  /** Multicast. */
  MULTICAST,
  /** Drops them silently. */
  BLACKHOLE,
  /** Drops them and tells the sender: host unreachable. */
  UNREACHABLE,
  /** Drops them and tells the sender: prohibited. */
  PROHIBIT,
  /** Ends the lookup in this table. */
  THROW,
  /** Unused. */
  NAT,
  /** Unused. */
  XRESOLVE;

  private static final RouteType[] ALL = values();

  /** {@code rtm_type}. */
  public int number() {
    return ordinal();
  }

  /** Whether such a route names no device that matters: its packets go nowhere. */
  public boolean isDeadEnd() {
    return switch (this) {
      case BLACKHOLE, UNREACHABLE, PROHIBIT, THROW -> true;
      case UNSPEC, UNICAST, LOCAL, BROADCAST, ANYCAST, MULTICAST, NAT, XRESOLVE -> false;
    };
  }

  static RouteType of(int number) {
    return number < ALL.length ? ALL[number] : UNSPEC;
  }

  /** As {@code ip route} writes it. */
  public String label() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
