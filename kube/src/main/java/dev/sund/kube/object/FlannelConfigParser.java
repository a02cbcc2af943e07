package dev.sund.kube.object;

import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.FabricLayer.MtuLimit;
import dev.sund.engine.cluster.FabricLayer.Scope;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kube.object.LayerParts.Wrapping;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Family;
import dev.sund.model.LabelExpression;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Flannel's {@code net-conf.json}, as its ConfigMap or a file has it: the networks become pools
 * with natOutgoing (flannel runs with {@code --ip-masq} wherever it is installed as documented),
 * the backend says how packets travel.
 *
 * @see <a href="https://github.com/flannel-io/flannel/blob/master/Documentation/configuration.md">
 *     flannel's configuration</a>
 * @see <a href="https://github.com/flannel-io/flannel/blob/master/Documentation/backends.md">its
 *     backends</a>
 */
public final class FlannelConfigParser {
  private static final String RANGES = "nodes' ranges are those of their spec.podCIDRs";
  private static final Shape DATA =
      Shape.object()
          .use("net-conf.json")
          .tell("cni-conf.json", "Sund writes a configuration of its own for its plugin");
  private static final Shape CONF =
      Shape.object()
          .use("Network", "IPv6Network", "EnableIPv4", "EnableIPv6")
          .use(
              "Backend",
              Shape.object()
                  .use("Type", "VNI", "Port", "MTU", "DirectRouting")
                  .tell("GBP", "Sund marks no groups in its tunnels")
                  .tell("Learning", "Sund knows every tunnel end and learns none")
                  .tell("MacPrefix", "tunnel ends' addresses are derived"))
          .tell("SubnetLen", RANGES)
          .tell("SubnetMin", RANGES)
          .tell("SubnetMax", RANGES)
          .tell("IPv6SubnetLen", RANGES)
          .tell("IPv6SubnetMin", RANGES)
          .tell("IPv6SubnetMax", RANGES)
          .tell("EnableNFTables", "Sund's rules are nftables' in any case");

  /** What a backend is to Sund. */
  private enum Backend {
    VXLAN,
    HOST_GW,
    IPIP,
    NONE
  }

  private static final Map<String, Backend> BACKENDS =
      Map.of(
          "vxlan", Backend.VXLAN,
          "host-gw", Backend.HOST_GW,
          "ipip", Backend.IPIP,
          "udp", Backend.NONE,
          "wireguard", Backend.NONE,
          "ipsec", Backend.NONE,
          "alloc", Backend.NONE,
          "extension", Backend.NONE,
          "tencent-vpc", Backend.NONE,
          "ali-vpc", Backend.NONE);

  private FlannelConfigParser() {}

  static Parsed<FabricLayer> parse(ObjectRef ref, Field object) {
    Meta.read(object, "ConfigMap", ref.name());
    Field data = object.at("data");
    data.unused(DATA);
    Field text = data.at("net-conf.json");
    Optional<FabricLayer> layer =
        text.needed("Write flannel's net-conf.json.")
            .flatMap(json -> {
              Parsed<FabricLayer> inside = parseText(ref, json);
              text.nested(inside.problems());
              return inside.value();
            });
    return object.finish(() -> {
      FabricLayer read = layer.orElseThrow();
      return new FabricLayer(
          ref,
          read.rank(),
          read.vni(),
          read.vxlanPort(),
          read.mtus().stream().map(limit -> of(text, limit)).toList(),
          read.pools(),
          object.warnings());
    });
  }

  private static MtuLimit of(Field text, MtuLimit limit) {
    return new MtuLimit(
        limit.object(), text.path() + "." + limit.field(), limit.bytes(), limit.scope());
  }

