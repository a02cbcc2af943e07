package dev.sund.kube.object;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.Policy;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Condition;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;

/** The kinds of objects that Sund reads: each with its shape, its parser and its events. */
public enum Kinds {
  NODE("Node", "nodes", false, List.of("v1"), NodeParser.SHAPE),
  POD("Pod", "pods", true, List.of("v1"), PodParser.SHAPE),
  NAMESPACE("Namespace", "namespaces", false, List.of("v1"), NamespaceParser.SHAPE),
  SERVICE("Service", "services", true, List.of("v1"), ServiceParser.SHAPE),
  ENDPOINT_SLICE(
      "EndpointSlice",
      "endpointslices",
      true,
      List.of("discovery.k8s.io/v1"),
      EndpointSliceParser.SHAPE),
  /** A namespace's policies. */
  NETWORK_POLICY(
      Policy.NETWORK_POLICY,
      "networkpolicies",
      true,
      List.of(NetworkPolicyParser.API_VERSION),
      NetworkPolicyParser.SHAPE),
  /** The cluster's policies. */
  CLUSTER_NETWORK_POLICY(
      Policy.CLUSTER_NETWORK_POLICY,
      "clusternetworkpolicies",
      false,
      List.of(ClusterNetworkPolicyParser.API_VERSION),
      ClusterNetworkPolicyParser.SHAPE),
  /** Calico's pools, in the order of preference when both groups show the same pool. */
  IP_POOL(
      "IPPool",
      "ippools",
      false,
      List.of("projectcalico.org/v3", "crd.projectcalico.org/v1"),
      IpPoolParser.SHAPE),
  /** Addresses that Calico gives nobody unasked, in the order of preference as of pools. */
  IP_RESERVATION(
      "IPReservation",
      "ipreservations",
      false,
      List.of("projectcalico.org/v3", "crd.projectcalico.org/v1"),
      IpReservationParser.SHAPE),
  /** Blocks of pools' addresses: what the agents keep there, and by what packets are led. */
  ADDRESS_BLOCK(
      "AddressBlock",
      "addressblocks",
      false,
      List.of(AddressBlockObject.API_VERSION),
      AddressBlockObject.SHAPE),
  /** What Calico's operator installs; Sund reads the network of it. */
  INSTALLATION(
      "Installation",
      "installations",
      false,
      List.of("operator.tigera.io/v1"),
      InstallationParser.SHAPE),
  /** The ranges of Services, which are not for pods. */
  SERVICE_CIDR(
      "ServiceCIDR",
      "servicecidrs",
      false,
      List.of("networking.k8s.io/v1"),
      ServiceCidrParser.SHAPE),
  /** Only the ConfigMaps of Calico, flannel and kube-proxy. */
  CONFIG_MAP("ConfigMap", "configmaps", true, List.of("v1"), LayerParts.CONFIG_MAP),
  /** Only the DaemonSet of Calico's nodes. */
  DAEMON_SET("DaemonSet", "daemonsets", true, List.of("apps/v1"), CalicoNodeParser.SHAPE);

  private static final String CALICO_CONFIG = "calico-config";
  private static final String FLANNEL_CONFIG = "kube-flannel-cfg";
  private static final String PROXY_CONFIG = "kube-proxy";
  private static final String CALICO_NODE = "calico-node";
  private static final Pattern VERSION = Pattern.compile("[0-9]{1,18}");

  private final String kind;
  private final String plural;
  private final boolean namespaced;
  private final List<String> apiVersions;
  private final Shape shape;

  Kinds(String kind, String plural, boolean namespaced, List<String> apiVersions, Shape shape) {
    this.kind = kind;
    this.plural = plural;
    this.namespaced = namespaced;
    this.apiVersions = apiVersions;
    this.shape = shape;
  }

  /** The kind as objects state it, such as {@code IPPool}. */
  public String kind() {
    return kind;
  }

  /** The resource's name in the API's paths, such as {@code ippools}. */
  public String plural() {
    return plural;
  }

