package dev.sund.engine.policy.audit;

import dev.sund.engine.policy.reach.PortSet;

/**
 * What a change does between two sides.
 *
 * @param opened ports on which some pair may connect that could not before
 * @param openedPairs of how many pairs that is so
 * @param closed ports on which some pair may connect no more
 * @param closedPairs of how many pairs that is so
 */
public record PathChange(PortSet opened, long openedPairs, PortSet closed, long closedPairs) {
  /** What changes where these ports were open, and those are. */
  static PathChange of(PortSet before, PortSet after, long pairs) {
    PortSet opened = after.minus(before);
    PortSet closed = before.minus(after);
    return new PathChange(
        opened, opened.isEmpty() ? 0 : pairs, closed, closed.isEmpty() ? 0 : pairs);
  }

  /** Whether nothing changes. */
  public boolean isNone() {
    return opened.isEmpty() && closed.isEmpty();
  }

  PathChange and(PathChange other) {
    return new PathChange(
        opened.union(other.opened),
        openedPairs + other.openedPairs,
        closed.union(other.closed),
        closedPairs + other.closedPairs);
  }
}
