package dev.sund.engine;

import dev.sund.engine.Mtu.Encapsulation;
import dev.sund.engine.cluster.FabricLayer.MtuLimit;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.Tunnel.Wire;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import dev.sund.model.RuleId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;

/**
 * What this node's own end of the fabric is, made anew whenever its node object, its kernel's facts
 * or the pools change: the few values that all rows share.
 */
final class Fabric {
  /** One family of it. */
  private record Half(
      Set<Wrapping> wrappings,
      Optional<Uplink> uplink,
      Map<Encapsulation, Tunnel> tunnels,
      int podMtu) {}

  /**
   * Where this node meets the underlay.
   *
   * @param address its {@code InternalIP}
   * @param subnet the subnet it is on
   * @param device the device that packets to other nodes leave by
   * @param mtu that device's MTU
   */
  record Uplink(Ip address, Prefix subnet, String device, int mtu) {}

  /** How a packet gets from this node to another. */
  sealed interface Passage {
    /** Unwrapped, the other node being on our subnet. */
    record Unwrapped(Uplink uplink, Ip nextHop) implements Passage {}

    /** Wrapped. */
    record Wrapped(Tunnel tunnel, Ip nextHop) implements Passage {}

    /** Not at all; what is to be told of it is said elsewhere when {@code why} is empty. */
    record None(Optional<Reason> why) implements Passage {}
  }

  private final Map<Family, Half> halves = new EnumMap<>(Family.class);
  private final List<Condition> conditions = new ArrayList<>();

  /**
   * Computes both families.
   *
   * @param self this node with the addresses and pod ranges that it holds, if it is known
   * @param tunnelAddress the address of this node's tunnels of a family, if there is one
   * @param facts its kernel's, if they have been told
   * @param wrappings what the pools of each family ask for; nothing for a family that no pod has
   */
  Fabric(
      Optional<Node> self,
      Function<Family, Optional<Ip>> tunnelAddress,
      Optional<NodeFacts> facts,
      Map<Family, Set<Wrapping>> wrappings,
      FabricSettings settings) {
    NodeFacts known = facts.orElse(NodeFacts.NONE);
    for (Family family : Family.values()) {
      Optional<Ip> address = self.flatMap(node -> node.address(family));
      Optional<Uplink> uplink = address.flatMap(ip -> uplink(ip, known));
      if (address.isPresent() && uplink.isEmpty() && facts.isPresent() && self.isPresent()) {
        conditions.add(addressNotHere(self.get(), address.get()));
      }
      halves.put(
          family,
          half(
              family,
              self,
              tunnelAddress,
              uplink,
              wrappings.getOrDefault(family, Set.of()),
              settings));
    }
  }

  private Half half(
      Family family,
      Optional<Node> self,
      Function<Family, Optional<Ip>> tunnelAddress,
      Optional<Uplink> uplink,
      Set<Wrapping> wrappings,
      FabricSettings settings) {
    Encapsulation worst =
        wrappings.stream()
            .map(Wrapping::by)
            .max(Comparator.comparingInt(by -> Mtu.overhead(by, family)))
            .orElse(Encapsulation.NONE);
    int deviceMtu = uplink.map(Uplink::mtu).orElse(Mtu.ETHERNET);
    OptionalInt set = bytes(settings.limit(worst));
    int podMtu = Mtu.pod(deviceMtu, family, worst, set);
    Map<Encapsulation, Tunnel> tunnels = new EnumMap<>(Encapsulation.class);
    if (uplink.isPresent() && self.isPresent()) {
      if (!wrappings.isEmpty()) {
        sayMtu(family, uplink.get(), worst, settings);
      }
      for (Wrapping wrapping : wrappings) {
        tunnel(wrapping.by(), self.get(), tunnelAddress, uplink.get(), settings)
            .ifPresent(tunnel -> tunnels.put(wrapping.by(), tunnel));
      }
    }
    return new Half(wrappings, uplink, tunnels, podMtu);
  }

