package dev.sund.engine.policy.audit;

import dev.sund.engine.policy.PolicyPod;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import java.util.List;

/**
 * A pod, and what made it.
 *
 * @param pod as policies see it
 * @param workload the Deployment, StatefulSet, Job or the like that it is of; the pod itself where
 *     nothing is known to have made it
 */
public record ScenePod(PolicyPod pod, ObjectRef workload) {
  /** The namespace that it is in. */
  public String namespace() {
    return pod.key().namespace();
  }

  /** The same with these addresses. */
  ScenePod with(List<Ip> addresses) {
    return new ScenePod(pod.with(addresses), workload);
  }
}
