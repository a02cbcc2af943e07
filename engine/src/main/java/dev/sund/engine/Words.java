package dev.sund.engine;

import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.model.PodKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Slices with what many of them say kept once: nodes, zones, hints, ports. Each comes out of its
 * own piece of JSON, and a large cluster's endpoints would else hold some hundred bytes more each.
 *
 * <p>What nobody says any more stays: it is as many as nodes, zones and ports have been.
 */
final class Words {
  private final Map<Object, Object> known = new HashMap<>();

  /** The same slice. */
  EndpointSlice in(EndpointSlice slice) {
    List<Backend> endpoints = new ArrayList<>(slice.endpoints().size());
    for (Backend one : slice.endpoints()) {
      endpoints.add(
          new Backend(
              one.address(),
              one.ready(),
              one.serving(),
              one.terminating(),
              once(one.node()),
              once(one.zone()),
              one.forZones().isEmpty() ? one.forZones() : once(one.forZones()),
              one.forNodes().isEmpty() ? one.forNodes() : once(one.forNodes()),
              one.pod().isPresent() ? Optional.of(in(one.pod().get(), slice)) : one.pod()));
    }
    return new EndpointSlice(
        slice.name(), slice.uid(), slice.service(), slice.family(), once(slice.ports()), endpoints);
  }

  /** A pod is in the namespace of its Service, nearly always. */
  private static PodKey in(PodKey pod, EndpointSlice slice) {
    String namespace = slice.service().namespace();
    return pod.namespace().equals(namespace) ? new PodKey(namespace, pod.name()) : pod;
  }

  @SuppressWarnings("unchecked") // what equals a T that is a value is one
  private <T> T once(T word) {
    return (T) known.computeIfAbsent(word, same -> same);
  }
}
