package dev.sund.kube.watch;

import dev.sund.kube.object.Kinds;

/**
 * A resource in one version, as a path of the API names it.
 *
 * @param kind the kind of its objects
 * @param apiVersion such as {@code v1}
 * @param optional whether the server may not have it
 * @param name the name of the objects that are followed, in any namespace; empty for all objects
 */
record Followed(Kinds kind, String apiVersion, boolean optional, String name) {
  /** All objects of a resource. */
  Followed(Kinds kind, String apiVersion, boolean optional) {
    this(kind, apiVersion, optional, "");
  }

  /** Its objects, such as {@code /api/v1/pods?}, to be followed by parameters. */
  String query() {
    String root = apiVersion.indexOf('/') < 0 ? "/api/" : "/apis/";
    String path = root + apiVersion + "/" + kind.plural() + "?";
    return name.isEmpty() ? path : path + "fieldSelector=metadata.name%3D" + name + "&";
  }

  /**
   * Whether a node goes without them where its agent may not read them, being younger than its
   * ClusterRole. Not without policies: nobody would know what is to be closed.
   */
  boolean dispensable() {
    return optional && !kind.isPolicy();
  }

  /** {@code pods} or {@code ippools.projectcalico.org}, as conditions name it. */
  String label() {
    int slash = apiVersion.indexOf('/');
    String plain = slash < 0 ? kind.plural() : kind.plural() + "." + apiVersion.substring(0, slash);
    return name.isEmpty() ? plain : plain + " " + name;
  }

  /** What threads that follow it are called after. */
  String thread() {
    return label().replace(' ', '-');
  }
}
