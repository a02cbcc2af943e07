package dev.sund.agent.bridge;

import dev.sund.agent.local.Json;
import dev.sund.agent.state.Records;
import dev.sund.engine.cluster.MappedContainer;
import dev.sund.engine.cluster.MappedContainer.Place;
import dev.sund.engine.cluster.MappedContainer.Sources;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.hostlocal.AddressOwner;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * A container's ports at the node, as they were asked for.
 *
 * @param owner the container and its interface
 * @param namespace its network namespace
 * @param container what the program is told of it
 */
record PortRecord(AddressOwner owner, Path namespace, MappedContainer container)
    implements Records.Kept {

  @Override
  public Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("containerId", owner.containerId());
    fields.put("interface", owner.interfaceName());
    fields.put("netns", namespace.toString());
    fields.put("network", container.network());
    List<Object> places = new ArrayList<>();
    for (Place place : container.places()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("address", place.address().toString());
      place.gateway().ifPresent(gateway -> one.put("gateway", gateway.toString()));
      places.add(one);
    }
    fields.put("places", places);
    fields.put("ports", container.mappings().stream().map(PortMapping::toString).toList());
    fields.put("sources", container.sources().name().toLowerCase(Locale.ROOT));
    fields.put("since", container.since());
    return fields;
  }

  /**
   * Reads the form on disk.
   *
   * @throws IllegalArgumentException naming what is wrong
   */
  static PortRecord parse(Map<String, Object> fields) {
    AddressOwner owner =
        new AddressOwner(Json.text(fields, "containerId"), Json.text(fields, "interface"));
    List<Place> places = new ArrayList<>();
    for (Map<String, Object> place : Json.children(fields, "places")) {
      places.add(
          new Place(
              InterfaceAddress.parse(Json.text(place, "address")),
              place.containsKey("gateway")
                  ? Optional.of(Ip.parse(Json.text(place, "gateway")))
                  : Optional.empty()));
    }
    return new PortRecord(
        owner,
        Path.of(Json.text(fields, "netns")),
        new MappedContainer(
            owner.toString(),
            Json.text(fields, "network"),
            places,
            Json.texts(fields, "ports").stream().map(PortMapping::parse).toList(),
            Sources.valueOf(Json.text(fields, "sources").toUpperCase(Locale.ROOT)),
            Json.number(fields, "since")));
  }
}
