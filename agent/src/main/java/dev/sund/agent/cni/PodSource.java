package dev.sund.agent.cni;

import dev.sund.model.PodKey;
import java.util.Optional;

/** Who knows the cluster's pods. Many threads call at once. */
public interface PodSource {
  /**
   * A pod. What policies go by of it is told to the node's program before this returns.
   *
   * @param uid what the runtime knows it by; empty when it does not say
   * @return empty when the cluster has no such pod, as it is with a static pod whose mirror is not
   *     made yet: then what the runtime says of it counts
   * @throws CniException with {@link CniException.Code#TRY_AGAIN_LATER} when nobody can be asked
   */
  Optional<KnownPod> pod(PodKey pod, String uid) throws CniException;

  /** A pod has no network here any more: what nobody but {@link #pod} told of it is forgotten. */
  void left(PodKey pod);

  /** One that knows no pod. */
  static PodSource none() {
    return new PodSource() {
      @Override
      public Optional<KnownPod> pod(PodKey pod, String uid) {
        return Optional.empty();
      }

      @Override
      public void left(PodKey pod) {}
    };
  }
}
