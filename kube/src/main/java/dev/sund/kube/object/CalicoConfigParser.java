package dev.sund.kube.object;

import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.FabricLayer.MtuLimit;
import dev.sund.engine.cluster.FabricLayer.Scope;
import dev.sund.kube.tree.Shape;
import dev.sund.model.ObjectRef;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The ConfigMap {@code calico-config}: {@code veth_mtu} is the MTU of pods, also of those that run
 * when it is patched; with Calico they keep theirs until they are made anew.
 */
final class CalicoConfigParser {
  private static final Shape DATA =
      Shape.object()
          .use("veth_mtu")
          .tell("cni_network_config", "Sund writes a configuration of its own for its plugin")
          .tell("calico_backend", "a pool's modes say how its packets travel")
          .tell("typha_service_name", "Sund's agents ask the API server themselves");

  private CalicoConfigParser() {}

  static Parsed<FabricLayer> parse(ObjectRef ref, Field object) {
    Meta.read(object, "ConfigMap", ref.name());
    Field data = object.at("data");
    data.unused(DATA);
    Field mtu = data.at("veth_mtu");
    Optional<MtuLimit> limit =
        LayerParts.number(mtu, 0, 65535)
            .flatMap(bytes -> LayerParts.limit(ref, mtu, bytes, Scope.PODS));
    return object.finish(() ->
        new FabricLayer(
            ref,
            FabricLayer.Rank.CALICO_CONFIG,
            OptionalInt.empty(),
            OptionalInt.empty(),
            limit.stream().toList(),
            List.of(),
            object.warnings()));
  }
}
