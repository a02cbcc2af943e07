package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A Service, as far as packets to its addresses are concerned (types.go of Kubernetes' {@code
 * core/v1}). A Service that no proxy has anything to do with (headless, {@code ExternalName}, left
 * to another proxy by the label {@code service.kubernetes.io/service-proxy-name}) is told with
 * {@link #notServed} and has no addresses.
 *
 * @param key namespace and name
 * @param uid {@code metadata.uid}
 * @param created {@code metadata.creationTimestamp} in seconds since 1970: of two Services that
 *     want one address and port the older has it
 * @param type {@code spec.type}
 * @param notServed why no proxy serves it; empty when it is served
 * @param clusterIps {@code spec.clusterIPs}, at most one a family
 * @param externalIps {@code spec.externalIPs}
 * @param loadBalancerIps {@code status.loadBalancer.ingress} with an address
 * @param ports {@code spec.ports}
 * @param sourceRanges {@code spec.loadBalancerSourceRanges}, or the annotation that came before it;
 *     empty when everybody may ask
 * @param internalLocal {@code internalTrafficPolicy: Local}
 * @param externalLocal {@code externalTrafficPolicy: Local}
 * @param healthCheckNodePort 1 to 65535, empty when it has none
 * @param affinity the timeout of {@code sessionAffinity: ClientIP}
 * @param publishNotReady {@code publishNotReadyAddresses}
 * @param hasSelector whether somebody else makes its slices from pods
 * @param choice how connections are spread, where its annotation says so
 */
public record Service(
    ServiceKey key,
    String uid,
    long created,
    Type type,
    Optional<NotServed> notServed,
    List<Ip> clusterIps,
    List<Ip> externalIps,
    List<LoadBalancerIp> loadBalancerIps,
    List<ServicePort> ports,
    List<Prefix> sourceRanges,
    boolean internalLocal,
    boolean externalLocal,
    Optional<Integer> healthCheckNodePort,
    Optional<Duration> affinity,
    boolean publishNotReady,
    boolean hasSelector,
    Optional<EndpointChoice> choice) {
  public Service {
    clusterIps = List.copyOf(clusterIps);
    externalIps = List.copyOf(externalIps);
    loadBalancerIps = List.copyOf(loadBalancerIps);
    ports = List.copyOf(ports);
    sourceRanges = List.copyOf(sourceRanges);
  }

  /** {@code spec.type}. */
  public enum Type {
    CLUSTER_IP,
    NODE_PORT,
    LOAD_BALANCER,
    EXTERNAL_NAME
  }

  /** Why a Service has no addresses of which a proxy knows. */
  public enum NotServed {
    /** {@code clusterIP: None}. */
    HEADLESS,
    /** It is a name of somebody else. */
    EXTERNAL_NAME,
    /** The label names another proxy. */
    OTHER_PROXY
  }

  /**
   * An address of a load balancer.
   *
   * @param address it
   * @param proxied {@code ipMode: Proxy}: packets to it must go to the balancer, from the cluster
   *     too
   */
  public record LoadBalancerIp(Ip address, boolean proxied) {}

  /**
   * One of a Service's ports.
   *
   * @param name empty when it is the only one
   * @param protocol TCP, UDP or SCTP
   * @param port at the Service's addresses, 1 to 65535
   * @param nodePort at the nodes' addresses; empty when it has none
   */
  public record ServicePort(String name, Protocol protocol, int port, Optional<Integer> nodePort) {
    public ServicePort {
      Checks.range("port", port, 1, 65535);
      nodePort.ifPresent(value -> Checks.range("nodePort", value, 1, 65535));
      Checks.that(protocol != Protocol.ICMP, "ICMP has no ports");
    }
  }
}
