package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * A container of this node whose network another plugin made, and whose ports are to be reached at
 * the node's addresses: what the plugin {@code portmap} is told.
 *
 * @param key the attachment's name: {@code CONTAINER/INTERFACE}
 * @param network the network's name
 * @param places its addresses, in the order of the result that told them
 * @param mappings its ports at the node; kept sorted
 * @param sources whose connections are seen to come from the node
 * @param since when it was asked for, in milliseconds since 1970: of two containers that want one
 *     port the later has it
 */
public record MappedContainer(
    String key,
    String network,
    List<Place> places,
    List<PortMapping> mappings,
    Sources sources,
    long since) {
  public MappedContainer {
    Checks.notEmpty("key", key);
    Checks.that(since >= 0, "a time before 1970");
    places = List.copyOf(places);
    mappings = mappings.stream().distinct().sorted().toList();
  }

  /**
   * An address of the container.
   *
   * @param address it, with its subnet
   * @param gateway the node's address on that subnet, by which it answers to those whom it could
   *     not answer otherwise
   */
  public record Place(InterfaceAddress address, Optional<Ip> gateway) {}

  /** Whose connections to the container's ports are seen to come from the node. */
  public enum Sources {
    /** Nobody's: the container cannot ask itself, nor its neighbours each other, by the node. */
    NONE,
    /** Those that could not be answered otherwise: of its own subnet, and of 127.0.0.1. */
    NEAR,
    /** All. */
    ALL
  }

  /** The subnets whose containers ask each other by the node; with {@link Sources#NEAR}. */
  public List<Prefix> neighbourhoods() {
    return sources != Sources.NEAR
        ? List.of()
        : places.stream()
            .map(place -> place.address().subnet())
            .distinct()
            .sorted(Comparator.naturalOrder())
            .toList();
  }
}
