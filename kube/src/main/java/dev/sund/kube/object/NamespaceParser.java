package dev.sund.kube.object;

import dev.sund.engine.cluster.Namespace;
import dev.sund.kube.tree.Shape;

/** {@code v1 Namespace} to {@link Namespace}. */
final class NamespaceParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.SHAPE)
          .pass("spec")
          .tell("status", StatusFields.WHY);

  private NamespaceParser() {}

  static Parsed<Namespace> parse(String name, Field object) {
    Meta meta = Meta.read(object, "Namespace", name);
    return object.finish(() -> new Namespace(name, meta.uid(), meta.created()));
  }
}
