package dev.sund.kube.object;

import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kube.tree.Shape;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.Map;
import java.util.Optional;

/**
 * Calico's {@code IPPool} to {@link IpPool}, of {@code projectcalico.org/v3} and {@code
 * crd.projectcalico.org/v1}: both have the same fields. Absent fields mean what they mean to
 * Calico: vxlanMode Never, natOutgoing false.
 */
final class IpPoolParser {
  private static final String NOT_YET = "Sund does not use it yet";

  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.SHAPE)
          .use(
              "spec",
              Shape.object()
                  .use("cidr", "ipipMode", "vxlanMode", "natOutgoing", "disabled")
                  .tell("blockSize", NOT_YET)
                  .tell("nodeSelector", NOT_YET)
                  .tell("namespaceSelector", NOT_YET)
                  .tell("allowedUses", NOT_YET)
                  .tell("assignmentMode", NOT_YET)
                  .tell("disableBGPExport", NOT_YET)
                  .tell("ipip", "Calico replaced it by ipipMode")
                  .tell("nat-outgoing", "Calico replaced it by natOutgoing"))
          .tell("status", StatusFields.WHY);

  private static final Map<String, VxlanMode> MODES =
      Map.of(
          "Never", VxlanMode.NEVER,
          "Always", VxlanMode.ALWAYS,
          "CrossSubnet", VxlanMode.CROSS_SUBNET);

  private IpPoolParser() {}

  static Parsed<IpPool> parse(String name, Field object) {
    Meta meta = Meta.read(object, "IPPool", name);
    Field spec = object.at("spec");
    Field cidrField = spec.at("cidr");
    Optional<Prefix> cidr =
        cidrField
            .needed("Write the pool's range, such as 10.244.0.0/16.")
            .flatMap(_ -> cidrField.prefix("10.244.0.0/16"));
    Field ipip = spec.at("ipipMode");
    Optional<String> ipipMode = ipip.text().filter(mode -> !mode.isEmpty());
    if (ipipMode.isPresent() && !ipipMode.get().equals("Never")) {
      ipip.problem(
          Reason.NOT_SUPPORTED,
          "'" + ipipMode.get() + "' asks for IPIP, which Sund does not have yet.",
          "Write ipipMode: Never and vxlanMode: " + vxlanFor(ipipMode.get()) + ".");
    }
    Field vxlan = spec.at("vxlanMode");
    boolean set = vxlan.text().filter(mode -> !mode.isEmpty()).isPresent();
    VxlanMode mode = set ? vxlan.oneOf(MODES).orElse(VxlanMode.NEVER) : VxlanMode.NEVER;
    boolean natOutgoing = spec.at("natOutgoing").truth(false);
    boolean disabled = spec.at("disabled").truth(false);
    return object.finish(() ->
        new IpPool(
            name, meta.uid(), meta.created(), cidr.orElseThrow(), mode, natOutgoing, disabled));
  }

  private static String vxlanFor(String ipipMode) {
    return ipipMode.equals("CrossSubnet") ? "CrossSubnet" : "Always";
  }
}
