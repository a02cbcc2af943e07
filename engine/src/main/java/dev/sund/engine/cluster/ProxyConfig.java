package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import java.util.Optional;

/**
 * What a KubeProxyConfiguration says that has a meaning to Sund.
 *
 * @param services how Services are served
 * @param conntrack how the node's table of connections is to be
 * @param healthz where {@code healthzBindAddress} asks for {@code /healthz}; empty when it is not
 *     set
 * @param metrics where {@code metricsBindAddress} asks for {@code /metrics}; empty when it is not
 *     set
 */
public record ProxyConfig(
    ServiceSettings services,
    ConntrackSettings conntrack,
    Optional<Listen> healthz,
    Optional<Listen> metrics) {

  /**
   * Where pages are served.
   *
   * @param address one of the node's, or the unspecified one for all of them
   * @param port 1 to 65535
   */
  public record Listen(Ip address, int port) {
    public Listen {
      Checks.range("port", port, 1, 65535);
    }
  }
}
