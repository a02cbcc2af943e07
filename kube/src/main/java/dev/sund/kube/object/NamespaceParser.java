package dev.sund.kube.object;

import dev.sund.engine.cluster.Namespace;
import dev.sund.kube.tree.Shape;
import java.util.Map;

/**
 * {@code v1 Namespace} to {@link Namespace}. The label of its name, by which selectors find it, is
 * an API server's to give, so that it is there whether or not a manifest has it.
 */
final class NamespaceParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.OF_NAMESPACES)
          .pass("spec")
          .tell("status", StatusFields.WHY);

  private static final String LABEL_NAME = "kubernetes.io/metadata.name";

  private NamespaceParser() {}

  static Parsed<Namespace> parse(String name, Field object) {
    Meta meta = Meta.read(object, "Namespace", name);
    Map<String, String> labels = Meta.labels(object);
    labels.put(LABEL_NAME, name);
    Map<String, String> wishes = Meta.wishes(object);
    return object.finish(() -> new Namespace(name, meta.uid(), meta.created(), labels, wishes));
  }
}
