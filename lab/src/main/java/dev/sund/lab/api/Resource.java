package dev.sund.lab.api;

import java.util.List;
import java.util.Optional;

/**
 * A resource that the server can serve.
 *
 * @param group the API group, empty for the core group
 * @param version such as {@code v1}
 * @param plural the name in paths and in RBAC rules
 * @param kind the kind of its objects
 * @param namespaced whether its objects live in namespaces
 * @param status whether it has a status subresource: then an ordinary replace leaves status alone
 */
public record Resource(
    String group, String version, String plural, String kind, boolean namespaced, boolean status) {
  /** {@code v1 Node}. */
  public static final Resource NODES = new Resource("", "v1", "nodes", "Node", false, true);

  /** {@code v1 Pod}. */
  public static final Resource PODS = new Resource("", "v1", "pods", "Pod", true, true);

  /** {@code v1 Namespace}. */
  public static final Resource NAMESPACES =
      new Resource("", "v1", "namespaces", "Namespace", false, true);

  /** Calico's pools as its API server and its newer custom resources have them. */
  public static final Resource POOLS_V3 =
      new Resource("projectcalico.org", "v3", "ippools", "IPPool", false, false);

  /** Calico's pools as its older custom resources have them. */
  public static final Resource POOLS_V1 =
      new Resource("crd.projectcalico.org", "v1", "ippools", "IPPool", false, false);

  /** All of them. */
  public static final List<Resource> ALL = List.of(NODES, PODS, NAMESPACES, POOLS_V3, POOLS_V1);

  /** {@code v1} or {@code GROUP/VERSION}. */
  public String apiVersion() {
    return group.isEmpty() ? version : group + "/" + version;
  }

  /** {@code /api/v1} or {@code /apis/GROUP/VERSION}. */
  public String root() {
    return group.isEmpty() ? "/api/" + version : "/apis/" + group + "/" + version;
  }

  /** The resource of objects with this apiVersion and kind. */
  public static Optional<Resource> of(String apiVersion, String kind) {
    return ALL.stream()
        .filter(resource -> resource.apiVersion().equals(apiVersion) && resource.kind.equals(kind))
        .findFirst();
  }
}
