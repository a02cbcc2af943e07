package dev.sund.engine.program;

import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Optional;

/**
 * A port of a bridge behind which a container is: from which addresses it may send, and which
 * device its packets to its neighbours come in by and go out of. Key: {@code device}.
 *
 * <p>In the kernel: elements of the table {@code bridge sund-policy}, and the bridge in {@code inet
 * sund-policy}. The link itself is made by the CNI call.
 *
 * @param device the port
 * @param bridge the bridge
 * @param addresses the container's, sorted
 * @param rule {@code Container:ID/INTERFACE:none:0}
 * @param pod the pod that it is, when the runtime says that it is one of a cluster
 * @param hairpin whether the bridge gives back to the port what came by it
 */
public record BridgePort(
    String device,
    String bridge,
    List<Ip> addresses,
    RuleId rule,
    Optional<PodKey> pod,
    boolean hairpin) {
  public BridgePort {
    addresses = List.copyOf(addresses);
  }

  /** A container that is no pod. */
  public BridgePort(String device, String bridge, List<Ip> addresses, RuleId rule) {
    this(device, bridge, addresses, rule, Optional.empty(), false);
  }
}
