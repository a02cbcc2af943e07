package dev.sund.kube.api;

import dev.sund.model.Checks;

/**
 * Where the objects of a resource are on the API server.
 *
 * @param apiVersion {@code v1} or {@code GROUP/VERSION}
 * @param plural the resource's name in paths, such as {@code pods}
 * @param namespace of its objects; empty for a resource outside of namespaces, and for all
 *     namespaces together
 */
public record ApiPath(String apiVersion, String plural, String namespace) {
  public ApiPath {
    Checks.notEmpty("apiVersion", apiVersion);
    Checks.notEmpty("plural", plural);
  }

  /** A resource outside of namespaces, or all objects of one inside. */
  public static ApiPath of(String apiVersion, String plural) {
    return new ApiPath(apiVersion, plural, "");
  }

  /** The objects of this namespace. */
  public ApiPath in(String other) {
    return new ApiPath(apiVersion, plural, other);
  }

  /** The path of all of them, such as {@code /api/v1/namespaces/shop/pods}. */
  public String all() {
    return (apiVersion.indexOf('/') < 0 ? "/api/" : "/apis/")
        + apiVersion
        + (namespace.isEmpty() ? "/" : "/namespaces/" + namespace + "/")
        + plural;
  }

  /** The path of one of them. */
  public String named(String name) {
    return all() + "/" + Checks.notEmpty("name", name);
  }

  /** The path of one's status. */
  public String statusOf(String name) {
    return named(name) + "/status";
  }
}
