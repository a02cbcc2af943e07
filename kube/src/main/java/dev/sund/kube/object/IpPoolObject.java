package dev.sund.kube.object;

import dev.sund.engine.cluster.IpPool;
import dev.sund.kube.tree.Tree;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** An {@link IpPool} as an object of Calico's own kind, which {@link Kinds#IP_POOL} reads. */
public final class IpPoolObject {
  private IpPoolObject() {}

  /** The object, with all fields that are not as they would be without. */
  public static Tree.Mapping tree(IpPool pool) {
    Map<String, Tree> spec = new LinkedHashMap<>();
    spec.put("cidr", Tree.Scalar.text(pool.cidr().toString()));
    spec.put("blockSize", Tree.Scalar.plain(pool.blockSize()));
    spec.put("vxlanMode", Tree.Scalar.text(word(pool.vxlanMode().name())));
    spec.put("ipipMode", Tree.Scalar.text(word(pool.ipipMode().name())));
    spec.put("natOutgoing", Tree.Scalar.plain(pool.natOutgoing()));
    if (pool.disabled()) {
      spec.put("disabled", Tree.Scalar.plain(true));
    }
    if (!pool.nodeSelector().isAll()) {
      spec.put("nodeSelector", Tree.Scalar.text(pool.nodeSelector().toString()));
    }
    if (!pool.namespaceSelector().isAll()) {
      spec.put("namespaceSelector", Tree.Scalar.text(pool.namespaceSelector().toString()));
    }
    if (!pool.allowedUses().equals(IpPool.USUAL)) {
      List<Tree.Scalar> uses =
          pool.allowedUses().stream()
              .sorted()
              .map(use -> Tree.Scalar.text(word(use.name())))
              .toList();
      spec.put("allowedUses", Tree.Sequence.of(uses));
    }
    if (!pool.automatic()) {
      spec.put("assignmentMode", Tree.Scalar.text("Manual"));
    }
    Map<String, Tree> whole = new LinkedHashMap<>();
    whole.put("apiVersion", Tree.Scalar.text("crd.projectcalico.org/v1"));
    whole.put("kind", Tree.Scalar.text("IPPool"));
    whole.put("metadata", Tree.Mapping.of(Map.of("name", Tree.Scalar.text(pool.name()))));
    whole.put("spec", Tree.Mapping.of(spec));
    return Tree.Mapping.of(whole);
  }

  /** {@code CROSS_SUBNET} as {@code CrossSubnet}. */
  private static String word(String constant) {
    StringBuilder word = new StringBuilder();
    for (String part : constant.split("_", -1)) {
      word.append(part.charAt(0)).append(part.substring(1).toLowerCase(Locale.ROOT));
    }
    return word.toString();
  }
}
