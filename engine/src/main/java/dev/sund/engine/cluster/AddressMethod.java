package dev.sund.engine.cluster;

import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How a node finds the address of one family by which other nodes reach it: the local end of its
 * tunnels and the next hop of routes to its pods.
 *
 * @see <a
 *     href="https://docs.tigera.io/calico/latest/reference/configure-calico-node#ip-autodetection-methods">
 *     Calico's methods</a>, whose words these are
 */
public sealed interface AddressMethod {
  /** What holds where nothing is set. */
  AddressMethod DEFAULT = new InternalIp();

  /** The {@code InternalIP} that the kubelet reports. */
  record InternalIp() implements AddressMethod {
    @Override
    public String text() {
      return "kubernetes-internal-ip";
    }
  }

  /**
   * What the node's object says: its annotation, which whoever runs the cluster writes by hand, or
   * without one its {@code InternalIP}. The agent then writes no annotation.
   */
  record AsAnnotated() implements AddressMethod {
    @Override
    public String text() {
      return "annotation";
    }
  }

  /** The first address of the first device, those of container networks left out. */
  record FirstFound() implements AddressMethod {
    @Override
    public String text() {
      return "first-found";
    }
  }

  /**
   * The first address of a device whose name contains a match of one of these.
   *
   * @param patterns regular expressions, the first one's devices first
   */
  record OnInterface(List<String> patterns) implements AddressMethod {
    public OnInterface {
      patterns = List.copyOf(patterns);
    }

    @Override
    public String text() {
      return "interface=" + String.join(",", patterns);
    }
  }

  /**
   * As {@link FirstFound}, without devices whose name contains a match of one of these.
   *
   * @param patterns regular expressions
   */
  record SkipInterface(List<String> patterns) implements AddressMethod {
    public SkipInterface {
      patterns = List.copyOf(patterns);
    }

    @Override
    public String text() {
      return "skip-interface=" + String.join(",", patterns);
    }
  }

  /** The source address of packets to {@code destination} by the main table's routes. */
  record CanReach(Ip destination) implements AddressMethod {
    @Override
    public String text() {
      return "can-reach=" + destination;
    }
  }

  /** The first address inside of one of these ranges, on whatever device. */
  record InRanges(List<Prefix> ranges) implements AddressMethod {
    public InRanges {
      ranges = List.copyOf(ranges);
    }

    @Override
    public String text() {
      return "cidr=" + ranges.stream().map(Prefix::toString).collect(Collectors.joining(","));
    }
  }

  /** As configurations write it. */
  String text();

  /** Whether the machine is searched, so that only its own agent can know the address. */
  default boolean isDetected() {
    return switch (this) {
      case InternalIp _, AsAnnotated _ -> false;
      case FirstFound _, OnInterface _, SkipInterface _, CanReach _, InRanges _ -> true;
    };
  }
}
