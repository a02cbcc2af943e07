package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
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
 * @param shortNames what people may type instead of the plural
 */
public record Resource(
    String group,
    String version,
    String plural,
    String kind,
    boolean namespaced,
    boolean status,
    List<String> shortNames) {
  private static final String RBAC = "rbac.authorization.k8s.io";

  /** {@code v1 Node}. */
  public static final Resource NODES = cluster("", "v1", "nodes", "Node", "no");

  /** {@code v1 Pod}. */
  public static final Resource PODS = spaced("", "v1", "pods", "Pod", "po");

  /** {@code v1 Namespace}. */
  public static final Resource NAMESPACES = cluster("", "v1", "namespaces", "Namespace", "ns");

  /** {@code v1 ConfigMap}. */
  public static final Resource CONFIG_MAPS =
      plain(spaced("", "v1", "configmaps", "ConfigMap", "cm"));

  /** {@code v1 Service}. */
  public static final Resource SERVICES = spaced("", "v1", "services", "Service", "svc");

  /** {@code v1 Event}. */
  public static final Resource EVENTS = plain(spaced("", "v1", "events", "Event", "ev"));

  /** {@code v1 ServiceAccount}. */
  public static final Resource SERVICE_ACCOUNTS =
      plain(spaced("", "v1", "serviceaccounts", "ServiceAccount", "sa"));

  /** {@code coordination.k8s.io/v1 Lease}. */
  public static final Resource LEASES =
      plain(spaced("coordination.k8s.io", "v1", "leases", "Lease"));

  /** {@code discovery.k8s.io/v1 EndpointSlice}. */
  public static final Resource ENDPOINT_SLICES =
      plain(spaced("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"));

  /** {@code networking.k8s.io/v1 NetworkPolicy}. */
  public static final Resource NETWORK_POLICIES =
      plain(spaced("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", "netpol"));

  /** {@code policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy}. */
  public static final Resource CLUSTER_NETWORK_POLICIES =
      cluster(
          "policy.networking.k8s.io",
          "v1alpha2",
          "clusternetworkpolicies",
          "ClusterNetworkPolicy",
          "cnp");

  /** {@code apps/v1 DaemonSet}. */
  public static final Resource DAEMON_SETS = spaced("apps", "v1", "daemonsets", "DaemonSet", "ds");

  /** {@code rbac.authorization.k8s.io/v1 ClusterRole}. */
  public static final Resource CLUSTER_ROLES =
      plain(cluster(RBAC, "v1", "clusterroles", "ClusterRole"));

  /** {@code rbac.authorization.k8s.io/v1 ClusterRoleBinding}. */
  public static final Resource CLUSTER_ROLE_BINDINGS =
      plain(cluster(RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding"));

  /** {@code rbac.authorization.k8s.io/v1 Role}. */
  public static final Resource ROLES = plain(spaced(RBAC, "v1", "roles", "Role"));

  /** {@code rbac.authorization.k8s.io/v1 RoleBinding}. */
  public static final Resource ROLE_BINDINGS =
      plain(spaced(RBAC, "v1", "rolebindings", "RoleBinding"));

  /** {@code apiextensions.k8s.io/v1 CustomResourceDefinition}; each one adds a resource. */
  public static final Resource DEFINITIONS =
      cluster(
          "apiextensions.k8s.io",
          "v1",
          "customresourcedefinitions",
          "CustomResourceDefinition",
          "crd");

  /** Calico's pools as its API server and its newer custom resources have them. */
  public static final Resource POOLS_V3 =
      plain(cluster("projectcalico.org", "v3", "ippools", "IPPool"));

  /** Calico's pools as its older custom resources have them. */
  public static final Resource POOLS_V1 =
      plain(cluster("crd.projectcalico.org", "v1", "ippools", "IPPool"));

  /** Calico's reservations as its API server and its newer custom resources have them. */
  public static final Resource RESERVATIONS_V3 =
      plain(cluster("projectcalico.org", "v3", "ipreservations", "IPReservation"));

  /** Calico's reservations as its older custom resources have them. */
  public static final Resource RESERVATIONS_V1 =
      plain(cluster("crd.projectcalico.org", "v1", "ipreservations", "IPReservation"));

  /** {@code networking.k8s.io/v1 ServiceCIDR}. */
  public static final Resource SERVICE_CIDRS =
      cluster("networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR");

  /** What Calico's operator installs. */
  public static final Resource INSTALLATIONS =
      cluster("operator.tigera.io", "v1", "installations", "Installation");

  /** Those that every server has; custom resources come with their definitions. */
  public static final List<Resource> ALL =
      List.of(
          NODES,
          PODS,
          NAMESPACES,
          CONFIG_MAPS,
          SERVICES,
          EVENTS,
          SERVICE_ACCOUNTS,
          LEASES,
          ENDPOINT_SLICES,
          NETWORK_POLICIES,
          CLUSTER_NETWORK_POLICIES,
          DAEMON_SETS,
          CLUSTER_ROLES,
          CLUSTER_ROLE_BINDINGS,
          ROLES,
          ROLE_BINDINGS,
          DEFINITIONS,
          POOLS_V3,
          POOLS_V1,
          RESERVATIONS_V3,
          RESERVATIONS_V1,
          INSTALLATIONS,
          SERVICE_CIDRS);

  /** Those of {@link #ALL} that have a generation. */
  private static final List<Resource> COUNTED =
      List.of(NETWORK_POLICIES, CLUSTER_NETWORK_POLICIES, DAEMON_SETS);

  public Resource {
    shortNames = List.copyOf(shortNames);
  }

  private static Resource cluster(
      String group, String version, String plural, String kind, String... shortNames) {
    return new Resource(group, version, plural, kind, false, true, List.of(shortNames));
  }

  private static Resource spaced(
      String group, String version, String plural, String kind, String... shortNames) {
    return new Resource(group, version, plural, kind, true, true, List.of(shortNames));
  }

  /** The same without a status subresource. */
  private static Resource plain(Resource resource) {
    return new Resource(
        resource.group,
        resource.version,
        resource.plural,
        resource.kind,
        resource.namespaced,
        false,
        resource.shortNames);
  }

  /** The resources, one for each version served, that a CustomResourceDefinition defines. */
  static List<Resource> defined(Tree.Mapping definition) {
    Tree.Mapping spec = Json.child(definition, "spec");
    Tree.Mapping names = Json.child(spec, "names");
    List<Resource> found = new ArrayList<>();
    for (Tree.Mapping version : Json.mappings(spec, "versions")) {
      if (version.text("served").orElse("true").equals("true")) {
        found.add(
            new Resource(
                spec.text("group").orElse(""),
                version.text("name").orElse(""),
                names.text("plural").orElse(""),
                names.text("kind").orElse(""),
                spec.text("scope").orElse("").equals("Namespaced"),
                Json.child(version, "subresources").get("status").isPresent(),
                Json.texts(names, "shortNames")));
      }
    }
    return found;
  }

  /**
   * Whether {@code metadata.generation} counts the changes of what is wished for: all but metadata
   * and, where it is a subresource, status. Of Kubernetes' own kinds only some do, of custom
   * resources all.
   */
  boolean counted() {
    return COUNTED.contains(this) || !ALL.contains(this);
  }

  /** {@code v1} or {@code GROUP/VERSION}. */
  public String apiVersion() {
    return group.isEmpty() ? version : group + "/" + version;
  }

  /** {@code /api/v1} or {@code /apis/GROUP/VERSION}. */
  public String root() {
    return group.isEmpty() ? "/api/" + version : "/apis/" + group + "/" + version;
  }

  /** {@code pods} or {@code ippools.projectcalico.org}, as messages name it. */
  String label() {
    return group.isEmpty() ? plural : plural + "." + group;
  }

  /** The kind in small letters, as people may type it instead of the plural. */
  String singular() {
    return kind.toLowerCase(Locale.ROOT);
  }

  /** The built-in resource of objects with this apiVersion and kind. */
  public static Optional<Resource> of(String apiVersion, String kind) {
    return ALL.stream()
        .filter(resource -> resource.apiVersion().equals(apiVersion) && resource.kind.equals(kind))
        .findFirst();
  }
}
