package dev.sund.lab.api;

import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.Tree;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * One version of an object.
 *
 * @param tree the object, with its resourceVersion
 * @param json the same as it travels
 * @param version its resourceVersion
 */
record Stored(Tree.Mapping tree, byte[] json, long version) {
  static Stored of(Tree.Mapping object, long version) {
    Tree.Mapping metadata = object.mapping("metadata").orElse(Tree.Mapping.of(Map.of()));
    Tree.Mapping versioned =
        object.with(
            "metadata", metadata.with("resourceVersion", Tree.Scalar.text(Long.toString(version))));
    return new Stored(versioned, JsonText.of(versioned).getBytes(StandardCharsets.UTF_8), version);
  }

  String metadata(String field) {
    return tree.mapping("metadata").flatMap(meta -> meta.text(field)).orElse("");
  }

  /** Its place in a resource's order: {@code NAMESPACE/NAME} or {@code NAME}. */
  String key() {
    String namespace = metadata("namespace");
    return namespace.isEmpty() ? metadata("name") : namespace + "/" + metadata("name");
  }
}
