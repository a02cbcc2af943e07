package dev.sund.kube.claims;

import dev.sund.engine.ipam.Block;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.object.AddressBlockObject;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Prefix;
import java.util.LinkedHashMap;
import java.util.Map;

/** Between {@link Block} and the object that keeps it. */
public final class AddressBlocks {
  /** The apiVersion of the objects. */
  public static final String API_VERSION = AddressBlockObject.API_VERSION;

  /** Where the objects are. */
  public static final ApiPath PATH = ApiPath.of(API_VERSION, "addressblocks");

  private AddressBlocks() {}

  /** The name of the object that keeps a block: it follows from the range alone. */
  public static String name(Prefix cidr) {
    return AddressBlockObject.name(cidr);
  }

  /**
   * Reads an object.
   *
   * @throws IllegalArgumentException naming what cannot be used
   */
  public static Block read(Tree.Mapping object) {
    return AddressBlockObject.read(object);
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
