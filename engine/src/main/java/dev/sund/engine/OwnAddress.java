package dev.sund.engine;

import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.AddressMethod.AsAnnotated;
import dev.sund.engine.cluster.AddressMethod.CanReach;
import dev.sund.engine.cluster.AddressMethod.FirstFound;
import dev.sund.engine.cluster.AddressMethod.InRanges;
import dev.sund.engine.cluster.AddressMethod.InternalIp;
import dev.sund.engine.cluster.AddressMethod.OnInterface;
import dev.sund.engine.cluster.AddressMethod.SkipInterface;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.NodeFacts.Device;
import dev.sund.engine.cluster.NodeFacts.HostRoute;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * This node's address, found as a method says. It depends on what the machine has now and on
 * nothing before, so a change of the machine is followed, and an agent that starts anew finds the
 * same.
 */
final class OwnAddress {
  private OwnAddress() {}

  /** The node with the addresses that its machine has by now. */
  static Node found(Node told, FabricSettings settings, NodeFacts facts) {
    List<Ip> found = new ArrayList<>();
    for (Family family : Family.values()) {
      find(settings.nodeAddress(family), family, told, facts).ifPresent(found::add);
    }
    return told.with(found, told.podCidrs());
  }

  /** The address of this family; empty when nothing fits. */
  static Optional<Ip> find(AddressMethod method, Family family, Node node, NodeFacts facts) {
    return switch (method) {
      case InternalIp() -> node.internal(family);
      case AsAnnotated() -> node.address(family);
      case FirstFound() ->
          first(devices(facts).filter(device -> !device.isOfContainers()), family, _ -> true);
      case OnInterface(var patterns) ->
          patterns.stream()
              .map(pattern -> Pattern.compile(pattern))
              .flatMap(pattern ->
                  first(
                      devices(facts).filter(device -> pattern.matcher(device.name()).find()),
                      family,
                      _ -> true)
                      .stream())
              .findFirst();
      case SkipInterface(var patterns) -> {
        List<Pattern> skipped = patterns.stream().map(pattern -> Pattern.compile(pattern)).toList();
        yield first(
            devices(facts)
                .filter(device -> !device.isOfContainers())
                .filter(
                    device -> skipped.stream().noneMatch(one -> one.matcher(device.name()).find())),
            family,
            _ -> true);
      }
      case CanReach(var destination) ->
          destination.family() == family ? towards(destination, facts) : Optional.empty();
      case InRanges(var ranges) ->
          first(
              devices(facts), family, ip -> ranges.stream().anyMatch(range -> range.contains(ip)));
    };
  }

  /** As the kernel numbers them, but those that carry nothing now last. */
  private static Stream<Device> devices(NodeFacts facts) {
    return facts.devices().stream()
        .sorted(Comparator.comparing((Device device) -> !device.up()).thenComparing(Device::index));
  }

  private static Optional<Ip> first(Stream<Device> devices, Family family, Predicate<Ip> fits) {
    return devices.flatMap(device -> usable(device, family)).filter(fits).findFirst();
  }

  private static Stream<Ip> usable(Device device, Family family) {
    return device.addresses().stream()
        .map(InterfaceAddress::ip)
        .filter(ip -> ip.family() == family)
        .filter(ip -> !ip.isLinkLocal() && !ip.isLoopback() && !ip.isMulticast());
  }

  /** As the kernel chooses: what the best route says, else what its device has on that subnet. */
  private static Optional<Ip> towards(Ip destination, NodeFacts facts) {
    if (facts.carrier(destination).isPresent()) {
      return Optional.of(destination);
    }
    return facts.routes().stream()
        .filter(route -> route.destination().contains(destination))
        .min(
            Comparator.comparingInt((HostRoute route) -> -route.destination().length())
                .thenComparingInt(HostRoute::metric))
        .flatMap(route -> source(route, destination, facts));
  }

  private static Optional<Ip> source(HostRoute route, Ip destination, NodeFacts facts) {
    Ip next = route.gateway().filter(ip -> !ip.isLinkLocal()).orElse(destination);
    return route
        .source()
        .or(() ->
            facts.device(route.device()).stream()
                .flatMap(device -> device.addresses().stream())
                .filter(address -> address.ip().family() == destination.family())
                .filter(address -> !address.ip().isLinkLocal())
                .filter(address -> address.subnet().contains(next))
                .map(InterfaceAddress::ip)
                .findFirst())
        .or(() -> facts.device(route.device()).flatMap(device -> device.primary(next.family())));
  }
}
