package dev.sund.kube.foreign;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.Mtu;
import dev.sund.engine.Mtu.Encapsulation;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.kube.foreign.Verdict.Outcome;
import dev.sund.model.Family;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What becomes of the values of Cilium's Helm chart (1.14 to 1.18). One object reads one set of
 * values; not for several threads.
 *
 * @see <a href="https://docs.cilium.io/en/stable/helm-reference/">the chart's reference</a>
 */
public final class CiliumValues {
  private static final String PROGRAMS =
      "it is about Cilium's own programs, which are not started any more";
  private static final String SERVICES =
      "Sund serves Services in kube-proxy's place; take kube-proxy away";
  private static final String NO_SUCH_BALANCING =
      "Sund translates destinations in nf_tables and has no settings for how";
  private static final String NO_POLICY = "Sund enforces no policy yet";
  private static final String NO_FLOWS = "Sund shows no flows yet";
  private static final String NO_BGP = "Sund speaks no BGP yet";
  private static final String NO_CRYPTO =
      "Sund encrypts nothing; give the nodes WireGuard underneath, and Sund sees its MTU";

  /** Switches of what Sund does not do: off is fine, on is refused with these words. */
  private static final Map<String, String> LACKING =
      Map.ofEntries(
          Map.entry("nodePort", NO_SUCH_BALANCING),
          Map.entry("socketLB", NO_SUCH_BALANCING),
          Map.entry("loadBalancer", NO_SUCH_BALANCING),
          Map.entry("localRedirectPolicy", "Sund redirects to no pods but a Service's"),
          Map.entry("ingressController", "Sund is no ingress controller"),
          Map.entry("gatewayAPI", "Sund has no Gateway API"),
          Map.entry("envoy", "Sund looks into no requests"),
          Map.entry("l7Proxy", "Sund looks into no requests"),
          Map.entry("egressGateway", "Sund has no egress gateway"),
          Map.entry("hostFirewall", NO_POLICY),
          Map.entry("clustermesh", "Sund connects no clusters"),
          Map.entry("encryption", NO_CRYPTO),
          Map.entry("authentication", NO_CRYPTO),
          Map.entry("bandwidthManager", "Sund shapes by the CNI capability bandwidth"),
          Map.entry("bgpControlPlane", NO_BGP),
          Map.entry("bgp", NO_BGP),
          Map.entry("l2announcements", "Sund announces no addresses of Services yet"),
          Map.entry("hubble", NO_FLOWS),
          Map.entry("prometheus.serviceMonitor.enabled", "Sund makes no ServiceMonitor"));

  /** Switches of what Sund does anyway. */
  private static final Map<String, String> DONE =
      Map.of(
          "kubeProxyReplacement", SERVICES,
          "nodePort.enabled", SERVICES,
          "externalIPs.enabled", SERVICES);

  /** First words of names that are about Cilium's own pods, images and inner workings. */
  private static final Set<String> OF_PROGRAMS =
      Set.of(
          "affinity",
          "agent",
          "annotateK8sNode",
          "bpf",
          "certgen",
          "cgroup",
          "cleanBpfState",
          "cleanState",
          "cluster",
          "commonLabels",
          "customCalls",
          "daemon",
          "debug",
          "dnsPolicy",
          "endpointHealthChecking",
          "endpointRoutes",
          "endpointStatus",
          "eni",
          "etcd",
          "extraArgs",
          "extraConfig",
          "extraEnv",
          "extraHostPathMounts",
          "extraVolumeMounts",
          "extraVolumes",
          "healthChecking",
          "healthPort",
          "identityAllocationMode",
          "image",
          "imagePullSecrets",
          "installNoConntrackIptablesRules",
          "k8s",
          "k8sClientRateLimit",
          "keepDeprecatedLabels",
          "livenessProbe",
          "logSystemLoad",
          "monitor",
          "name",
          "namespaceOverride",
          "nodeinit",
          "nodeSelector",
          "operator",
          "pmtuDiscovery",
          "podAnnotations",
          "podLabels",
          "podSecurityContext",
          "preflight",
          "priorityClassName",
          "prometheus",
          "proxy",
          "rbac",
          "readinessProbe",
          "remoteNodeIdentity",
          "resourceQuotas",
          "resources",
          "rollOutCiliumPods",
          "securityContext",
          "serviceAccounts",
          "sleepAfterInit",
          "startupProbe",
          "synchronizeK8sNodes",
          "tls",
          "tolerations",
          "updateStrategy",
          "upgradeCompatibility",
          "waitForKubeProxy",
          "wellKnownIdentities");

