package dev.sund.kube.object;

import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.LoadBalancerIp;
import dev.sund.engine.cluster.Service.NotServed;
import dev.sund.engine.cluster.Service.Type;
import dev.sund.kube.tree.Shape;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.Prefix;
import dev.sund.model.ServiceKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code v1 Service} to {@link Service}. What an API server fills in or refuses is filled in and
 * refused here too, so that a manifest that never saw one means the same.
 */
final class ServiceParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.OF_SERVICES)
          .use(
              "spec",
              Shape.object()
                  .use("type", "clusterIP", "clusterIPs", "externalIPs", "selector")
                  .use("ports", Shape.listOf(ServicePorts.SHAPE))
                  .use("loadBalancerSourceRanges", "healthCheckNodePort")
                  .use("internalTrafficPolicy", "externalTrafficPolicy")
                  .use("sessionAffinity", "publishNotReadyAddresses")
                  .use(
                      "sessionAffinityConfig",
                      Shape.object().use("clientIP", Shape.object().use("timeoutSeconds")))
                  .pass("externalName", "ipFamilies", "ipFamilyPolicy", "loadBalancerClass")
                  .pass("loadBalancerIP", "allocateLoadBalancerNodePorts", "trafficDistribution"))
          .use(
              "status",
              Shape.object()
                  .use(
                      "loadBalancer",
                      Shape.object()
                          .use(
                              "ingress",
                              Shape.listOf(
                                  Shape.object().use("ip", "ipMode").pass("hostname", "ports"))))
                  .pass("conditions"));

  /** How long a client keeps its endpoint unless the Service says otherwise: three hours. */
  private static final int USUAL_AFFINITY = 10_800;

  private static final int LONGEST_AFFINITY = 86_400;

  private static final Map<String, Type> TYPES =
      Map.of(
          "ClusterIP", Type.CLUSTER_IP,
          "NodePort", Type.NODE_PORT,
          "LoadBalancer", Type.LOAD_BALANCER,
          "ExternalName", Type.EXTERNAL_NAME);
  private static final Map<String, Boolean> LOCAL = Map.of("Cluster", false, "Local", true);
  private static final Map<String, Boolean> BY_CLIENT = Map.of("None", false, "ClientIP", true);
  private static final Map<String, Boolean> PROXIED = Map.of("VIP", false, "Proxy", true);
  private static final Map<String, EndpointChoice> CHOICES =
      Map.of("random", EndpointChoice.RANDOM, "by-client", EndpointChoice.BY_CLIENT);

  private ServiceParser() {}

  static Parsed<Service> parse(ServiceKey key, Field object) {
    Meta meta = Meta.read(object, "Service", key.toString());
    Field spec = object.at("spec");
    Type type = spec.at("type").oneOf(TYPES).orElse(Type.CLUSTER_IP);
    Optional<NotServed> notServed = notServed(object, type);
    if (notServed.isPresent()) {
      return object.finish(() -> unserved(key, meta, type, notServed));
    }
    List<Ip> clusterIps = clusterIps(spec);
    List<Ip> externalIps = externalIps(spec.at("externalIPs"));
    boolean balanced = type == Type.LOAD_BALANCER;
    boolean nodePorts = balanced || type == Type.NODE_PORT;
    List<Service.ServicePort> ports = ServicePorts.read(spec.at("ports"), nodePorts);
    List<LoadBalancerIp> ingress =
        balanced ? ingress(object.at("status").at("loadBalancer").at("ingress")) : List.of();
    List<Prefix> ranges = balanced ? sourceRanges(object) : List.of();
    boolean internalLocal = spec.at("internalTrafficPolicy").oneOf(LOCAL).orElse(false);
    boolean externalLocal = spec.at("externalTrafficPolicy").oneOf(LOCAL).orElse(false);
    Optional<Integer> health =
        spec.at("healthCheckNodePort")
            .number(0, 65535)
            .filter(port -> port > 0 && balanced && externalLocal);
    Optional<Duration> affinity = affinity(spec);
    boolean notReadyToo = spec.at("publishNotReadyAddresses").truth(false);
    boolean selects =
        spec.at("selector").fields().filter(all -> !all.fields().isEmpty()).isPresent();
    Field annotation = object.at("metadata").at("annotations").at(Marks.ANNOTATION_CHOICE);
    Optional<EndpointChoice> choice = annotation.oneOf(CHOICES);
    return object.finish(() ->
        new Service(
            key,
            meta.uid(),
            meta.created(),
            type,
            notServed,
            clusterIps,
            externalIps,
            ingress,
            ports,
            ranges,
            internalLocal,
            externalLocal,
            health,
            affinity,
            notReadyToo,
            selects,
            choice));
  }

  /** What it says of addresses and ports is nothing to a proxy, so nobody complains of it. */
  private static Service unserved(
      ServiceKey key, Meta meta, Type type, Optional<NotServed> notServed) {
    return new Service(
        key,
        meta.uid(),
        meta.created(),
        type,
        notServed,
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        false,
        false,
        Optional.empty(),
        Optional.empty(),
        false,
        false,
        Optional.empty());
  }

  private static Optional<NotServed> notServed(Field object, Type type) {
    Field labels = object.at("metadata").at("labels");
    Field spec = object.at("spec");
    if (labels.at(Meta.LABEL_PROXY).present()) {
      return Optional.of(NotServed.OTHER_PROXY);
    }
    if (type == Type.EXTERNAL_NAME) {
      return Optional.of(NotServed.EXTERNAL_NAME);
    }
    boolean none =
        spec.at("clusterIP").text().filter("None"::equals).isPresent()
            || spec.at("clusterIPs").items().stream()
                .anyMatch(item -> item.text().filter("None"::equals).isPresent());
    return none || labels.at(Meta.LABEL_HEADLESS).present()
        ? Optional.of(NotServed.HEADLESS)
        : Optional.empty();
  }

  private static List<Ip> clusterIps(Field spec) {
    Field list = spec.at("clusterIPs");
    Field single = spec.at("clusterIP");
    Optional<Ip> first =
        single.text().filter(text -> !text.isEmpty()).flatMap(_ -> single.ip("10.96.0.10"));
    List<Ip> found = new ArrayList<>();
    for (Field item : list.items()) {
      Optional<Ip> ip = item.ip("10.96.0.10");
      if (ip.isEmpty()) {
        continue;
      }
      Family family = ip.get().family();
      Optional<Ip> before = found.stream().filter(other -> other.family() == family).findFirst();
      if (before.isPresent()) {
        item.invalid(
            "'" + ip.get() + "' is a second address of its family besides " + before.get() + ".",
            "Leave one of them out: a Service has at most one address of each family.");
      } else {
        found.add(ip.get());
      }
    }
    if (found.isEmpty()) {
      return first.map(List::of).orElse(List.of());
    }
    if (first.isPresent() && !first.get().equals(found.getFirst())) {
      single.invalid(
          "'" + first.get() + "' is not the first of spec.clusterIPs, " + found.getFirst() + ".",
          "Write " + found.getFirst() + ", or leave spec.clusterIP out.");
    }
    return found;
  }

  private static List<Ip> externalIps(Field list) {
    return list.items().stream()
        .flatMap(item -> item.ip("203.0.113.10").stream())
        .distinct()
        .toList();
  }

  private static List<LoadBalancerIp> ingress(Field list) {
    List<LoadBalancerIp> found = new ArrayList<>();
    for (Field item : list.items()) {
      Field address = item.at("ip");
      Optional<Ip> ip =
          address.text().filter(text -> !text.isEmpty()).flatMap(_ -> address.ip("203.0.113.10"));
      boolean proxied = item.at("ipMode").oneOf(PROXIED).orElse(false);
      ip.ifPresent(known -> found.add(new LoadBalancerIp(known, proxied)));
    }
    return found;
  }

  /** The annotation, which came first, counts only where the field says nothing. */
  private static List<Prefix> sourceRanges(Field object) {
    Field list = object.at("spec").at("loadBalancerSourceRanges");
    List<Field> items = list.items();
    List<Prefix> found = new ArrayList<>();
    for (Field item : items) {
      item.text().flatMap(text -> range(item, text)).ifPresent(found::add);
    }
    Field annotation = object.at("metadata").at("annotations").at(Meta.SOURCE_RANGES);
    Optional<String> text = annotation.text().filter(said -> !said.isBlank());
    if (items.isEmpty() && text.isPresent()) {
      for (String range : text.get().split(",", -1)) {
        range(annotation, range).ifPresent(found::add);
      }
    }
    return found.stream().distinct().toList();
  }

  /** As Kubernetes has it, blanks around a range and bits behind its length do not matter. */
  private static Optional<Prefix> range(Field field, String text) {
    Optional<Prefix> range = NodePortRanges.masked(text);
    if (range.isEmpty()) {
      field.invalid(
          "'" + text.strip() + "' is not a CIDR.",
          "Write an address and a length such as 198.51.100.0/24; who may ask is not guessed.");
    }
    return range;
  }

  private static Optional<Duration> affinity(Field spec) {
    Field timeout = spec.at("sessionAffinityConfig").at("clientIP").at("timeoutSeconds");
    int seconds = timeout.number(1, LONGEST_AFFINITY).orElse(USUAL_AFFINITY);
    return spec.at("sessionAffinity").oneOf(BY_CLIENT).orElse(false)
        ? Optional.of(Duration.ofSeconds(seconds))
        : Optional.empty();
  }
}
