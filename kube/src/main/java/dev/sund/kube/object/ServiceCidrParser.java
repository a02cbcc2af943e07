package dev.sund.kube.object;

import dev.sund.engine.cluster.FabricLayer;
import dev.sund.kube.tree.Shape;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Kubernetes' {@code ServiceCIDR} (since 1.33): a range that no pool may share addresses with. */
final class ServiceCidrParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.SHAPE)
          .use("spec", Shape.object().use("cidrs"))
          .tell("status", StatusFields.WHY);

  private ServiceCidrParser() {}

  static Parsed<FabricLayer> parse(ObjectRef ref, Field object) {
    Meta.read(object, "ServiceCIDR", ref.name());
    List<Prefix> cidrs = LayerParts.prefixes(object.at("spec").at("cidrs"));
    return object.finish(() ->
        new FabricLayer(
            ref,
            FabricLayer.Rank.SERVICE_CIDR,
            OptionalInt.empty(),
            OptionalInt.empty(),
            List.of(),
            List.of(),
            cidrs,
            Map.of(),
            List.of()));
  }
}