  private final Map<String, String> values;
  private final Map<String, Verdict> verdicts = new LinkedHashMap<>();

  private CiliumValues(Map<String, String> values) {
    this.values = values;
  }

  /**
   * What was read.
   *
   * @param verdicts one for each value, in the values' order
   * @param fabric what is set for the fabric as a whole
   * @param pools the pools, none when the nodes' own ranges are to be used as they are
   */
  public record Imported(List<Verdict> verdicts, FabricSettings fabric, List<IpPool> pools) {
    public Imported {
      verdicts = List.copyOf(verdicts);
      pools = List.copyOf(pools);
    }

    /** Whether somebody who counts on one of the values is disappointed. */
    public boolean refuses() {
      return verdicts.stream().anyMatch(verdict -> verdict.outcome() == Outcome.REFUSED);
    }
  }

  /**
   * Reads values.
   *
   * @param values by dotted name, as {@link HelmValues} has them
   */
  public static Imported read(Map<String, String> values) {
    return new CiliumValues(values).read();
  }

  private Imported read() {
    VxlanMode mode = travel();
    List<IpPool> pools = pools(mode);
    FabricSettings fabric = fabric(mode);
    server();
    for (String name : values.keySet()) {
      if (!verdicts.containsKey(name)) {
        other(name);
      }
    }
    return new Imported(values.keySet().stream().map(this::verdict).toList(), fabric, pools);
  }

  private Verdict verdict(String name) {
    Verdict verdict = verdicts.get(name);
    if (verdict == null) {
      throw new AssertionError("no value is left out: " + name);
    }
    return verdict;
  }

  private void say(String name, Outcome outcome, String text) {
    if (values.containsKey(name)) {
      verdicts.put(name, new Verdict(name, values.getOrDefault(name, ""), outcome, text));
    }
  }

  private String value(String name, String otherwise) {
    return values.getOrDefault(name, otherwise);
  }

  /** How packets between nodes travel: {@code tunnel} up to 1.14, {@code routingMode} since. */
  private VxlanMode travel() {
    boolean unwrapped =
        value("routingMode", "").equals("native") || value("tunnel", "").equals("disabled");
    String protocol = value("tunnelProtocol", value("tunnel", "vxlan"));
    say("routingMode", Outcome.MAPPED, unwrapped ? plain() : wrapped());
    switch (value("tunnel", "")) {
      case "disabled" -> say("tunnel", Outcome.MAPPED, plain());
      case "", "vxlan" -> say("tunnel", Outcome.MAPPED, wrapped());
      default -> geneve("tunnel");
    }
    if (value("tunnelProtocol", "vxlan").equals("vxlan")) {
      say("tunnelProtocol", Outcome.MAPPED, unwrapped ? plain() : wrapped());
    } else {
      geneve("tunnelProtocol");
    }
    say(
        "autoDirectNodeRoutes",
        Outcome.ACCEPTED,
        "nodes on one subnet are each other's next hop where packets are not wrapped");
    for (String range : List.of("ipv4NativeRoutingCIDR", "ipv6NativeRoutingCIDR")) {
      say(range, Outcome.ACCEPTED, "packets between pods keep their source in any case");
    }
    boolean direct = Boolean.parseBoolean(value("autoDirectNodeRoutes", "false"));
    if (!unwrapped) {
      return VxlanMode.ALWAYS;
    }
    return direct && protocol.equals("vxlan") ? VxlanMode.CROSS_SUBNET : VxlanMode.NEVER;
  }

  private static String plain() {
    return "pools with vxlanMode Never, or CrossSubnet with autoDirectNodeRoutes";
  }

  private static String wrapped() {
    return "pools with vxlanMode Always";
  }

  private void geneve(String name) {
    say(name, Outcome.REFUSED, "Sund wraps in VXLAN, which costs as many bytes; write vxlan");
  }

