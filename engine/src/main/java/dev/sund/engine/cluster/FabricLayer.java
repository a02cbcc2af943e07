package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the configuration of another network sets for the fabric as a whole: Calico's Installation,
 * its ConfigMap, the environment of its nodes, flannel's net-conf.json; what Kubernetes says of the
 * ranges that are not for pods; and what kube-proxy was to do. What it leaves open is left to other
 * layers; what Sund's own Fabric sets counts before all of them.
 *
 * @param source the object that says so
 * @param rank of two layers that set the same thing the one of the earlier rank counts, of one rank
 *     the one whose source comes first
 * @param vni the VXLAN network identifier, 1 to 16777215
 * @param vxlanPort the UDP port of VXLAN packets, 1 to 65535
 * @param mtus the largest packets; of several all hold
 * @param pools the pools that it makes, each unless an IPPool of this name exists
 * @param serviceCidrs the ranges of Services' addresses, as the source knows them; no pool may
 *     share addresses with them
 * @param nodeAddresses how nodes find their addresses, where it says so
 * @param proxy how Services are served, where it says so
 * @param remarks what is to be told of it, such as a field that Sund has no use for
 */
public record FabricLayer(
    ObjectRef source,
    Rank rank,
    OptionalInt vni,
    OptionalInt vxlanPort,
    List<MtuLimit> mtus,
    List<IpPool> pools,
    List<Prefix> serviceCidrs,
    Map<Family, AddressMethod> nodeAddresses,
    Optional<ProxyConfig> proxy,
    List<Condition> remarks)
    implements Comparable<FabricLayer> {

  private static final Comparator<FabricLayer> ORDER =
      Comparator.comparing(FabricLayer::rank).thenComparing(FabricLayer::source);

  public FabricLayer {
    vni.ifPresent(value -> Checks.range("vni", value, 1, (1 << 24) - 1));
    vxlanPort.ifPresent(value -> Checks.range("vxlanPort", value, 1, 65535));
    mtus = List.copyOf(mtus);
    pools = List.copyOf(pools);
    serviceCidrs = List.copyOf(serviceCidrs);
    nodeAddresses = Map.copyOf(nodeAddresses);
    remarks = List.copyOf(remarks);
  }

  /** A layer that says nothing of how Services are served. */
  public FabricLayer(
      ObjectRef source,
      Rank rank,
      OptionalInt vni,
      OptionalInt vxlanPort,
      List<MtuLimit> mtus,
      List<IpPool> pools,
      List<Prefix> serviceCidrs,
      Map<Family, AddressMethod> nodeAddresses,
      List<Condition> remarks) {
    this(
        source,
        rank,
        vni,
        vxlanPort,
        mtus,
        pools,
        serviceCidrs,
        nodeAddresses,
        Optional.empty(),
        remarks);
  }

  /** A layer that says how Services are served, and nothing else. */
  public FabricLayer(ObjectRef source, Rank rank, ProxyConfig proxy, List<Condition> remarks) {
    this(
        source,
        rank,
        OptionalInt.empty(),
        OptionalInt.empty(),
        List.of(),
        List.of(),
        List.of(),
        Map.of(),
        Optional.of(proxy),
        remarks);
  }

  /** A layer that knows no ranges of Services and says nothing of nodes' addresses. */
  public FabricLayer(
      ObjectRef source,
      Rank rank,
      OptionalInt vni,
      OptionalInt vxlanPort,
      List<MtuLimit> mtus,
      List<IpPool> pools,
      List<Condition> remarks) {
    this(source, rank, vni, vxlanPort, mtus, pools, List.of(), Map.of(), remarks);
  }

  /** Kinds of sources, the one that counts most first. */
  public enum Rank {
    /** Calico's ConfigMap {@code calico-config}: what people patch while a cluster runs. */
    CALICO_CONFIG(false),
    /** The operator's {@code Installation}. */
    INSTALLATION(false),
    /** The environment of Calico's nodes. */
    CALICO_NODE(true),
    /** Flannel's ConfigMap. */
    FLANNEL(true),
    /** Kubernetes' own {@code ServiceCIDR}, which says nothing but what it is called after. */
    SERVICE_CIDR(false),
    /** A file with a KubeProxyConfiguration. */
    PROXY_FILE(false),
    /** The ConfigMap {@code kube-proxy}. */
    PROXY_CONFIG(false);

    private final boolean fallback;

    Rank(boolean fallback) {
      this.fallback = fallback;
    }

    /** Whether its pools exist only in a family that has no other pool, as Calico has it. */
    public boolean fallback() {
      return fallback;
    }
  }

  /** To which packets a limit applies. */
  public enum Scope {
    /** Pods' links, whatever way their packets take. */
    PODS,
    /** Packets that are wrapped in VXLAN. */
    VXLAN,
    /** Packets that are wrapped in IPIP. */
    IPIP
  }

  /**
   * A limit of packets' length.
   *
   * @param object who sets it
   * @param field the field that sets it
   * @param bytes the largest IP packet of a pod, 576 to 65535
   * @param scope the packets that it is about
   */
  public record MtuLimit(ObjectRef object, String field, int bytes, Scope scope) {
    public MtuLimit {
      Checks.range("mtu", bytes, 576, 65535);
    }
  }

  /** The limit for this scope. */
  public Optional<MtuLimit> mtu(Scope scope) {
    return mtus.stream().filter(limit -> limit.scope() == scope).findFirst();
  }

  @Override
  public int compareTo(FabricLayer other) {
    return ORDER.compare(this, other);
  }
}
