package dev.sund.engine.cluster;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a node's object says, in annotations, of the addresses by which other nodes reach it, where
 * these are not its {@code InternalIP}s.
 *
 * @param said for each family that it says anything of: the address, or empty where the node has
 *     looked for one and has none
 */
public record AddressNotice(SortedMap<Family, Optional<Ip>> said) {
  /** It says nothing: the {@code InternalIP}s count. */
  public static final AddressNotice NONE = new AddressNotice(new TreeMap<>());

  public AddressNotice {
    said = new TreeMap<>(said);
  }
}
