package dev.sund.it.service;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Texts of Services and slices, as people and controllers write them. */
final class Manifest {
  private Manifest() {}

  /**
   * A dual-stack Service {@code shop/NAME} with the addresses 10.96.0.N and fd00:96::N.
   *
   * @param spec more of its spec, ports included, as {@code key: value, ...}
   */
  static String service(String name, int number, String spec) {
    return serviceWith(name, number, "", spec, "");
  }

  /** As {@link #service}, with labels, and a status such as {@code loadBalancer: {...}}. */
  static String serviceWith(String name, int number, String labels, String spec, String status) {
    return """
    {apiVersion: v1, kind: Service,
     metadata: {namespace: shop, name: %s, uid: s-%s, labels: {%s}, creationTimestamp: "2026-01-01T00:00:%02dZ"},
     spec: {clusterIPs: [10.96.0.%d, "fd00:96::%x"], ipFamilies: [IPv4, IPv6], selector: {app: %s}, %s},
     status: {%s}}\
    """
        .formatted(name, name, labels, number % 60, number, number, name, spec, status);
  }

  /** An endpoint of a slice. */
  record Backend(String pod, String conditions, String hints) {
    /** That pod, ready. */
    static Backend ready(String pod) {
      return new Backend(pod, "ready: true, serving: true, terminating: false", "");
    }

    static Backend notReady(String pod) {
      return new Backend(pod, "ready: false, serving: false, terminating: false", "");
    }

    /** On its way out, but still answering. */
    static Backend leaving(String pod) {
      return new Backend(pod, "ready: false, serving: true, terminating: true", "");
    }

    Backend forZones(String... zones) {
      return hinted("forZones", zones);
    }

    Backend forNodes(String... nodes) {
      return hinted("forNodes", nodes);
    }

    private Backend hinted(String field, String... names) {
      List<String> all = new ArrayList<>();
      for (String name : names) {
        all.add("{name: " + name + "}");
      }
      String more = (hints.isEmpty() ? "" : hints + ", ") + field + ": " + all;
      return new Backend(pod, conditions, more);
    }
  }

  /** The slices of a Service, one a family, with one port: {@code NAME:PROTOCOL:NUMBER}. */
  static String slices(ServiceBed bed, String service, String port, Backend... backends) {
    return slices(bed, service, List.of(port), backends);
  }

  /** As above, with several ports. */
  static String slices(ServiceBed bed, String service, List<String> ports, Backend... backends) {
    List<String> texts = new ArrayList<>();
    for (var family : dev.sund.model.Family.values()) {
      List<String> endpoints = new ArrayList<>();
      for (Backend backend : backends) {
        endpoints.add(
            "{addresses: [\"%s\"], nodeName: %s, conditions: {%s}, hints: {%s}, targetRef: {kind: Pod, namespace: shop, name: %s}}"
                .formatted(
                    bed.address(backend.pod, family),
                    backend.pod.compareTo("c") < 0 ? "n1" : "n2",
                    backend.conditions,
                    backend.hints,
                    backend.pod));
      }
      List<String> written = new ArrayList<>();
      for (String port : ports) {
        String[] parts = port.split(":", -1);
        written.add(
            "{name: \"%s\", protocol: %s, port: %s}"
                .formatted(parts[0], parts[1].toUpperCase(Locale.ROOT), parts[2]));
      }
      texts.add(
          """
          {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice,
           metadata: {namespace: shop, name: %s-%s, uid: e-%s-%s, labels: {kubernetes.io/service-name: %s}},
           addressType: %s, ports: %s, endpoints: %s}\
          """
              .formatted(
                  service,
                  family.label(),
                  service,
                  family.label(),
                  service,
                  family == dev.sund.model.Family.V4 ? "IPv4" : "IPv6",
                  written,
                  endpoints));
    }
    return String.join("\n---\n", texts);
  }
}
