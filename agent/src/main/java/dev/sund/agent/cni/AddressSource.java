package dev.sund.agent.cni;

import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where the addresses of the pods' own routed network come from. Many threads call at once.
 *
 * <p>What is given is the caller's until {@link #release}: also over a restart of the agent and
 * after a kill at any point.
 */
public interface AddressSource {
  /**
   * Gives a pod its addresses; a repeat for the same attachment gives the same ones.
   *
   * @param annotations what the pod's object says of its addresses; of no meaning to who hands
   *     addresses over
   * @return at most one of each family, at least one
   * @throws CniException when there are none to give: how full, whose, what to do; or when those
   *     that the runtime asks for cannot be had
   */
  List<Ip> assign(CniRequest request, PodKey pod, Map<String, String> annotations)
      throws CniException, InterruptedException;

  /** Takes an attachment's addresses back; those of one that has none are no error. */
  void release(String attachmentKey) throws CniException, InterruptedException;

  /** Takes back what belongs to none of these attachments. */
  void keepOnly(Set<String> attachmentKeys) throws CniException, InterruptedException;

  /**
   * Whether {@link #assign} would give some.
   *
   * @throws CniException with {@link CniException.Code#NOT_AVAILABLE}, when not
   */
  void status(CniRequest request) throws CniException, InterruptedException;

  /** The addresses that the runtime hands over by the capability {@code ips}, and no others. */
  static AddressSource given() {
    return new GivenAddresses();
  }
}
