package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.util.List;
import java.util.Optional;

/**
 * A part of a Service's endpoints, of one family (types.go of Kubernetes' {@code discovery/v1}).
 *
 * @param name {@code NAMESPACE/NAME} of the slice
 * @param uid {@code metadata.uid}
 * @param service whose: the label {@code kubernetes.io/service-name}
 * @param family {@code addressType}
 * @param ports at which all of its endpoints answer
 * @param endpoints in the order of the object
 * @param triggered when what it tells of happened ({@code
 *     endpoints.kubernetes.io/last-change-trigger-time}), in milliseconds since 1970; 0 when it
 *     does not say
 */
public record EndpointSlice(
    String name,
    String uid,
    ServiceKey service,
    Family family,
    List<SlicePort> ports,
    List<Backend> endpoints,
    long triggered) {
  public EndpointSlice {
    ports = List.copyOf(ports);
    endpoints = List.copyOf(endpoints);
  }

  /** A slice that does not say when what it tells of happened. */
  public EndpointSlice(
      String name,
      String uid,
      ServiceKey service,
      Family family,
      List<SlicePort> ports,
      List<Backend> endpoints) {
    this(name, uid, service, family, ports, endpoints, 0);
  }

  /** The object. */
  public ObjectRef ref() {
    return new ObjectRef("EndpointSlice", name);
  }

  /**
   * A port of a slice.
   *
   * @param name which of the Service's ports it is for; empty for the only one
   * @param protocol TCP, UDP or SCTP
   * @param port 1 to 65535
   */
  public record SlicePort(String name, Protocol protocol, int port) {
    public SlicePort {
      Checks.range("port", port, 1, 65535);
    }
  }

  /**
   * One that answers.
   *
   * @param address the first of its addresses; the others are for nobody to use
   * @param ready {@code conditions.ready}; absent means true
   * @param serving {@code conditions.serving}; absent means as {@code ready}
   * @param terminating {@code conditions.terminating}
   * @param node on which node it is
   * @param zone in which zone
   * @param forZones {@code hints.forZones}
   * @param forNodes {@code hints.forNodes}
   * @param pod the pod that it is, by {@code targetRef}
   */
  public record Backend(
      Ip address,
      boolean ready,
      boolean serving,
      boolean terminating,
      Optional<NodeName> node,
      Optional<String> zone,
      List<String> forZones,
      List<NodeName> forNodes,
      Optional<PodKey> pod) {
    public Backend {
      forZones = List.copyOf(forZones);
      forNodes = List.copyOf(forNodes);
    }
  }
}