  /** Whether its objects live in namespaces. */
  public boolean namespaced() {
    return namespaced;
  }

  /** The versions that are read, such as {@code projectcalico.org/v3}. */
  public List<String> apiVersions() {
    return apiVersions;
  }

  /**
   * The names of those objects of the kind that Sund reads; empty when it reads all. Of some kinds
   * a cluster has many that are nobody's business.
   */
  public Set<String> names() {
    return switch (this) {
      case NODE,
          POD,
          NAMESPACE,
          SERVICE,
          ENDPOINT_SLICE,
          NETWORK_POLICY,
          CLUSTER_NETWORK_POLICY,
          IP_POOL,
          IP_RESERVATION,
          ADDRESS_BLOCK,
          INSTALLATION,
          SERVICE_CIDR ->
          Set.of();
      case CONFIG_MAP -> Set.of(CALICO_CONFIG, FLANNEL_CONFIG, PROXY_CONFIG);
      case DAEMON_SET -> Set.of(CALICO_NODE);
    };
  }

  /**
   * Whether Sund reads this object. Of those with a name of their own, only in the namespaces where
   * Calico, flannel and kube-proxy have them: nobody else may set what holds for all nodes.
   *
   * @param ref as {@link #ref} gave it
   */
  public boolean reads(ObjectRef ref) {
    if (names().isEmpty()) {
      return true;
    }
    int slash = ref.name().indexOf('/');
    String namespace = ref.name().substring(0, slash);
    String name = ref.name().substring(slash + 1);
    return names().contains(name)
        && (namespace.equals("kube-system")
            || switch (name) {
              case FLANNEL_CONFIG -> namespace.equals("kube-flannel");
              case PROXY_CONFIG -> false;
              default -> namespace.equals("calico-system");
            });
  }

  /** Whether its objects are policies. */
  public boolean isPolicy() {
    return this == NETWORK_POLICY || this == CLUSTER_NETWORK_POLICY;
  }

  /** Which fields its objects have. */
  public Shape shape() {
    return shape;
  }