  private static Optional<Tunnel> tunnel(
      Encapsulation by,
      Node node,
      Function<Family, Optional<Ip>> tunnelAddress,
      Uplink uplink,
      FabricSettings settings) {
    Family family = uplink.address().family();
    Optional<Wire> wire =
        switch (by) {
          case NONE -> Optional.empty();
          case IPIP -> family == Family.V4 ? Optional.of(new Wire.Ipip()) : Optional.empty();
          case VXLAN ->
              Optional.of(
                  new Wire.Vxlan(
                      settings.vni(), settings.vxlanPort(), tunnelMac(node, uplink.address())));
        };
    int mtu = Mtu.tunnel(by, uplink.mtu(), family, bytes(settings.limit(by)));
    return wire.filter(_ -> mtu >= Mtu.minimum(family))
        .map(how ->
            new Tunnel(
                tunnelDevice(by, family),
                how,
                uplink.address(),
                uplink.device(),
                tunnelAddress.apply(family),
                mtu,
                RuleId.of("Node", node.name().text(), node.uid())));
  }

  /** What the pools of this family ask for. */
  Set<Wrapping> wrappings(Family family) {
    return half(family).wrappings();
  }

  /** Where this node meets the underlay of this family. */
  Optional<Uplink> uplink(Family family) {
    return half(family).uplink();
  }

  /** This node's tunnels of this family, at most one for each way of wrapping. */
  Collection<Tunnel> tunnels(Family family) {
    return half(family).tunnels().values();
  }

  /** This node's tunnel of this family that wraps so. */
  Optional<Tunnel> tunnel(Family family, Encapsulation by) {
    return Optional.ofNullable(half(family).tunnels().get(by));
  }

  /** The MTU of pods' default routes. */
  int podMtu(Family family) {
    return half(family).podMtu();
  }

  /** What is wrong with this node's end. */
  List<Condition> conditions() {
    return conditions;
  }

  /**
   * How packets get to another node.
   *
   * @param address its address of the family in question, if it holds one
   * @param wrapping what the pool of the destination asks for
   * @param tunnelMac its tunnel end at an address: {@link #tunnelMac}, which costs a digest
   */
  Passage to(Family family, Optional<Ip> address, Wrapping wrapping, Function<Ip, Mac> tunnelMac) {
    if (uplink(family).isEmpty() || address.isEmpty()) {
      return new Passage.None(Optional.empty());
    }
    Uplink uplink = uplink(family).get();
    boolean near = uplink.subnet().contains(address.get());
    Encapsulation by = wrapping.to(near);
    return switch (by) {
      case NONE ->
          near
              ? new Passage.Unwrapped(uplink, address.get())
              : new Passage.None(Optional.of(Reason.NOT_ON_SUBNET));
      case IPIP -> wrapped(family, by, address.get());
      case VXLAN -> wrapped(family, by, tunnelNextHop(address.get(), tunnelMac));
    };
  }

  private Passage wrapped(Family family, Encapsulation by, Ip nextHop) {
    return tunnel(family, by)
        .<Passage>map(tunnel -> new Passage.Wrapped(tunnel, nextHop))
        .orElse(new Passage.None(Optional.empty()));
  }

  /** The device of a tunnel over an underlay of this family. */
  private static String tunnelDevice(Encapsulation by, Family family) {
    return switch (by) {
      case NONE -> throw new AssertionError("what is not wrapped needs no tunnel");
      case IPIP -> Marks.IPIP_V4;
      case VXLAN ->
          switch (family) {
            case V4 -> Marks.VXLAN_V4;
            case V6 -> Marks.VXLAN_V6;
          };
    };
  }

  /** The address of a node's tunnel end, derived from what the API says of the node. */
  static Mac tunnelMac(Node node, Ip address) {
    return Mac.derivedFrom("vxlan/" + node.uid() + "/" + address);
  }

  private static Ip tunnelNextHop(Ip address, Function<Ip, Mac> tunnelMac) {
    return switch (address.family()) {
      case V4 -> address; // its MAC address is not needed
      case V6 -> tunnelNextHop(tunnelMac.apply(address), address);
    };
  }

  /** The next hop by which routes name the tunnel end with this MAC address. */
  static Ip tunnelNextHop(Mac mac, Ip address) {
    return switch (address.family()) {
      case V4 -> address;
      case V6 -> mac.linkLocal();
    };
  }

