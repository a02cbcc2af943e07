package dev.sund.kube.object;

import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.FabricLayer.MtuLimit;
import dev.sund.engine.cluster.FabricLayer.Scope;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.IpipMode;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kube.object.LayerParts.Wrapping;
import dev.sund.kube.tree.Shape;
import dev.sund.model.Family;
import dev.sund.model.LabelExpression;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The Tigera operator's {@code Installation}: pools and MTU of {@code spec.calicoNetwork}. The rest
 * is about Calico's own programs, and is told field by field.
 *
 * @see <a href="https://docs.tigera.io/calico/latest/reference/installation/api">the reference of
 *     the Installation</a>
 */
final class InstallationParser {
  private static final String PROGRAMS =
      "it is about Calico's own programs, which Sund does not start";
  private static final String EBPF = "Sund's rules are nftables'";
  private static final Shape POOL =
      Shape.object()
          .use("name", "cidr", "encapsulation", "natOutgoing", "nodeSelector", "blockSize")
          .use("disableNewAllocations", "allowedUses", "assignmentMode")
          .tell("disableBGPExport", "Sund speaks no BGP yet, so no pool is exported");
  private static final Shape AUTODETECTION =
      Shape.object()
          .use("kubernetes", "firstFound", "interface", "skipInterface", "canReach", "cidrs");
  private static final Shape SPEC =
      Shape.object()
          .use(
              "calicoNetwork",
              Shape.object()
                  .use("ipPools", Shape.listOf(POOL))
                  .use("nodeAddressAutodetectionV4", AUTODETECTION)
                  .use("nodeAddressAutodetectionV6", AUTODETECTION)
                  .use("mtu", "bgp", "hostPorts", "multiInterfaceMode", "containerIPForwarding")
                  .tell("linuxDataplane", EBPF)
                  .tell("bpfNetworkBootstrap", EBPF)
                  .tell("kubeProxyManagement", EBPF)
                  .tell("windowsDataplane", "Sund runs on Linux")
                  .tell("sysctl", "Sund sets no sysctls inside of pods")
                  .tell("linuxPolicySetupTimeoutSeconds", "Sund enforces no NetworkPolicy yet"))
          .use(
              "cni",
              Shape.object()
                  .use("type", "ipam")
                  .tell("binDir", "where Sund's plugin goes is set where it is installed")
                  .tell("confDir", "where Sund's plugin goes is set where it is installed"))
          .use("variant", "serviceCIDRs")
          .tell("windowsNodes", "Sund runs on Linux");
  private static final Set<String> OF_PROGRAMS =
      Set.of(
          "registry imagePath imagePrefix imagePullSecrets kubernetesProvider controlPlaneReplicas "
              .concat(
                  "controlPlaneNodeSelector controlPlaneTolerations componentResources logging ")
              .concat("flexVolumePath kubeletVolumePluginPath nodeUpdateStrategy nodeMetricsPort ")
              .concat(
                  "typhaMetricsPort typhaAffinity typhaDeployment certificateManagement fipsMode ")
              .concat("nonPrivileged calicoNodeDaemonSet calicoNodeWindowsDaemonSet azure proxy ")
              .concat("csiNodeDriverDaemonSet calicoKubeControllersDeployment tlsCipherSuites ")
              .concat("calicoWindowsUpgradeDaemonSet")
              .split(" "));

  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind", "spec")
          .use("metadata", Meta.SHAPE)
          .tell("status", StatusFields.WHY);

  private static final Map<String, Boolean> SWITCH = Map.of("Enabled", true, "Disabled", false);
  private static final Map<String, String> ENCAPSULATIONS =
      Map.of(
          "None", "None",
          "VXLAN", "VXLAN",
          "VXLANCrossSubnet", "VXLANCrossSubnet",
          "IPIP", "IPIP",
          "IPIPCrossSubnet", "IPIPCrossSubnet");
  private static final Map<String, Boolean> MULTI = Map.of("None", false, "Multus", true);
  private static final Map<String, Boolean> PLUGIN =
      Map.of("Calico", true, "AmazonVPC", false, "AzureVNET", false, "GKE", false, "Cilium", false);

