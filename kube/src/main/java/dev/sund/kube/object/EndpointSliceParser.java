package dev.sund.kube.object;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.EndpointSlice.SlicePort;
import dev.sund.kube.tree.Shape;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Reason;
import dev.sund.model.ServiceKey;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * {@code discovery.k8s.io/v1 EndpointSlice} to {@link EndpointSlice}. Slices are the many of the
 * many: a field that repeats from one to the next is kept once.
 *
 * <p>A slice that is no proxy's business (without the label of its Service, of a headless one, of
 * another proxy) means what one means that does not exist.
 */
final class EndpointSliceParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind", "addressType")
          .use("metadata", Meta.OF_SLICES)
          .use(
              "ports",
              Shape.listOf(Shape.object().use("name", "protocol", "port").pass("appProtocol")))
          .use(
              "endpoints",
              Shape.listOf(
                  Shape.object()
                      .use("addresses", "nodeName", "zone")
                      .use("conditions", Shape.object().use("ready", "serving", "terminating"))
                      .use(
                          "hints",
                          Shape.object()
                              .use("forZones", Shape.listOf(Shape.object().use("name")))
                              .use("forNodes", Shape.listOf(Shape.object().use("name"))))
                      .use(
                          "targetRef",
                          Shape.object()
                              .use("kind", "namespace", "name")
                              .pass("apiVersion", "fieldPath", "resourceVersion", "uid"))
                      .pass("hostname", "deprecatedTopology")));

  private static final String FQDN = "FQDN";
  private static final Map<String, Optional<Family>> TYPES =
      Map.of(
          "IPv4", Optional.of(Family.V4), "IPv6", Optional.of(Family.V6), FQDN, Optional.empty());

  private EndpointSliceParser() {}

  /**
   * The event that tells of it.
   *
   * @param ref names the slice as {@code NAMESPACE/NAME}
   */
  static Parsed<ClusterEvent> parse(ObjectRef ref, Field object) {
    Field metadata = object.at("metadata");
    Field labels = metadata.at("labels");
    Field label = labels.at(Meta.LABEL_SERVICE);
    Optional<String> service = label.text().filter(text -> !text.isEmpty());
    if (service.isEmpty()
        || labels.at(Meta.LABEL_PROXY).present()
        || labels.at(Meta.LABEL_HEADLESS).present()) {
      return object.finish(() -> new ClusterEvent.SliceGone(ref.name()));
    }
    Meta meta = Meta.read(object, "EndpointSlice", ref.name());
    if (!Meta.isLabelValue(service.get())) {
      label.invalid(
          "'" + service.get() + "' is not a value that a label can have.",
          "Write the name of the Service.");
    }
    Field typed = object.at("addressType");
    if (!typed.present()) {
      typed.invalid("the field is missing.", "Write IPv4 or IPv6.");
    }
    Optional<Optional<Family>> type = typed.oneOf(TYPES);
    if (type.isPresent() && type.get().isEmpty()) {
      // Said on the object, since somebody may count on it.
      typed.problem(
          Reason.IGNORED_FIELD,
          "not used: 'FQDN' means that its endpoints are names, and packets go to addresses.",
          "Make a slice with the addresses, of the type IPv4 or IPv6.");
      return object.finish(() -> new ClusterEvent.Refused(ref, object.warnings()));
    }
    Family family = type.flatMap(Function.identity()).orElse(Family.V4);
    List<SlicePort> ports = ports(object.at("ports"));
    List<Backend> endpoints = new ArrayList<>();
    String namespace = ref.name().substring(0, ref.name().indexOf('/'));
    for (Field item : object.at("endpoints").items()) {
      endpoint(item, family, namespace).ifPresent(endpoints::add);
    }
    long triggered = triggered(metadata.at("annotations").at(Meta.TRIGGERED));
    return object.finish(() ->
        new ClusterEvent.SliceSeen(
            new EndpointSlice(
                ref.name(),
                meta.uid(),
                new ServiceKey(namespace, service.get()),
                family,
                ports,
                endpoints,
                triggered)));
  }

  /** A port without a number is of every port's, and so of none that a proxy could ask. */
  private static List<SlicePort> ports(Field list) {
    List<SlicePort> found = new ArrayList<>();
    for (Field item : list.items()) {
      Optional<Integer> number = item.at("port").number(0, 65535).filter(port -> port > 0);
      String name = item.at("name").text().orElse("");
      var protocol = ServicePorts.protocol(item.at("protocol"));
      number.ifPresent(port -> found.add(new SlicePort(Repeats.one(name), protocol, port)));
    }
    return Repeats.one(List.copyOf(found));
  }

  private static Optional<Backend> endpoint(Field item, Family family, String namespace) {
    Field conditions = item.at("conditions");
    boolean ready = conditions.at("ready").truth(true);
    boolean serving = conditions.at("serving").truth(ready);
    boolean terminating = conditions.at("terminating").truth(false);
    Optional<NodeName> node = Meta.nodeName(item.at("nodeName"));
    Optional<String> zone = zone(item.at("zone"));
    List<String> zones = new ArrayList<>();
    for (Field hint : item.at("hints").at("forZones").items()) {
      zone(hint.at("name")).ifPresent(zones::add);
    }
    List<NodeName> nodes = new ArrayList<>();
    for (Field hint : item.at("hints").at("forNodes").items()) {
      Meta.nodeName(hint.at("name")).ifPresent(nodes::add);
    }
    Optional<PodKey> pod = pod(item.at("targetRef"), namespace);
    return address(item.at("addresses"), family)
        .map(ip ->
            new Backend(
                ip,
                ready,
                serving,
                terminating,
                Repeats.one(node),
                Repeats.one(zone),
                Repeats.one(List.copyOf(zones)),
                Repeats.one(List.copyOf(nodes)),
                pod));
  }

  private static Optional<Ip> address(Field list, Family family) {
    List<Field> items = list.items();
    if (items.isEmpty()) {
      list.invalid(
          "it has no address.", "Write the endpoint's address, or leave the endpoint out.");
      return Optional.empty();
    }
    Field first = items.getFirst();
    Optional<Ip> ip = first.ip(family == Family.V4 ? "10.244.1.5" : "fd00:10:244:1::5");
    if (ip.isPresent() && ip.get().family() != family) {
      first.invalid(
          "'" + ip.get() + "' is not of the slice's addressType.",
          "Move it to a slice of its own addressType.");
      return Optional.empty();
    }
    return ip;
  }

  private static Optional<String> zone(Field field) {
    Optional<String> text = field.text().filter(name -> !name.isEmpty());
    if (text.isPresent() && !Meta.isLabelValue(text.get())) {
      field.invalid(
          "'" + text.get() + "' is not the name of a zone, which is a label's value.",
          "Write what the nodes' label topology.kubernetes.io/zone says, or leave the field out.");
      return Optional.empty();
    }
    return text;
  }

  private static Optional<PodKey> pod(Field target, String otherwise) {
    if (target.at("kind").text().filter("Pod"::equals).isEmpty()) {
      return Optional.empty();
    }
    String namespace = target.at("namespace").text().filter(s -> !s.isEmpty()).orElse(otherwise);
    return target
        .at("name")
        .text()
        .filter(name -> !name.isEmpty())
        .map(name -> new PodKey(namespace, name));
  }

  /** A time that cannot be read is one that nobody counts. */
  private static long triggered(Field annotation) {
    String text = annotation.text().orElse("");
    if (text.isEmpty()) {
      return 0;
    }
    try {
      return Math.max(0, Instant.parse(text).toEpochMilli());
    } catch (DateTimeException | ArithmeticException _) {
      annotation.unused("'" + text + "' is not a time");
      return 0;
    }
  }
}
