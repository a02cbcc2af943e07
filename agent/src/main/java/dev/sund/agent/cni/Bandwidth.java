package dev.sund.agent.cni;

import dev.sund.model.Checks;

/**
 * The capability {@code bandwidth}. Ingress is what the container receives. 0 means no limit.
 *
 * @param ingressRate bits a second
 * @param ingressBurst bits
 * @param egressRate bits a second
 * @param egressBurst bits
 */
public record Bandwidth(long ingressRate, long ingressBurst, long egressRate, long egressBurst) {
  public Bandwidth {
    Checks.that(
        ingressRate >= 0 && ingressBurst >= 0 && egressRate >= 0 && egressBurst >= 0,
        "a rate or burst is below 0");
  }
}
