package dev.sund.engine.policy.reach;

import dev.sund.engine.program.PolicyVerdict;
import java.util.Optional;

/**
 * What both ends' policies say of some ports, all for the same reasons.
 *
 * @param ports which
 * @param egress the verdict at the pod that asks; empty when no policy concerns it, or it is no pod
 * @param ingress the verdict at the pod that is asked; empty when no policy concerns it, or it is
 *     no pod
 */
public record Decision(
    PortSet ports, Optional<PolicyVerdict> egress, Optional<PolicyVerdict> ingress) {
  /** Whether connections to these ports go on (N23). */
  public boolean open() {
    return egress.map(PolicyVerdict::allowed).orElse(true)
        && ingress.map(PolicyVerdict::allowed).orElse(true);
  }
}
