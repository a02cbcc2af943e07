package dev.sund.agent.cni;

import java.util.Map;

/**
 * What the cluster says of a pod that is to get its network.
 *
 * @param uid its uid
 * @param annotations those that say something of its network
 */
public record KnownPod(String uid, Map<String, String> annotations) {
  public KnownPod {
    annotations = Map.copyOf(annotations);
  }
}