  private List<IpPool> pools(VxlanMode mode) {
    String how = value("ipam.mode", "cluster-pool");
    List<IpPool> pools = new ArrayList<>();
    switch (how) {
      case "kubernetes" ->
          say("ipam.mode", Outcome.ACCEPTED, "nodes give addresses of their spec.podCIDRs");
      case "cluster-pool" ->
          say("ipam.mode", Outcome.MAPPED, "IPPools, of which nodes claim blocks");
      default ->
          say(
              "ipam.mode",
              Outcome.REFUSED,
              "Sund gives addresses of spec.podCIDRs or of pools; write kubernetes or cluster-pool");
    }
    boolean clusterPool = how.equals("cluster-pool");
    for (Family family : Family.values()) {
      String digit = family == Family.V4 ? "4" : "6";
      String list = "ipam.operator.clusterPoolIPv" + digit + "PodCIDRList";
      String size = "ipam.operator.clusterPoolIPv" + digit + "MaskSize";
      boolean nat = Boolean.parseBoolean(value("enableIPv" + digit + "Masquerade", "true"));
      say(
          "enableIPv" + digit + "Masquerade",
          nat || !pools.isEmpty() || values.containsKey(list) ? Outcome.MAPPED : Outcome.REFUSED,
          nat
              ? "natOutgoing, which the built-in pool has as well"
              : "natOutgoing false, for which there must be an IPPool: set " + list);
      if (!clusterPool) {
        say(list, Outcome.NOT_NEEDED, "addresses come from spec.podCIDRs");
        say(size, Outcome.NOT_NEEDED, "addresses come from spec.podCIDRs");
        continue;
      }
      pools.addAll(pools(family, list, size, mode, nat));
    }
    return pools;
  }

  private List<IpPool> pools(Family family, String list, String size, VxlanMode mode, boolean nat) {
    List<IpPool> pools = new ArrayList<>();
    int block = blockSize(family, size);
    for (String text : value(list, "").split(",", -1)) {
      Optional<Prefix> cidr = Prefix.tryParse(text.strip());
      if (cidr.isEmpty() || cidr.get().family() != family) {
        if (!text.isBlank()) {
          say(list, Outcome.REFUSED, "'" + text.strip() + "' is no range of this family");
        }
        continue;
      }
      String name = "cilium-ipv" + (family == Family.V4 ? "4" : "6");
      pools.add(
          pool(
              pools.isEmpty() ? name : name + "-" + (pools.size() + 1),
              cidr.get(),
              block,
              mode,
              nat));
    }
    if (!pools.isEmpty() && !verdicts.containsKey(list)) {
      say(list, Outcome.MAPPED, pools.size() == 1 ? "an IPPool" : pools.size() + " IPPools");
    } else if (pools.isEmpty() && !verdicts.containsKey(list)) {
      say(list, Outcome.NOT_NEEDED, "no range is named");
    }
    return pools;
  }

  private static IpPool pool(String name, Prefix cidr, int block, VxlanMode mode, boolean nat) {
    IpPool usual = new IpPool(name, name, 0, cidr, mode, nat, false);
    return new IpPool(
        name,
        name,
        0,
        cidr,
        mode,
        usual.ipipMode(),
        nat,
        false,
        Math.max(block, cidr.length()),
        usual.nodeSelector(),
        usual.namespaceSelector(),
        usual.allowedUses(),
        true);
  }

  /** A node's range in Cilium is one block here, as far as blocks may be that large. */
  private int blockSize(Family family, String name) {
    int shortest = IpPool.shortestBlock(family);
    int usual = IpPool.usualBlock(family);
    Optional<Integer> size = number(name, 1, family.bits());
    if (size.isEmpty()) {
      return usual;
    }
    if (size.get() < shortest) {
      say(
          name,
          Outcome.MAPPED,
          "blockSize " + shortest + ", the largest block: a node claims several as it needs them");
      return shortest;
    }
    say(name, Outcome.MAPPED, "blockSize " + size.get());
    return size.get();
  }

