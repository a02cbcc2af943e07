package dev.sund.engine;

import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.ServiceSettings;
import java.util.Optional;

/**
 * What a {@code Fabric} sets for Services; what it leaves out is as KubeProxyConfiguration says, or
 * else as usual.
 *
 * @param enabled whether Services are served
 * @param nodePorts at which of a node's addresses node ports are
 * @param choice how connections are spread
 */
public record FabricServices(
    Optional<Boolean> enabled,
    Optional<ServiceSettings.NodePorts> nodePorts,
    Optional<EndpointChoice> choice) {
  /** Nothing is set. */
  public static final FabricServices UNSET =
      new FabricServices(Optional.empty(), Optional.empty(), Optional.empty());

  /** These before those. */
  public ServiceSettings over(ServiceSettings others) {
    return new ServiceSettings(
        enabled.orElse(others.enabled()),
        nodePorts.orElse(others.nodePorts()),
        others.masqueradeAll(),
        others.podRanges(),
        choice.orElse(others.choice()));
  }
}