  static {
    OF_PROGRAMS.forEach(field -> SPEC.tell(field, PROGRAMS));
  }

  private InstallationParser() {}

  static Parsed<FabricLayer> parse(ObjectRef ref, Field object) {
    Meta.read(object, "Installation", ref.name());
    Field spec = object.at("spec");
    spec.unused(SPEC);
    cni(spec.at("cni"));
    Field network = spec.at("calicoNetwork");
    List<MtuLimit> mtus = new ArrayList<>();
    Field mtu = network.at("mtu");
    mtu.number(0, 65535)
        .flatMap(bytes -> LayerParts.limit(ref, mtu, bytes, Scope.PODS))
        .ifPresent(mtus::add);
    switches(network);
    List<IpPool> pools = pools(network.at("ipPools"));
    Map<Family, AddressMethod> methods = new EnumMap<>(Family.class);
    method(network.at("nodeAddressAutodetectionV4"), Family.V4)
        .ifPresent(method -> methods.put(Family.V4, method));
    method(network.at("nodeAddressAutodetectionV6"), Family.V6)
        .ifPresent(method -> methods.put(Family.V6, method));
    List<Prefix> services = LayerParts.prefixes(spec.at("serviceCIDRs"));
    return object.finish(() ->
        new FabricLayer(
            ref,
            FabricLayer.Rank.INSTALLATION,
            OptionalInt.empty(),
            OptionalInt.empty(),
            mtus,
            pools,
            services,
            methods,
            object.warnings()));
  }

  /** As the operator has it: exactly one of the fields says how. */
  private static Optional<AddressMethod> method(Field field, Family family) {
    List<AddressMethod> found = new ArrayList<>();
    field
        .at("kubernetes")
        .oneOf(Map.of("NodeInternalIP", new AddressMethod.InternalIp()))
        .ifPresent(found::add);
    if (field.at("firstFound").truth(false)) {
      found.add(new AddressMethod.FirstFound());
    }
    Field on = field.at("interface");
    on.text()
        .flatMap(value -> AddressMethodText.patterns(on, value))
        .map(AddressMethod.OnInterface::new)
        .ifPresent(found::add);
    Field skip = field.at("skipInterface");
    skip.text()
        .flatMap(value -> AddressMethodText.patterns(skip, value))
        .map(AddressMethod.SkipInterface::new)
        .ifPresent(found::add);
    Field reach = field.at("canReach");
    reach
        .text()
        .flatMap(value -> AddressMethodText.destination(reach, value, family))
        .map(AddressMethod.CanReach::new)
        .ifPresent(found::add);
    List<Prefix> ranges = new ArrayList<>();
    for (Field item : field.at("cidrs").items()) {
      item.prefix(family == Family.V4 ? "10.0.0.0/8" : "fd00::/8")
          .filter(range -> AddressMethodText.isOf(family, range.family(), item))
          .ifPresent(ranges::add);
    }
    if (!ranges.isEmpty()) {
      found.add(new AddressMethod.InRanges(ranges));
    }
    if (found.size() > 1) {
      field.invalid(
          "it says several ways to find a node's address.", "Leave all of them out but one.");
    }
    return found.stream().findFirst();
  }

  private static void cni(Field cni) {
    if (!IpPoolParser.chosen(cni.at("type"), PLUGIN, true)) {
      cni.at("type")
          .problem(
              Reason.NOT_SUPPORTED,
              "'"
                  + cni.at("type").text().orElse("")
                  + "' leaves the pods' network to another plugin than Calico's.",
              "Take Sund away from this cluster, or write type: Calico.");
    }
    Field ipam = cni.at("ipam").at("type");
    if (ipam.text().filter(type -> !type.equals("Calico")).isPresent()) {
      ipam.unused("who gives addresses is set where Sund is installed");
    }
  }

