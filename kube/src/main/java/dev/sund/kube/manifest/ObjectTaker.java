package dev.sund.kube.manifest;

import dev.sund.kube.tree.Tree;

/** Who is shown each object of files as it is read. */
public interface ObjectTaker {
  /** Takes nothing. */
  ObjectTaker NOBODY = (_, _) -> false;

  /**
   * An object that has a kind and a version.
   *
   * @param file as the user named it
   * @return whether it is of use, though Sund's agents do not read its kind
   */
  boolean take(String file, Tree.Mapping object);
}