  private FabricSettings fabric(VxlanMode mode) {
    FabricSettings otherwise = FabricSettings.DEFAULT;
    Optional<Integer> port = number("tunnelPort", 0, 65535).filter(number -> number > 0);
    say(
        "tunnelPort",
        Outcome.MAPPED,
        port.map(number -> "vxlanPort " + number).orElse("Sund's own port, 4789"));
    OptionalInt mtu = OptionalInt.empty();
    Optional<Integer> underlay = number("MTU", 0, 65535);
    if (underlay.isPresent() && underlay.get() == 0) {
      say("MTU", Outcome.ACCEPTED, "pods' MTU is computed from the underlay");
    } else if (underlay.isPresent()) {
      Encapsulation worst = mode == VxlanMode.NEVER ? Encapsulation.NONE : Encapsulation.VXLAN;
      int pods = underlay.get() - Mtu.overhead(worst, Family.V4);
      if (pods < Mtu.minimum(Family.V6)) {
        say(
            "MTU",
            Outcome.REFUSED,
            "it leaves pods %d bytes, but every IPv6 link takes 1280; leave it out to have it computed"
                .formatted(pods));
      } else {
        mtu = OptionalInt.of(pods);
        say(
            "MTU",
            Outcome.MAPPED,
            "mtu %d for pods: the underlay's less what wrapping takes".formatted(pods));
      }
    }
    return new FabricSettings(otherwise.vni(), port.orElse(otherwise.vxlanPort()), mtu);
  }

  private Optional<Integer> number(String name, int min, int max) {
    String text = value(name, "");
    if (text.isEmpty()) {
      say(name, Outcome.NOT_NEEDED, "it is empty");
      return Optional.empty();
    }
    if (text.matches("[0-9]{1,9}")
        && Integer.parseInt(text) >= min
        && Integer.parseInt(text) <= max) {
      return Optional.of(Integer.parseInt(text));
    }
    say(name, Outcome.REFUSED, "it is no whole number from " + min + " to " + max);
    return Optional.empty();
  }

  private void server() {
    String host = value("k8sServiceHost", "");
    String port = value("k8sServicePort", "443");
    String url = "https://" + (host.isEmpty() ? "HOST" : host) + ":" + port;
    String text = "the server of the kubeconfig that agents are given: " + url;
    say("k8sServiceHost", Outcome.MAPPED, text);
    say("k8sServicePort", Outcome.MAPPED, text);
  }

  private void other(String name) {
    String value = value(name, "");
    boolean off =
        value.isEmpty() || Set.of("false", "disabled", "none", "probe", "off", "0").contains(value);
    String first = name.indexOf('.') < 0 ? name : name.substring(0, name.indexOf('.'));
    if (name.equals("bpf.masquerade") || name.startsWith("ipMasqAgent.")) {
      say(name, Outcome.MAPPED, "natOutgoing, which is done in the table inet sund of nftables");
    } else if (name.equals("hostPort.enabled")) {
      say(name, Outcome.ACCEPTED, "pods get the host ports that they ask for");
    } else if (name.matches("(ipv4|ipv6)\\.enabled")) {
      say(name, Outcome.ACCEPTED, "the families are those of the nodes' and pods' addresses");
    } else if (name.equals("policyEnforcementMode")) {
      say(name, value.equals("never") ? Outcome.ACCEPTED : Outcome.REFUSED, NO_POLICY);
    } else if (name.equals("cni.chainingMode")) {
      say(
          name,
          off ? Outcome.ACCEPTED : Outcome.REFUSED,
          "Sund's plugin is the first of its conflist");
    } else if (first.equals("cni")) {
      say(name, Outcome.NOT_NEEDED, "Sund writes a configuration of its own for its plugin");
    } else if (DONE.containsKey(name)) {
      say(
          name,
          Outcome.ACCEPTED,
          off ? "leave kube-proxy where it is and set services.enabled: false" : DONE.get(name));
    } else if (lacking(name).isPresent()) {
      say(
          name,
          off ? Outcome.ACCEPTED : Outcome.REFUSED,
          off ? "Sund does not do it either" : lacking(name).get());
    } else if (OF_PROGRAMS.contains(first)) {
      say(name, Outcome.NOT_NEEDED, PROGRAMS);
    } else {
      say(name, Outcome.REFUSED, "no such value is known; check its spelling");
    }
  }

  private static Optional<String> lacking(String name) {
    for (String path = name; !path.isEmpty(); ) {
      String why = LACKING.get(path);
      if (why != null) {
        return Optional.of(why);
      }
      int dot = path.lastIndexOf('.');
      path = dot < 0 ? "" : path.substring(0, dot);
    }
    return Optional.empty();
  }
}
