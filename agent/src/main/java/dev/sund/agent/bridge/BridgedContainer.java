package dev.sund.agent.bridge;

import dev.sund.agent.local.Json;
import dev.sund.agent.state.Records;
import dev.sund.dataplane.BridgeLinks;
import dev.sund.dataplane.BridgeLinks.ContainerRoute;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.engine.hostlocal.AddressOwner;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A container on a bridge, as it was made.
 *
 * @param owner the container and its interface
 * @param bridge its bridge
 * @param port its link
 * @param content what hangs on the link
 * @param translated the subnets whose packets get the node's address when they leave
 * @param dataDir where its addresses' files are; empty when it has no addresses
 * @param pod the pod that it is, when the runtime says that it is one of a cluster
 * @param podUid the pod's uid, empty when nobody said
 */
record BridgedContainer(
    AddressOwner owner,
    BridgeLinks.Bridge bridge,
    BridgeLinks.Port port,
    BridgeLinks.Content content,
    List<Prefix> translated,
    Optional<Path> dataDir,
    Optional<PodKey> pod,
    String podUid)
    implements Records.Kept {
  BridgedContainer {
    translated = List.copyOf(translated);
  }

  /** Its link, as policies and the check of senders know it; none without addresses. */
  Optional<PortOnBridge> onBridge() {
    return content.addresses().isEmpty()
        ? Optional.empty()
        : Optional.of(
            new PortOnBridge(
                key(),
                port.device(),
                bridge.name(),
                pod,
                podUid,
                content.addresses().stream().map(InterfaceAddress::ip).toList(),
                port.hairpin()));
  }

  String network() {
    return bridge.network();
  }

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("containerId", owner.containerId());
    fields.put("interface", owner.interfaceName());
    fields.put("netns", port.namespace().toString());
    fields.put("network", bridge.network());
    fields.put("bridge", bridge.name());
    fields.put("device", port.device());
    fields.put("mtu", bridge.mtu());
    fields.put("promiscuous", bridge.promiscuous());
    fields.put("hairpin", port.hairpin());
    fields.put("force", content.force());
    fields.put("addresses", texts(content.addresses()));
    fields.put("gateways", texts(content.gateways()));
    List<Object> routes = new ArrayList<>();
    for (ContainerRoute route : content.routes()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("dst", route.destination().toString());
      route.gateway().ifPresent(gateway -> one.put("gw", gateway.toString()));
      routes.add(one);
    }
    fields.put("routes", routes);
    fields.put("translated", texts(translated));
    pod.ifPresent(key -> {
      fields.put("pod", key.toString());
      fields.put("podUid", podUid);
    });
    dataDir.ifPresent(dir -> fields.put("dataDir", dir.toString()));
    return fields;
  }

  /**
   * Reads the form on disk.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  static BridgedContainer parse(Map<String, Object> fields) {
    int mtu = Math.toIntExact(Json.number(fields, "mtu"));
    AddressOwner owner =
        new AddressOwner(Json.text(fields, "containerId"), Json.text(fields, "interface"));
    List<ContainerRoute> routes = new ArrayList<>();
    for (Map<String, Object> route : Json.children(fields, "routes")) {
      routes.add(
          new ContainerRoute(
              Prefix.parse(Json.text(route, "dst")),
              route.containsKey("gw")
                  ? Optional.of(Ip.parse(Json.text(route, "gw")))
                  : Optional.empty()));
    }
    return new BridgedContainer(
        owner,
        new BridgeLinks.Bridge(
            Json.text(fields, "bridge"),
            Json.text(fields, "network"),
            mtu,
            flag(fields, "promiscuous")),
        new BridgeLinks.Port(
            Json.text(fields, "device"),
            Path.of(Json.text(fields, "netns")),
            owner.interfaceName(),
            Optional.empty(),
            mtu,
            flag(fields, "hairpin"),
            Json.text(fields, "network") + " " + owner),
        new BridgeLinks.Content(
            addresses(fields, "addresses"),
            routes,
            addresses(fields, "gateways"),
            flag(fields, "force")),
        Json.texts(fields, "translated").stream().map(Prefix::parse).toList(),
        fields.containsKey("dataDir")
            ? Optional.of(Path.of(Json.text(fields, "dataDir")))
            : Optional.empty(),
        fields.containsKey("pod")
            ? Optional.of(PodKey.parse(Json.text(fields, "pod")))
            : Optional.empty(),
        fields.containsKey("podUid") ? Json.text(fields, "podUid") : "");
  }

  private static List<String> texts(List<?> values) {
    return values.stream().map(Object::toString).toList();
  }

  private static List<InterfaceAddress> addresses(Map<String, Object> fields, String key) {
    return Json.texts(fields, key).stream().map(InterfaceAddress::parse).toList();
  }

  private static boolean flag(Map<String, Object> fields, String key) {
    return Boolean.TRUE.equals(fields.get(key));
  }
}
