package dev.sund.kube.object;

import dev.sund.engine.cluster.FabricLayer.MtuLimit;
import dev.sund.engine.cluster.FabricLayer.Scope;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.Use;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kube.tree.Shape;
import dev.sund.model.Family;
import dev.sund.model.LabelExpression;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What the parsers of other networks' configurations have in common. */
final class LayerParts {
  /** The shape of the ConfigMaps of Calico, flannel and kube-proxy. */
  static final Shape CONFIG_MAP =
      Shape.object()
          .use("apiVersion", "kind", "data")
          .use("metadata", Meta.SHAPE)
          .pass("immutable")
          .tell("binaryData", "neither Calico nor flannel nor kube-proxy has any");

  /** Above it, an MTU is what every link of IPv4 takes. */
  private static final int LEAST_MTU = 576;

  private LayerParts() {}

  /** The name that Calico gives to the pool that it makes of its configuration. */
  static String defaultPool(Family family) {
    return switch (family) {
      case V4 -> "default-ipv4-ippool";
      case V6 -> "default-ipv6-ippool";
    };
  }

  /**
   * A limit, unless the value is 0, with which Calico and flannel mean that it is computed.
   *
   * @param object who sets it
   * @param bytes the number that stands in {@code field}
   */
  static Optional<MtuLimit> limit(ObjectRef object, Field field, int bytes, Scope scope) {
    if (bytes == 0) {
      return Optional.empty();
    }
    if (bytes < LEAST_MTU) {
      field.problem(
          Reason.MTU_TOO_SMALL,
          bytes + " is less than the 576 bytes that every IPv4 link takes (IPv6: 1280).",
          "Write 1280 or more, or 0 to have it computed.");
      return Optional.empty();
    }
    return Optional.of(new MtuLimit(object, field.path(), bytes, scope));
  }

  /** The ranges of the list here. */
  static List<Prefix> prefixes(Field list) {
    return list.items().stream().flatMap(item -> item.prefix("10.96.0.0/12").stream()).toList();
  }

  /** The whole number that the text here is, as ConfigMaps and environments have it. */
  static Optional<Integer> number(Field field, int min, int max) {
    Optional<String> text = field.text().filter(found -> !found.isEmpty());
    if (text.isEmpty()) {
      return Optional.empty();
    }
    if (text.get().matches("[0-9]{1,9}")) {
      int number = Integer.parseInt(text.get());
      if (number >= min && number <= max) {
        return Optional.of(number);
      }
    }
    field.invalid(
        "'%s' is not a whole number from %d to %d.".formatted(text.get(), min, max),
        "Write a number of that range, in quotes.");
    return Optional.empty();
  }

  /**
   * A pool for all namespaces, made by a configuration. Where it shares addresses with an IPPool,
   * the IPPool holds, being the older.
   */
  static IpPool pool(
      String name,
      Prefix cidr,
      Wrapping wrapping,
      boolean natOutgoing,
      boolean disabled,
      int blockSize,
      LabelExpression nodes,
      Set<Use> uses,
      boolean automatic) {
    return new IpPool(
        name,
        Meta.derivedUid("IPPool", name),
        Long.MAX_VALUE,
        cidr,
        wrapping.vxlan(),
        wrapping.ipip(),
        natOutgoing,
        disabled,
        blockSize,
        nodes,
        LabelExpression.ALL,
        uses,
        automatic);
  }

  /** How packets of a pool are wrapped: at most one of the two. */
  record Wrapping(VxlanMode vxlan, IpipMode ipip) {
    static final Wrapping NONE = new Wrapping(VxlanMode.NEVER, IpipMode.NEVER);

    static Wrapping vxlan(VxlanMode mode) {
      return new Wrapping(mode, IpipMode.NEVER);
    }
  }

  /**
   * A pool's packets in IPIP, which wraps IPv4 only.
   *
   * @param word what stands in {@code field}
   * @param family the pool's
   * @param instead what to write instead for an IPv6 pool
   */
  static Wrapping ipip(Field field, String word, IpipMode mode, Family family, String instead) {
    if (mode == IpipMode.NEVER) {
      return Wrapping.NONE;
    }
    if (family == Family.V6) {
      field.invalid(
          "'" + word + "' asks for IPIP, which wraps IPv4 packets only, for an IPv6 range.",
          instead);
      return Wrapping.NONE;
    }
    return new Wrapping(VxlanMode.NEVER, mode);
  }

  /** The block size of a pool whose configuration states none. */
  static int usualBlock(Prefix cidr) {
    return Math.max(IpPool.usualBlock(cidr.family()), cidr.length());
  }
}
