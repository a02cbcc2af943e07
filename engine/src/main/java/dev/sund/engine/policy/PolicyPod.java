package dev.sund.engine.policy;

import dev.sund.engine.cluster.Pod;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Port;
import java.util.List;
import java.util.Map;

/**
 * A pod, as far as policies ask about it.
 *
 * @param key namespace and name
 * @param uid {@code metadata.uid}
 * @param created {@code metadata.creationTimestamp} in seconds since 1970: of two pods that say the
 *     same address the newer has it
 * @param labels {@code metadata.labels}
 * @param hostNetwork whether it has its node's addresses and no own: no policy is about it, and no
 *     selector finds it
 * @param finished phase {@code Succeeded} or {@code Failed}: as if it were gone
 * @param addresses {@code status.podIPs}; empty while it has none
 * @param ports what its containers declare
 */
public record PolicyPod(
    PodKey key,
    String uid,
    long created,
    Map<String, String> labels,
    boolean hostNetwork,
    boolean finished,
    List<Ip> addresses,
    List<Port> ports) {
  public PolicyPod {
    labels = Map.copyOf(labels);
    addresses = List.copyOf(addresses);
    ports = List.copyOf(ports);
  }

  /** What of a pod policies ask about. */
  public static PolicyPod of(Pod pod) {
    return new PolicyPod(
        pod.key(),
        pod.uid(),
        pod.created(),
        pod.labels(),
        pod.hostNetwork(),
        pod.finished(),
        pod.ips(),
        pod.ports());
  }

  /** The same with other addresses. */
  public PolicyPod with(List<Ip> others) {
    return new PolicyPod(key, uid, created, labels, hostNetwork, finished, others, ports);
  }

  /** Whether policies see a pod here, and not only an address. */
  public boolean counts() {
    return !hostNetwork && !finished;
  }
}