  /** The kind with this name and apiVersion. */
  public static Optional<Kinds> of(String apiVersion, String kind) {
    for (Kinds candidate : values()) {
      if (candidate.kind.equals(kind) && candidate.apiVersions.contains(apiVersion)) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  /**
   * The version of the API's at which an object was written, where it is a number: versions are
   * opaque, and one that is none is just never the same as another.
   */
  public static OptionalLong version(Tree.Mapping object) {
    Optional<String> text =
        object
            .mapping("metadata")
            .flatMap(metadata -> metadata.text("resourceVersion"))
            .filter(version -> VERSION.matcher(version).matches());
    return text.isPresent() ? OptionalLong.of(Long.parseLong(text.get())) : OptionalLong.empty();
  }

  /**
   * The name by which conditions and events know this object: {@code NAMESPACE/NAME} when it lives
   * in a namespace ({@code default} when it states none); empty when it has no name.
   */
  public Optional<ObjectRef> ref(Tree.Mapping object) {
    Optional<Tree.Mapping> metadata = object.mapping("metadata");
    Optional<String> name =
        metadata.flatMap(meta -> meta.text("name")).filter(text -> !text.isEmpty());
    String namespace =
        metadata
            .flatMap(meta -> meta.text("namespace"))
            .filter(text -> !text.isEmpty())
            .orElse("default");
    return name.map(text -> new ObjectRef(kind, namespaced ? namespace + "/" + text : text));
  }

  /**
   * Parses an object of this kind.
   *
   * @param ref as {@link #ref} gave it
   * @return the event that tells of the object; none when a problem is an error
   */
  public Parsed<ClusterEvent> parse(ObjectRef ref, Tree.Mapping object) {
    Field root = Field.root(ref, object, new ArrayList<>());
    if (namespaced && !isWhole(ref.name())) {
      Meta.checkNames(root);
      return root.refuse();
    }
    return switch (this) {
      case NODE -> NodeParser.parse(ref.name(), root).map(ClusterEvent.NodeSeen::new);
      case POD -> PodParser.parse(PodKey.parse(ref.name()), root).map(ClusterEvent.PodSeen::new);
      case SERVICE ->
          ServiceParser.parse(ServiceKey.parse(ref.name()), root)
              .map(ClusterEvent.ServiceSeen::new);
      case ENDPOINT_SLICE -> EndpointSliceParser.parse(ref, root);
      case NETWORK_POLICY -> policy(NetworkPolicyParser.parse(ref, root));
      case CLUSTER_NETWORK_POLICY -> policy(ClusterNetworkPolicyParser.parse(ref, root));
      case IP_POOL -> IpPoolParser.parse(ref.name(), root).map(ClusterEvent.PoolSeen::new);
      case IP_RESERVATION -> IpReservationParser.parse(ref.name(), root);
      case ADDRESS_BLOCK ->
          AddressBlockObject.parse(ref.name(), root, object).map(ClusterEvent.BlockSeen::new);
      case NAMESPACE ->
          NamespaceParser.parse(ref.name(), root).map(ClusterEvent.NamespaceSeen::new);
      case INSTALLATION -> InstallationParser.parse(ref, root).map(ClusterEvent.LayerSeen::new);
      case SERVICE_CIDR -> ServiceCidrParser.parse(ref, root).map(ClusterEvent.LayerSeen::new);
      case CONFIG_MAP -> configMap(ref, root).map(ClusterEvent.LayerSeen::new);
      case DAEMON_SET -> CalicoNodeParser.parse(ref, root).map(ClusterEvent.LayerSeen::new);
    };
  }

  /** A policy is in force with its errors, which are told beside it. */
  private static Parsed<ClusterEvent> policy(Parsed<Policy> parsed) {
    return parsed.map(policy -> new ClusterEvent.PolicySeen(policy, errors(parsed.problems())));
  }

  private static Parsed<FabricLayer> configMap(ObjectRef ref, Field root) {
    return switch (ref.name().substring(ref.name().indexOf('/') + 1)) {
      case CALICO_CONFIG -> CalicoConfigParser.parse(ref, root);
      case PROXY_CONFIG -> ProxyConfigParser.parse(ref, root);
      default -> FlannelConfigParser.parse(ref, root);
    };
  }

  /** The event that tells that the object with this name is gone. */
  public ClusterEvent gone(ObjectRef ref) {
    return switch (this) {
      case NODE -> new ClusterEvent.NodeGone(new NodeName(ref.name()));
      case POD -> new ClusterEvent.PodGone(PodKey.parse(ref.name()));
      case SERVICE -> new ClusterEvent.ServiceGone(ServiceKey.parse(ref.name()));
      case ENDPOINT_SLICE -> new ClusterEvent.SliceGone(ref.name());
      case NETWORK_POLICY, CLUSTER_NETWORK_POLICY -> new ClusterEvent.PolicyGone(ref);
      case IP_POOL -> new ClusterEvent.PoolGone(ref.name());
      case IP_RESERVATION -> new ClusterEvent.ReservationGone(ref.name());
      case ADDRESS_BLOCK -> new ClusterEvent.BlockGone(ref.name());
      case NAMESPACE -> new ClusterEvent.NamespaceGone(ref.name());
      case INSTALLATION, SERVICE_CIDR, CONFIG_MAP, DAEMON_SET -> new ClusterEvent.LayerGone(ref);
    };
  }

  /** Whether it is a namespace and a name, neither with a slash in it. */
  private static boolean isWhole(String name) {
    int slash = name.indexOf('/');
    return slash > 0 && slash < name.length() - 1 && slash == name.lastIndexOf('/');
  }

  /** The event that tells that an object cannot be used; only its errors are told. */
  public static ClusterEvent refused(ObjectRef ref, List<Problem> problems) {
    return new ClusterEvent.Refused(ref, errors(problems));
  }

  private static List<Condition> errors(List<Problem> problems) {
    return problems.stream().filter(Problem::isError).map(Problem::condition).toList();
  }
}
