package dev.sund.engine;

import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Service;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.ServiceKey;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Slices with the names and addresses of Services and pods as those that have told of themselves
 * said them. Each comes out of its own piece of JSON, and a large cluster's endpoints would else
 * hold some hundred bytes more each.
 */
final class Words {
  private final Map<ServiceKey, Service> services;
  private final Map<PodKey, Pod> pods;

  /**
   * The words of these.
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
    Service service = services.get(slice.service());
    return new EndpointSlice(
        slice.name(),
        slice.uid(),
        service == null ? slice.service() : service.key(),
        slice.family(),
        slice.ports(),
        pods.isEmpty() ? slice.endpoints() : in(slice.endpoints()));
  }

  private List<Backend> in(List<Backend> endpoints) {
    Backend[] found = new Backend[endpoints.size()];
    for (int i = 0; i < found.length; i++) {
      Backend one = endpoints.get(i);
      Pod pod = one.pod().isPresent() ? pods.get(one.pod().get()) : null;
      found[i] =
          pod == null
              ? one
              : new Backend(
                  in(one.address(), pod),
                  one.ready(),
                  one.serving(),
                  one.terminating(),
                  one.node(),
                  one.zone(),
                  one.forZones(),
                  one.forNodes(),
                  Optional.of(pod.key()));
    }
    return List.of(found);
  }

  private static Ip in(Ip address, Pod pod) {
    for (Ip ip : pod.ips()) {
      if (ip.equals(address)) {
        return ip;
      }
    }
    return address;
  }
}
