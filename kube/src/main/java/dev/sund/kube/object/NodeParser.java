package dev.sund.kube.object;

import dev.sund.engine.cluster.AddressNotice;
import dev.sund.engine.cluster.Node;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * {@code v1 Node} to {@link Node}. A node without podCIDR is a node all the same (one that has just
 * joined, or whose pods' addresses come from elsewhere); one without address is not.
 */
final class NodeParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.OF_NODES)
          .use(
              "spec",
              Shape.object()
                  .use("podCIDR", "podCIDRs")
                  .pass("providerID", "taints", "unschedulable", "externalID", "configSource"))
          .use(
              "status",
              Shape.object()
                  .use("addresses", Shape.listOf(Shape.object().use("type", "address")))
                  .tell("allocatable", StatusFields.WHY)
                  .tell("capacity", StatusFields.WHY)
                  .tell("conditions", StatusFields.WHY)
                  .tell("config", StatusFields.WHY)
                  .tell("daemonEndpoints", StatusFields.WHY)
                  .tell("declaredFeatures", StatusFields.WHY)
                  .tell("features", StatusFields.WHY)
                  .tell("images", StatusFields.WHY)
                  .tell("nodeInfo", StatusFields.WHY)
                  .tell("phase", StatusFields.WHY)
                  .tell("runtimeHandlers", StatusFields.WHY)
                  .tell("volumesAttached", StatusFields.WHY)
                  .tell("volumesInUse", StatusFields.WHY));

  private NodeParser() {}

  static Parsed<Node> parse(String name, Field object) {
    Meta meta = Meta.read(object, "Node", name);
    AddressNotice notice = notice(object.at("metadata").at("annotations"));
    List<Ip> internal = addresses(object.at("status").at("addresses"), notice);
    List<Ip> named = named(object.at("status").at("addresses"));
    List<Prefix> podCidrs = podCidrs(object.at("spec"));
    Map<String, String> labels = Meta.labels(object);
    return object.finish(() ->
        Node.told(
                new NodeName(name), meta.uid(), meta.created(), internal, notice, podCidrs, labels)
            .withAll(named));
  }

  /** All IP addresses, of whatever type: a name is none, and no error. */
  private static List<Ip> named(Field list) {
    List<Ip> named = new ArrayList<>();
    for (Field item : list.items()) {
      item.at("address").text().flatMap(Ip::tryParse).ifPresent(named::add);
    }
    return named;
  }

  /** What Sund wrote; what cannot be read counts as not written, and its agent writes it anew. */
  private static AddressNotice notice(Field annotations) {
    SortedMap<Family, Optional<Ip>> said = new TreeMap<>();
    for (Family family : Family.values()) {
      Field field = annotations.at(family == Family.V4 ? Marks.ANNOTATION_V4 : Marks.ANNOTATION_V6);
      String text = field.text().orElse("");
      Optional<Ip> ip = Ip.tryParse(text).filter(found -> found.family() == family);
      if (ip.isPresent() || text.equals(Marks.NO_ADDRESS)) {
        said.put(family, ip);
      } else if (!text.isEmpty()) {
        field.unused(
            "'" + text + "' is no " + (family == Family.V4 ? "IPv4" : "IPv6") + " address");
      }
    }
    Field tunnels = annotations.at(Marks.ANNOTATION_TUNNELS);
    SortedMap<Family, Ip> taken = new TreeMap<>();
    for (String text : tunnels.text().orElse("").split(",")) {
      Optional<Ip> ip = Ip.tryParse(text);
      if (ip.isPresent()) {
        taken.put(ip.get().family(), ip.get());
      } else if (!text.isEmpty()) {
        tunnels.unused("'" + text + "' is no address");
      }
    }
    return new AddressNotice(said, List.copyOf(taken.values()));
  }

  private static List<Ip> addresses(Field list, AddressNotice notice) {
    Map<Family, Ip> first = new EnumMap<>(Family.class);
    boolean unreadable = false;
    for (Field item : list.items()) {
      if (item.at("type").text().filter("InternalIP"::equals).isPresent()) {
        Field address = item.at("address");
        var ip =
            address.needed("Write the node's address.").flatMap(_ -> address.ip("192.168.1.11"));
        ip.ifPresent(found -> first.putIfAbsent(found.family(), found));
        unreadable |= ip.isEmpty();
      }
    }
    if (first.isEmpty() && !unreadable && notice.said().isEmpty()) {
      list.problem(
          Reason.NODE_WITHOUT_ADDRESS,
          list.present() ? "no address has the type InternalIP." : "the field is missing.",
          "Add an address with type: InternalIP; the kubelet takes it from --node-ip.");
    }
    return List.copyOf(first.values());
  }

  private static List<Prefix> podCidrs(Field spec) {
    Field list = spec.at("podCIDRs");
    Field single = spec.at("podCIDR");
    if (!list.present()) {
      return single.present() && !isEmptyText(single)
          ? single.prefix("10.244.1.0/24").map(List::of).orElse(List.of())
          : List.of();
    }
    List<Prefix> found = new ArrayList<>();
    boolean allRead = true;
    for (Field item : list.items()) {
      var prefix = item.prefix("10.244.1.0/24");
      if (prefix.isEmpty()) {
        allRead = false;
        continue;
      }
      Family family = prefix.get().family();
      var before = found.stream().filter(other -> other.family() == family).findFirst();
      if (before.isPresent()) {
        item.invalid(
            "'"
                + prefix.get()
                + "' is a second range of "
                + (family == Family.V4 ? "IPv4" : "IPv6")
                + " besides "
                + before.get()
                + ".",
            "Leave one of them out: a node has at most one range of each family.");
      } else {
        found.add(prefix.get());
      }
    }
    if (single.present() && !isEmptyText(single)) {
      var first = single.prefix("10.244.1.0/24");
      if (first.isPresent()
          && !found.isEmpty()
          && allRead
          && !first.get().equals(found.getFirst())) {
        single.invalid(
            "'" + first.get() + "' is not the first of spec.podCIDRs, " + found.getFirst() + ".",
            "Write " + found.getFirst() + ", or leave spec.podCIDR out.");
      }
    }
    return found;
  }

  private static boolean isEmptyText(Field field) {
    return field.tree().filter(t -> t instanceof Tree.Scalar s && s.text().isEmpty()).isPresent();
  }
}
