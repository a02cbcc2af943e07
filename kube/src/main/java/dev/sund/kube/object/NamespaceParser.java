package dev.sund.kube.object;

import dev.sund.engine.cluster.Namespace;
import dev.sund.kube.tree.Shape;
import java.util.Map;

/** {@code v1 Namespace} to {@link Namespace}. */
final class NamespaceParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.OF_NAMESPACES)
          .pass("spec")
          .tell("status", StatusFields.WHY);

  private NamespaceParser() {}

  static Parsed<Namespace> parse(String name, Field object) {
    Meta meta = Meta.read(object, "Namespace", name);
    Map<String, String> labels = Meta.labels(object);
    Map<String, String> wishes = Meta.wishes(object);
    return object.finish(() -> new Namespace(name, meta.uid(), meta.created(), labels, wishes));
  }
}