  private static void switches(Field network) {
    Field bgp = network.at("bgp");
    if (IpPoolParser.chosen(bgp, SWITCH, false)) {
      bgp.problem(
          Reason.IGNORED_FIELD,
          "not used: Sund speaks no BGP yet.",
          "Choose an encapsulation for pools whose nodes are on several subnets.");
    }
    Field hostPorts = network.at("hostPorts");
    if (!IpPoolParser.chosen(hostPorts, SWITCH, true)) {
      hostPorts.unused("pods get the host ports that they ask for");
    }
    Field multi = network.at("multiInterfaceMode");
    if (IpPoolParser.chosen(multi, MULTI, false)) {
      multi.unused("a pod has one network of Sund's");
    }
    Field forwarding = network.at("containerIPForwarding");
    if (IpPoolParser.chosen(forwarding, SWITCH, false)) {
      forwarding.unused("Sund sets no sysctls inside of pods");
    }
  }

  private static List<IpPool> pools(Field list) {
    List<IpPool> pools = new ArrayList<>();
    Map<Family, Integer> unnamed = new EnumMap<>(Family.class);
    for (Field item : list.items()) {
      Optional<Prefix> cidr = IpPoolParser.cidr(item.at("cidr"));
      Wrapping wrapping =
          wrapping(item.at("encapsulation"), cidr.map(Prefix::family).orElse(Family.V4));
      boolean nat = IpPoolParser.chosen(item.at("natOutgoing"), SWITCH, true);
      boolean disabled = item.at("disableNewAllocations").truth(false);
      LabelExpression nodes = IpPoolParser.selector(item.at("nodeSelector"));
      Set<IpPool.Use> uses = IpPoolParser.uses(item.at("allowedUses"));
      boolean automatic =
          IpPoolParser.chosen(item.at("assignmentMode"), IpPoolParser.ASSIGNMENTS, true);
      Optional<String> name = name(item.at("name"));
      if (cidr.isEmpty()) {
        continue;
      }
      int blockSize = IpPoolParser.blockSize(item.at("blockSize"), cidr.get());
      if (blockSize >= cidr.get().length()) {
        Family family = cidr.get().family();
        int number = name.isPresent() ? 0 : unnamed.merge(family, 1, Integer::sum);
        String otherwise = LayerParts.defaultPool(family) + (number > 1 ? "-" + number : "");
        pools.add(
            LayerParts.pool(
                name.orElse(otherwise),
                cidr.get(),
                wrapping,
                nat,
                disabled,
                blockSize,
                nodes,
                uses,
                automatic));
      }
    }
    return pools;
  }

  private static Optional<String> name(Field field) {
    Optional<String> name = field.text().filter(text -> !text.isEmpty());
    if (name.filter(text -> !Meta.isName(text)).isPresent()) {
      field.invalid(
          "'" + name.get() + "' is not a name that Kubernetes takes.",
          "Write lower-case letters, digits, '-' and '.'.");
      return Optional.empty();
    }
    return name;
  }

  /** Calico takes IPIP for an IPv4 pool that does not say. */
  private static Wrapping wrapping(Field field, Family family) {
    String otherwise = field.present() || family == Family.V6 ? "None" : "IPIP";
    String word = IpPoolParser.chosen(field, ENCAPSULATIONS, otherwise);
    return switch (word) {
      case "VXLAN" -> Wrapping.vxlan(VxlanMode.ALWAYS);
      case "VXLANCrossSubnet" -> Wrapping.vxlan(VxlanMode.CROSS_SUBNET);
      case "IPIP" ->
          LayerParts.ipip(field, word, IpipMode.ALWAYS, family, "Write encapsulation: VXLAN.");
      case "IPIPCrossSubnet" ->
          LayerParts.ipip(
              field, word, IpipMode.CROSS_SUBNET, family, "Write encapsulation: VXLANCrossSubnet.");
      default -> Wrapping.NONE;
    };
  }
}
