package dev.sund.engine.policy.audit;

import dev.sund.engine.policy.reach.PortSet;

/**
 * What is open from one side to another one.
 *
 * @param ports on which some pair of pods may connect
 * @param pairs of pods, between which some port is open
 */
public record Paths(PortSet ports, long pairs) {
  Paths and(Paths other) {
    return new Paths(ports.union(other.ports), pairs + other.pairs);
  }
}
