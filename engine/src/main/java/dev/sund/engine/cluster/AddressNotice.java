package dev.sund.engine.cluster;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a node's object says, in annotations, of its addresses: by which other nodes reach it, where
 * these are not its {@code InternalIP}s, and which its tunnels have.
 *
 * @param said for each family that it says anything of: the address, or empty where the node has
 *     looked for one and has none
 * @param tunnels the addresses that its tunnels have taken from address pools, IPv4 first
 */
public record AddressNotice(SortedMap<Family, Optional<Ip>> said, List<Ip> tunnels) {
  /** It says nothing: the {@code InternalIP}s count. */
  public static final AddressNotice NONE = new AddressNotice(new TreeMap<>());

  public AddressNotice {
    said = new TreeMap<>(said);
    tunnels = List.copyOf(tunnels);
  }

  /** Of a node whose tunnels have taken nothing. */
  public AddressNotice(SortedMap<Family, Optional<Ip>> said) {
    this(said, List.of());
  }
}
