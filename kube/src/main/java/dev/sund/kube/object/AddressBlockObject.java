package dev.sund.kube.object;

import dev.sund.engine.cluster.AddressBlock;
import dev.sund.engine.ipam.Block;
import dev.sund.engine.ipam.Offsets;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Checks;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The object that keeps a block of a pool's addresses, {@code AddressBlock} of {@code
 * sund.dev/v1alpha1}: what the address management writes, and by what the fabric leads packets.
 */
public final class AddressBlockObject {
  /** The apiVersion of the objects. */
  public static final String API_VERSION = "sund.dev/v1alpha1";

  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.SHAPE)
          .use("spec", Shape.object().use("cidr", "pool", "node", "claims"));

  private AddressBlockObject() {}

  /** The name of the object that keeps a block: it follows from the range alone. */
  public static String name(Prefix cidr) {
    return "v"
        + (cidr.family().bits() == 32 ? 4 : 6)
        + "-"
        + cidr.toString().replace('.', '-').replace(':', '-').replace('/', '-');
  }

  /**
   * Reads an object.
   *
   * @throws IllegalArgumentException naming what cannot be used
   */
  public static Block read(Tree.Mapping object) {
    Tree.Mapping spec = object.mapping("spec").orElse(Tree.Mapping.of(Map.of()));
    Prefix cidr = Prefix.parse(spec.text("cidr").orElse(""));
    Map<NodeName, Block.Claim> claims = new TreeMap<>();
    Tree.Mapping written = spec.mapping("claims").orElse(Tree.Mapping.of(Map.of()));
    written
        .fields()
        .forEach((node, value) -> {
          Checks.that(value instanceof Tree.Mapping, "the claim of " + node + " is no mapping");
          Tree.Mapping claim = (Tree.Mapping) value;
          claims.put(
              new NodeName(node),
              new Block.Claim(
                  claim.text("boot").orElse(""),
                  claim.text("agent").orElse(""),
                  Offsets.parse(claim.text("offsets").orElse(""))));
        });
    Optional<NodeName> node = spec.text("node").filter(name -> !name.isEmpty()).map(NodeName::new);
    String version =
        object.mapping("metadata").flatMap(meta -> meta.text("resourceVersion")).orElse("");
    return new Block(cidr, spec.text("pool").orElse("-"), node, claims, version);
  }

  /** What the fabric needs of a block. */
  static Parsed<AddressBlock> parse(String name, Field object, Tree.Mapping tree) {
    Meta meta = Meta.read(object, "AddressBlock", name);
    Optional<Block> read = Optional.empty();
    try {
      Block block = read(tree);
      if (name.equals(name(block.cidr()))) {
        read = Optional.of(block);
      } else {
        object
            .at("spec")
            .at("cidr")
            .invalid(
                block.cidr() + " is kept by the object " + name(block.cidr()) + " and no other.",
                "Delete this object; agents make their own.");
      }
    } catch (IllegalArgumentException e) {
      object
          .at("spec")
          .invalid(
              "it cannot be read: " + e.getMessage() + ".",
              "Restore what the agents wrote, or delete the object: whose pods have addresses of"
                  + " it claim them again.");
    }
    Optional<Block> block = read;
    return object.finish(() -> routed(name, meta.uid(), block.orElseThrow()));
  }

  private static AddressBlock routed(String name, String uid, Block block) {
    NavigableMap<NodeName, List<Ip>> borrowed = new TreeMap<>();
    block
        .claims()
        .forEach((node, claim) -> {
          if (!block.node().equals(Optional.of(node))) {
            borrowed.put(node, claim.offsets().stream().mapToObj(block::address).toList());
          }
        });
    return new AddressBlock(name, uid, block.pool(), block.cidr(), block.node(), borrowed);
  }
}
