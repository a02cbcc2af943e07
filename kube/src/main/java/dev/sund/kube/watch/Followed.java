package dev.sund.kube.watch;

import dev.sund.kube.object.Kinds;

/**
 * A resource in one version, as a path of the API names it.
 *
 * @param kind the kind of its objects
 * @param apiVersion such as {@code v1}
 * @param optional whether the server may not have it
 */
record Followed(Kinds kind, String apiVersion, boolean optional) {
  /** The path of all its objects, such as {@code /api/v1/pods}. */
  String path() {
    String root = apiVersion.indexOf('/') < 0 ? "/api/" : "/apis/";
    return root + apiVersion + "/" + kind.plural();
  }

  /** {@code pods} or {@code ippools.projectcalico.org}, as conditions name it. */
  String label() {
    int slash = apiVersion.indexOf('/');
    return slash < 0 ? kind.plural() : kind.plural() + "." + apiVersion.substring(0, slash);
  }
}
