package dev.sund.kube.object;

import dev.sund.kube.tree.Shape;

/** The shape of {@code v1 Namespace}: only its name counts. */
final class NamespaceShape {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.SHAPE)
          .pass("spec")
          .tell("status", StatusFields.WHY);

  private NamespaceShape() {}
}
