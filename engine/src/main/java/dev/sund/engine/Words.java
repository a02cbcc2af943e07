package dev.sund.engine;

import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Service;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Slices with what many of them say kept once: nodes, zones, hints, ports, and the names and
 * addresses of Services and pods that have told of themselves. Each comes out of its own piece of
 * JSON, and a large cluster's endpoints would else hold some two hundred bytes more each.
 *
 * <p>What nobody says any more stays: it is as many as nodes, zones and ports have been.
 */
final class Words {
  private final Map<Object, Object> known = new HashMap<>();
  private final Map<ServiceKey, Service> services;
  private final Map<PodKey, Pod> pods;

  /**
   * No word has been said yet.
   *
   * @param services those that are there: a view
   * @param pods as the services
   */
  Words(Map<ServiceKey, Service> services, Map<PodKey, Pod> pods) {
    this.services = services;
    this.pods = pods;
  }

  /** The same slice. */
  EndpointSlice in(EndpointSlice slice) {
    List<Backend> endpoints = new ArrayList<>(slice.endpoints().size());
    for (Backend one : slice.endpoints()) {
      Pod pod = one.pod().isPresent() ? pods.get(one.pod().get()) : null;
      endpoints.add(
          new Backend(
              pod == null ? one.address() : in(one.address(), pod),
              one.ready(),
              one.serving(),
              one.terminating(),
              once(one.node()),
              once(one.zone()),
              one.forZones().isEmpty() ? one.forZones() : once(one.forZones()),
              one.forNodes().isEmpty() ? one.forNodes() : once(one.forNodes()),
              pod == null ? one.pod() : Optional.of(pod.key())));
    }
    Service service = services.get(slice.service());
    return new EndpointSlice(
        slice.name(),
        slice.uid(),
        service == null ? slice.service() : service.key(),
        slice.family(),
        once(slice.ports()),
        endpoints);
  }

  private static Ip in(Ip address, Pod pod) {
    for (Ip ip : pod.ips()) {
      if (ip.equals(address)) {
        return ip;
      }
    }
    return address;
  }

  @SuppressWarnings("unchecked") // what equals a T that is a value is one
  private <T> T once(T word) {
    return (T) known.computeIfAbsent(word, same -> same);
  }
}
