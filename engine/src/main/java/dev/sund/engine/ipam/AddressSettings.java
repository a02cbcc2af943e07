package dev.sund.engine.ipam;

import dev.sund.model.Prefix;
import java.util.List;

/**
 * What an operator sets for the giving of addresses; the same on every node.
 *
 * @param mode where addresses come from
 * @param reserved ranges of which nothing is given unless a pod asks for it by name
 */
public record AddressSettings(Mode mode, List<Prefix> reserved) {
  /** The nodes' own ranges, nothing reserved. */
  public static final AddressSettings DEFAULT = new AddressSettings(Mode.KUBERNETES, List.of());

  /** Where addresses come from. */
  public enum Mode {
    /** From the node's {@code spec.podCIDRs}. */
    KUBERNETES,
    /** From blocks of the pools. */
    POOLS
  }

  public AddressSettings {
    reserved = List.copyOf(reserved);
  }
}