  /**
   * Parses the text of a {@code net-conf.json}.
   *
   * @param ref the object or file that it is in
   */
  public static Parsed<FabricLayer> parseText(ObjectRef ref, String json) {
    List<Problem> problems = new ArrayList<>();
    try {
      return conf(ref, Field.root(ref, JsonTrees.parse(json), problems));
    } catch (MalformedException e) {
      Field.root(ref, Tree.Mapping.of(Map.of()), problems)
          .problem(
              Reason.MALFORMED,
              "line " + e.line() + ", column " + e.column() + ": " + e.getMessage() + ".",
              "Correct the JSON.");
      return new Parsed<>(Optional.empty(), problems);
    }
  }

  private static Parsed<FabricLayer> conf(ObjectRef ref, Field conf) {
    conf.unused(CONF);
    List<Prefix> networks = new ArrayList<>();
    if (conf.at("EnableIPv4").truth(true)) {
      network(conf.at("Network"), Family.V4, "10.244.0.0/16").ifPresent(networks::add);
    }
    if (conf.at("EnableIPv6").truth(false)) {
      network(conf.at("IPv6Network"), Family.V6, "fd00:10:244::/48").ifPresent(networks::add);
    }
    Field backend = conf.at("Backend");
    Wrapping wrapping =
        wrapping(
            backend,
            networks.stream().anyMatch(range -> range.family() == Family.V6)
                ? Family.V6
                : Family.V4);
    // With 0 flannel means its default, which here is Sund's.
    Optional<Integer> vni = backend.at("VNI").number(0, (1 << 24) - 1).filter(n -> n > 0);
    Optional<Integer> port = backend.at("Port").number(0, 65535).filter(n -> n > 0);
    Field mtu = backend.at("MTU");
    Optional<MtuLimit> limit =
        mtu.number(0, 65535).flatMap(bytes -> LayerParts.limit(ref, mtu, bytes, Scope.PODS));
    List<IpPool> pools =
        networks.stream()
            .map(cidr ->
                LayerParts.pool(
                    cidr.family() == Family.V4 ? "flannel-ipv4" : "flannel-ipv6",
                    cidr,
                    wrapping,
                    true,
                    false,
                    LayerParts.usualBlock(cidr),
                    LabelExpression.ALL,
                    IpPool.USUAL,
                    true))
            .toList();
    return conf.finish(() ->
        new FabricLayer(
            ref,
            FabricLayer.Rank.FLANNEL,
            vni.map(OptionalInt::of).orElse(OptionalInt.empty()),
            port.map(OptionalInt::of).orElse(OptionalInt.empty()),
            limit.stream().toList(),
            pools,
            conf.warnings()));
  }

  private static Optional<Prefix> network(Field field, Family family, String example) {
    Optional<Prefix> network =
        field
            .needed("Write the range of all pods, such as " + example + ".")
            .flatMap(_ -> field.prefix(example));
    if (network.filter(prefix -> prefix.family() != family).isPresent()) {
      field.invalid(
          "'" + network.get() + "' is of the other family.",
          "Write a range such as " + example + ".");
      return Optional.empty();
    }
    return network;
  }

  private static Wrapping wrapping(Field backend, Family family) {
    Field type = backend.at("Type");
    boolean direct = backend.at("DirectRouting").truth(false);
    return switch (IpPoolParser.chosen(type, BACKENDS, Backend.VXLAN)) {
      case VXLAN -> Wrapping.vxlan(direct ? VxlanMode.CROSS_SUBNET : VxlanMode.ALWAYS);
      case HOST_GW -> Wrapping.NONE;
      case IPIP ->
          LayerParts.ipip(
              type,
              "ipip",
              direct ? IpipMode.CROSS_SUBNET : IpipMode.ALWAYS,
              family,
              "Write \"Type\": \"vxlan\".");
      case NONE -> {
        type.problem(
            Reason.NOT_SUPPORTED,
            "'" + type.text().orElse("") + "' is a backend that Sund does not have.",
            "Write \"Type\": \"vxlan\" or \"host-gw\".");
        yield Wrapping.NONE;
      }
    };
  }
}
