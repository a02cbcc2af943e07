package dev.sund.agent.cni;

import dev.sund.model.PodKey;
import java.util.Optional;

/** Who knows the cluster's pods. Many threads call at once. */
public interface PodSource {
  /**
   * A pod.
   *
   * @return empty when the cluster has no such pod, as it is with a static pod whose mirror is not
   *     made yet: then what the runtime says of it counts
   * @throws CniException with {@link CniException.Code#TRY_AGAIN_LATER} when nobody can be asked
   */
  Optional<KnownPod> pod(PodKey pod) throws CniException;

  /** One that knows no pod. */
  static PodSource none() {
    return _ -> Optional.empty();
  }
}
