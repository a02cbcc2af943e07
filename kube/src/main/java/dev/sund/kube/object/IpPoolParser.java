package dev.sund.kube.object;

import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.Use;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kube.tree.Shape;
import dev.sund.model.Family;
import dev.sund.model.LabelExpression;
import dev.sund.model.Prefix;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Calico's {@code IPPool} to {@link IpPool}, of {@code projectcalico.org/v3} and {@code
 * crd.projectcalico.org/v1}: both have the same fields. Absent fields mean what they mean to
 * Calico: no wrapping, natOutgoing false, blocks of 64 addresses, all nodes and namespaces.
 *
 * @see <a href="https://docs.tigera.io/calico/latest/reference/resources/ippool">Calico's reference
 *     of the IPPool</a>
 */
final class IpPoolParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.SHAPE)
          .use(
              "spec",
              Shape.object()
                  .use("cidr", "ipipMode", "vxlanMode", "natOutgoing", "disabled")
                  .use("blockSize", "nodeSelector", "namespaceSelector")
                  .use("allowedUses", "assignmentMode")
                  .tell("disableBGPExport", "Sund speaks no BGP yet, so no pool is exported")
                  .tell("ipip", "Calico replaced it by ipipMode")
                  .tell("nat-outgoing", "Calico replaced it by natOutgoing"))
          .tell("status", StatusFields.WHY);

  private static final Map<String, VxlanMode> VXLAN_MODES =
      Map.of(
          "Never", VxlanMode.NEVER,
          "Always", VxlanMode.ALWAYS,
          "CrossSubnet", VxlanMode.CROSS_SUBNET);
  private static final Map<String, IpipMode> IPIP_MODES =
      Map.of(
          "Never", IpipMode.NEVER,
          "Always", IpipMode.ALWAYS,
          "CrossSubnet", IpipMode.CROSS_SUBNET);
  private static final Map<String, Use> USES =
      Map.of("Workload", Use.WORKLOAD, "Tunnel", Use.TUNNEL, "LoadBalancer", Use.LOAD_BALANCER);
  static final Map<String, Boolean> ASSIGNMENTS = Map.of("Automatic", true, "Manual", false);
  private static final Set<Prefix> LINK_LOCAL =
      Set.of(Prefix.parse("169.254.0.0/16"), Prefix.parse("fe80::/10"));

  private IpPoolParser() {}

  static Parsed<IpPool> parse(String name, Field object) {
    Meta meta = Meta.read(object, "IPPool", name);
    Field spec = object.at("spec");
    Optional<Prefix> cidr = cidr(spec.at("cidr"));
    VxlanMode vxlan = chosen(spec.at("vxlanMode"), VXLAN_MODES, VxlanMode.NEVER);
    if (asksFor(spec.at("ipipMode")) && asksFor(spec.at("vxlanMode"))) {
      spec.at("vxlanMode")
          .invalid(
              "a pool is wrapped in VXLAN or in IPIP, not in both.",
              "Write Never for ipipMode or for vxlanMode.");
    }
    IpipMode ipip = ipipMode(spec.at("ipipMode"), cidr.map(Prefix::family).orElse(Family.V4));
    boolean natOutgoing = spec.at("natOutgoing").truth(false);
    boolean disabled = spec.at("disabled").truth(false);
    int blockSize = cidr.map(range -> blockSize(spec.at("blockSize"), range)).orElse(0);
    LabelExpression nodes = selector(spec.at("nodeSelector"));
    LabelExpression namespaces = selector(spec.at("namespaceSelector"));
    Set<Use> uses = uses(spec.at("allowedUses"));
    boolean automatic = chosen(spec.at("assignmentMode"), ASSIGNMENTS, true);
    return object.finish(() ->
        new IpPool(
            name,
            meta.uid(),
            meta.created(),
            cidr.orElseThrow(),
            vxlan,
            ipip,
            natOutgoing,
            disabled,
            blockSize,
            nodes,
            namespaces,
            uses,
            automatic));
  }

  static Optional<Prefix> cidr(Field field) {
    Optional<Prefix> cidr =
        field
            .needed("Write the pool's range, such as 10.244.0.0/16.")
            .flatMap(_ -> field.prefix("10.244.0.0/16"));
    for (Prefix local : LINK_LOCAL) {
      if (cidr.filter(local::overlaps).isPresent()) {
        field.invalid(
            "'" + cidr.get() + "' overlaps the link-local range " + local + ".",
            "Write another range, such as 10.244.0.0/16 or fd00:10:244::/48.");
        return Optional.empty();
      }
    }
    return cidr;
  }

  private static boolean asksFor(Field mode) {
    return mode.text().filter(text -> !text.isEmpty() && !text.equals("Never")).isPresent();
  }

  private static IpipMode ipipMode(Field field, Family family) {
    IpipMode mode = chosen(field, IPIP_MODES, IpipMode.NEVER);
    String word = field.present() ? field.text().orElse("") : "Never";
    String vxlan = mode == IpipMode.CROSS_SUBNET ? "CrossSubnet" : "Always";
    return LayerParts.ipip(
            field, word, mode, family, "Write ipipMode: Never and vxlanMode: " + vxlan + ".")
        .ipip();
  }

  static int blockSize(Field field, Prefix cidr) {
    Family family = cidr.family();
    int shortest = IpPool.shortestBlock(family);
    int usual = IpPool.usualBlock(family);
    Optional<Integer> read = field.number(shortest, family.bits());
    if (read.filter(size -> size < cidr.length()).isPresent()) {
      field.invalid(
          read.get() + " is a block larger than the pool's own range, " + cidr + ".",
          "Write a number from "
              + Math.max(cidr.length(), shortest)
              + " to "
              + family.bits()
              + ".");
    } else if (!field.present() && cidr.length() > usual) {
      field.invalid(
          "the field is missing, and blocks of the usual size, /%d, do not fit into %s."
              .formatted(usual, cidr),
          "Write blockSize: " + cidr.length() + ", or a range of /" + usual + " or larger.");
    }
    return read.orElse(usual);
  }

  static LabelExpression selector(Field field) {
    Optional<String> text = field.text();
    if (text.isEmpty()) {
      return LabelExpression.ALL;
    }
    try {
      return LabelExpression.parse(text.get());
    } catch (IllegalArgumentException e) {
      field.invalid(
          "'" + text.get() + "' is not a selector: " + e.getMessage() + ".",
          "Write a selector such as all() or zone == 'west' && !has(gpu).");
      return LabelExpression.ALL;
    }
  }

  static Set<Use> uses(Field field) {
    Set<Use> uses = EnumSet.noneOf(Use.class);
    field.items().forEach(item -> item.oneOf(USES).ifPresent(uses::add));
    return uses.isEmpty() ? IpPool.USUAL : uses;
  }

  /** Calico takes empty text for an absent field. */
  static <T> T chosen(Field field, Map<String, T> choices, T otherwise) {
    boolean set = field.text().filter(text -> !text.isEmpty()).isPresent();
    return set ? field.oneOf(choices).orElse(otherwise) : otherwise;
  }
}
