package dev.sund.kernel.route;

/**
 * Something changed in the namespace.
 *
 * <p>The kernel does not tell everything: when a device goes down or away its IPv4 routes go
 * without a word, and when an address is removed so do the routes that prefer it as their source.
 * Whoever keeps routes reads them again after {@link LinkChanged} to down, {@link LinkGone} and
 * {@link AddressGone}.
 */
public sealed interface RouteEvent {
  /** A device is new or has changed. */
  record LinkChanged(Link link) implements RouteEvent {}

  /** A device is gone. */
  record LinkGone(Link link) implements RouteEvent {}

  /** An address is new or has changed. */
  record AddressChanged(Address address) implements RouteEvent {}

  /** An address is gone. */
  record AddressGone(Address address) implements RouteEvent {}

  /**
   * A route is new or has changed.
   *
   * @param replaced whether it took the place of another
   */
  record RouteChanged(RouteEntry route, boolean replaced) implements RouteEvent {}

  /** A route is gone. */
  record RouteGone(RouteEntry route) implements RouteEvent {}

  /** A rule is new. */
  record RuleChanged(Rule rule) implements RouteEvent {}

  /** A rule is gone. */
  record RuleGone(Rule rule) implements RouteEvent {}

  /** A neighbour is new or has changed. */
  record NeighbourChanged(Neighbour neighbour) implements RouteEvent {}

  /** A neighbour is gone. */
  record NeighbourGone(Neighbour neighbour) implements RouteEvent {}

  /** An FDB entry is new or has changed. */
  record FdbChanged(FdbEntry entry) implements RouteEvent {}

  /** An FDB entry is gone. */
  record FdbGone(FdbEntry entry) implements RouteEvent {}

  /** Events were lost: read everything again. */
  record Resync(String why) implements RouteEvent {}
}