  private Half half(Family family) {
    Half half = halves.get(family);
    if (half == null) {
      throw new AssertionError("every family has its half");
    }
    return half;
  }

  /**
   * Where packets from {@code address} leave. An address on the loopback device, as hosts have that
   * speak BGP, is on no subnet, and packets leave by the default route's device.
   */
  private static Optional<Uplink> uplink(Ip address, NodeFacts facts) {
    Optional<NodeFacts.Device> carrier = facts.carrier(address);
    if (carrier.isPresent() && carrier.get().name().equals("lo")) {
      return facts.routes().stream()
          .filter(route -> route.destination().equals(Prefix.all(address.family())))
          .min(Comparator.comparingInt(NodeFacts.HostRoute::metric))
          .flatMap(route -> facts.device(route.device()))
          .map(out -> new Uplink(address, Prefix.host(address), out.name(), out.mtu()));
    }
    return carrier.map(device ->
        new Uplink(
            address,
            device.addresses().stream()
                .filter(carried -> carried.ip().equals(address))
                .map(InterfaceAddress::subnet)
                .findFirst()
                .orElse(Prefix.host(address)),
            device.name(),
            device.mtu()));
  }

  private void sayMtu(Family family, Uplink uplink, Encapsulation worst, FabricSettings settings) {
    int fits = uplink.mtu() - Mtu.overhead(worst, family);
    int minimum = Mtu.minimum(family);
    if (fits < minimum) {
      conditions.add(
          new Condition(
              Reason.MTU_TOO_SMALL,
              new ObjectRef("link", uplink.device()),
              "mtu",
              "%d leaves %d bytes for pods' %s packets%s, but every %s link takes %d."
                  .formatted(
                      uplink.mtu(),
                      fits,
                      name(family),
                      worst == Encapsulation.NONE ? "" : " inside of " + worst,
                      name(family),
                      minimum),
              "Give %s an MTU of %d or more."
                  .formatted(uplink.device(), minimum + Mtu.overhead(worst, family))));
    }
    settings.limit(worst).ifPresent(limit -> sayLimit(limit, family, fits, uplink.device()));
  }

  private void sayLimit(MtuLimit limit, Family family, int fits, String device) {
    int set = limit.bytes();
    int minimum = Mtu.minimum(family);
    if (set < minimum) {
      conditions.add(
          new Condition(
              Reason.MTU_TOO_SMALL,
              limit.object(),
              limit.field(),
              "%d is less than the %d bytes that every %s link takes; pods get %d."
                  .formatted(set, minimum, name(family), minimum),
              "Set %d or more, or leave it out to have it computed.".formatted(minimum)));
    } else if (set > fits && fits >= minimum) {
      conditions.add(
          new Condition(
              Reason.MTU_TOO_LARGE,
              limit.object(),
              limit.field(),
              "%d is more than the %d bytes that %s leaves for pods' %s packets; pods get %d."
                  .formatted(set, fits, device, name(family), fits),
              "Set %d or less, or leave it out to have it computed.".formatted(fits)));
    }
  }

  private static OptionalInt bytes(Optional<MtuLimit> limit) {
    return limit.map(MtuLimit::bytes).map(OptionalInt::of).orElse(OptionalInt.empty());
  }

  private static Condition addressNotHere(Node self, Ip address) {
    return new Condition(
        Reason.NODE_ADDRESS_NOT_LOCAL,
        new ObjectRef("Node", self.name().text()),
        "status.addresses",
        address
            + (self.internal().contains(address)
                ? " is this node's InternalIP, but no device of this machine carries it."
                : " is this node's address by its annotation, but no device of this machine"
                    + " carries it."),
        self.internal().contains(address)
            ? "Put the address on a device, or correct the node's InternalIP (kubelet --node-ip)."
            : "Put the address on a device, or correct the annotation.");
  }

  /** The family as sentences say it. */
  static String name(Family family) {
    return switch (family) {
      case V4 -> "IPv4";
      case V6 -> "IPv6";
    };
  }
}
