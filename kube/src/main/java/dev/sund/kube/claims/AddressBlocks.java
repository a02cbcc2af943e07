package dev.sund.kube.claims;

import dev.sund.engine.ipam.Block;
import dev.sund.engine.ipam.Offsets;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Checks;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** Between {@link Block} and the object that keeps it. */
public final class AddressBlocks {
  /** The apiVersion of the objects. */
  public static final String API_VERSION = "sund.dev/v1alpha1";

  /** Where the objects are. */
  public static final ApiPath PATH = ApiPath.of(API_VERSION, "addressblocks");

  private AddressBlocks() {}

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

  /** The object that keeps a block, with its version. */
  public static Tree.Mapping write(Block block) {
    Map<String, Tree> claims = new LinkedHashMap<>();
    block
        .claims()
        .forEach((node, claim) -> {
          Map<String, Tree> fields = new LinkedHashMap<>();
          fields.put("boot", Tree.Scalar.text(claim.boot()));
          fields.put("agent", Tree.Scalar.text(claim.agent()));
          fields.put("offsets", Tree.Scalar.text(claim.offsets().toString()));
          claims.put(node.text(), Tree.Mapping.of(fields));
        });
    Map<String, Tree> spec = new LinkedHashMap<>();
    spec.put("cidr", Tree.Scalar.text(block.cidr().toString()));
    spec.put("pool", Tree.Scalar.text(block.pool()));
    block.node().ifPresent(node -> spec.put("node", Tree.Scalar.text(node.text())));
    spec.put("claims", Tree.Mapping.of(claims));
    Map<String, Tree> metadata = new LinkedHashMap<>();
    metadata.put("name", Tree.Scalar.text(name(block.cidr())));
    if (!block.version().isEmpty()) {
      metadata.put("resourceVersion", Tree.Scalar.text(block.version()));
    }
    Map<String, Tree> object = new LinkedHashMap<>();
    object.put("apiVersion", Tree.Scalar.text(API_VERSION));
    object.put("kind", Tree.Scalar.text("AddressBlock"));
    object.put("metadata", Tree.Mapping.of(metadata));
    object.put("spec", Tree.Mapping.of(spec));
    return Tree.Mapping.of(object);
  }
}
