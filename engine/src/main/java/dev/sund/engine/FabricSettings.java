package dev.sund.engine;

import dev.sund.engine.Mtu.Encapsulation;
import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.FabricLayer.MtuLimit;
import dev.sund.engine.cluster.FabricLayer.Scope;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.ObjectRef;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What an operator sets for the fabric as a whole; the same on every node.
 *
 * @param vni the VXLAN network identifier, 1 to 16777215
 * @param vxlanPort the UDP port of VXLAN packets, 1 to 65535
 * @param mtu the MTU of pods in bytes; when empty, computed from the underlay
 * @param limits other networks' limits, which hold where {@code mtu} is empty
 * @param addresses how pods get their addresses
 * @param nodeAddresses how nodes find the addresses by which they reach each other; a family that
 *     is not in it is set by other networks' configurations, or else {@link AddressMethod#DEFAULT}
 * @param services how Services are served
 * @param strict whether connections that policies in force forbid are cut
 */
public record FabricSettings(
    int vni,
    int vxlanPort,
    OptionalInt mtu,
    List<MtuLimit> limits,
    AddressSettings addresses,
    Map<Family, AddressMethod> nodeAddresses,
    FabricServices services,
    boolean strict) {
  /** VNI 4096, port 4789 (RFC 7348), MTU computed. */
  public static final FabricSettings DEFAULT = new FabricSettings(4096, 4789, OptionalInt.empty());

  private static final ObjectRef OWN = new ObjectRef("Fabric", "sund");

  public FabricSettings {
    Checks.range("vni", vni, 1, (1 << 24) - 1);
    Checks.range("vxlanPort", vxlanPort, 1, 65535);
    mtu.ifPresent(value -> Checks.range("mtu", value, 576, 65535));
    limits = List.copyOf(limits);
    nodeAddresses = Map.copyOf(nodeAddresses);
  }

  /** Settings of Sund's own alone. */
  public FabricSettings(int vni, int vxlanPort, OptionalInt mtu) {
    this(
        vni,
        vxlanPort,
        mtu,
        List.of(),
        AddressSettings.DEFAULT,
        Map.of(),
        FabricServices.UNSET,
        false);
  }

  /** The same with other settings for addresses. */
  public FabricSettings with(AddressSettings changed) {
    return new FabricSettings(
        vni, vxlanPort, mtu, limits, changed, nodeAddresses, services, strict);
  }

  /** The same with other ways to find nodes' addresses. */
  public FabricSettings with(Map<Family, AddressMethod> methods) {
    return new FabricSettings(vni, vxlanPort, mtu, limits, addresses, methods, services, strict);
  }

  /** The same with other settings for Services. */
  public FabricSettings with(FabricServices changed) {
    return new FabricSettings(
        vni, vxlanPort, mtu, limits, addresses, nodeAddresses, changed, strict);
  }

  /** The same with connections that policies forbid cut, or kept. */
  public FabricSettings withStrict(boolean changed) {
    return new FabricSettings(
        vni, vxlanPort, mtu, limits, addresses, nodeAddresses, services, changed);
  }

  /** How a node finds its address of this family. */
  AddressMethod nodeAddress(Family family) {
    return nodeAddresses.getOrDefault(family, AddressMethod.DEFAULT);
  }

  /** The limit of pods' packets where {@code worst} is the most costly way of wrapping them. */
  Optional<MtuLimit> limit(Encapsulation worst) {
    if (mtu.isPresent()) {
      return Optional.of(new MtuLimit(OWN, "mtu", mtu.getAsInt(), Scope.PODS));
    }
    return limits.stream()
        .filter(limit -> limit.scope() == Scope.PODS || limit.scope() == scope(worst))
        .min(Comparator.comparing(MtuLimit::bytes));
  }

  private static Scope scope(Encapsulation worst) {
    return switch (worst) {
      case NONE -> Scope.PODS;
      case IPIP -> Scope.IPIP;
      case VXLAN -> Scope.VXLAN;
    };
  }

  /**
   * These settings with what other networks' configurations set where these do not differ from the
   * default.
   *
   * @param layers the one that counts most first
   */
  FabricSettings over(Collection<FabricLayer> layers) {
    List<MtuLimit> found = new ArrayList<>();
    for (Scope scope : Scope.values()) {
      layers.stream().flatMap(layer -> layer.mtu(scope).stream()).findFirst().ifPresent(found::add);
    }
    Map<Family, AddressMethod> methods = new EnumMap<>(Family.class);
    layers.forEach(layer -> layer.nodeAddresses().forEach(methods::putIfAbsent));
    methods.putAll(nodeAddresses);
    return new FabricSettings(
        vni != DEFAULT.vni ? vni : first(layers.stream().map(FabricLayer::vni).toList(), vni),
        vxlanPort != DEFAULT.vxlanPort
            ? vxlanPort
            : first(layers.stream().map(FabricLayer::vxlanPort).toList(), vxlanPort),
        mtu,
        found,
        addresses,
        methods,
        services,
        strict);
  }

  private static int first(List<OptionalInt> values, int otherwise) {
    return values.stream()
        .filter(OptionalInt::isPresent)
        .findFirst()
        .orElse(OptionalInt.of(otherwise))
        .getAsInt();
  }
}
