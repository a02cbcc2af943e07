package dev.sund.engine.cluster;

import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What Sund finds on a node and did not make: devices with their addresses, and foreign routes of
 * the main table. Devices of pods and tunnels of ours are not in it.
 *
 * @param devices sorted by name
 * @param routes sorted by destination, then metric; connected subnets included
 */
public record NodeFacts(List<Device> devices, List<HostRoute> routes) {
  /** No devices, no routes. */
  public static final NodeFacts NONE = new NodeFacts(List.of(), List.of());

  /** Devices of container networks, by Calico's list and those of Docker, Podman and Cilium. */
  private static final Pattern OF_CONTAINERS =
      Pattern.compile(
          "^(docker|cbr|dummy|virbr|lxcbr|veth|lo$|cali|tunl|flannel|kube-ipvs|cni|vxlan\\.calico"
              + "|vxlan-v6\\.calico|wireguard\\.cali|wg-v6\\.cali|nodelocaldns|podman|cilium_|lxc"
              + "|br-[0-9a-f]{12}$)");

  public NodeFacts {
    devices = List.copyOf(devices);
    routes = List.copyOf(routes);
  }

  /**
   * A network device.
   *
   * @param name such as {@code eth0}
   * @param mtu in bytes
   * @param up administratively up and with carrier
   * @param addresses in the kernel's order, but temporary ones last: the first of a family is its
   *     primary
   * @param index its ifindex, 0 where no kernel has numbered it
   */
  public record Device(
      String name, int mtu, boolean up, List<InterfaceAddress> addresses, int index) {
    public Device {
      addresses = List.copyOf(addresses);
    }

    /** A device that no kernel has numbered. */
    public Device(String name, int mtu, boolean up, List<InterfaceAddress> addresses) {
      this(name, mtu, up, addresses, 0);
    }

    /** Whether it is a container network's, by its name; or the loopback device. */
    public boolean isOfContainers() {
      return OF_CONTAINERS.matcher(name).find();
    }

    /** Its first address of this family that is neither link-local nor loopback. */
    public Optional<Ip> primary(Family family) {
      return addresses.stream()
          .map(InterfaceAddress::ip)
          .filter(ip -> ip.family() == family && !ip.isLinkLocal() && !ip.isLoopback())
          .findFirst();
    }
  }

  /**
   * A foreign unicast route.
   *
   * @param destination the prefix
   * @param device the device it leaves by
   * @param gateway the next hop, empty for a connected subnet
   * @param source the preferred source address, if it names one
   * @param metric lower is preferred
   */
  public record HostRoute(
      Prefix destination, String device, Optional<Ip> gateway, Optional<Ip> source, int metric) {}

  /** The device of this name. */
  public Optional<Device> device(String name) {
    return devices.stream().filter(device -> device.name().equals(name)).findFirst();
  }

  /** The device that carries {@code ip}, and the length of its subnet. */
  public Optional<Device> carrier(Ip ip) {
    return devices.stream()
        .filter(device -> device.addresses().stream().anyMatch(a -> a.ip().equals(ip)))
        .findFirst();
  }
}
