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
import dev.sund.kube.tree.Tree;
import dev.sund.model.Family;
import dev.sund.model.LabelExpression;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The environment of the DaemonSet {@code calico-node}: MTUs, VXLAN's number and port, and the
 * pools that Calico makes when it starts and finds none. Every variable that has no meaning to Sund
 * is told by name.
 *
 * @see <a href="https://docs.tigera.io/calico/latest/reference/configure-calico-node">the reference
 *     of calico-node's environment</a>
 */
final class CalicoNodeParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.SHAPE)
          .use(
              "spec",
              Shape.object()
                  .use(
                      "template",
                      Shape.object()
                          .use(
                              "spec",
                              Shape.object()
                                  .use(
                                      "containers",
                                      Shape.listOf(
                                          Shape.object()
                                              .use("name", "env")
                                              .tell("envFrom", "its names stand elsewhere")
                                              .pass("args", "command", "image", "lifecycle")
                                              .pass("imagePullPolicy", "livenessProbe", "ports")
                                              .pass("readinessProbe", "resources", "startupProbe")
                                              .pass("securityContext", "volumeMounts")
                                              .pass("terminationMessagePath", "workingDir")
                                              .pass("terminationMessagePolicy")))
                                  .pass("initContainers", "volumes", "hostNetwork")
                                  .pass("nodeSelector", "tolerations", "serviceAccount")
                                  .pass("serviceAccountName", "priorityClassName", "affinity")
                                  .pass("terminationGracePeriodSeconds", "restartPolicy")
                                  .pass("dnsPolicy", "schedulerName", "securityContext"))
                          .pass("metadata"))
                  .pass("selector", "updateStrategy", "revisionHistoryLimit", "minReadySeconds"))
          .tell("status", StatusFields.WHY);

  private static final String CONTAINER = "calico-node";
  private static final Set<String> WITHOUT_MEANING =
      Set.of(
          "DATASTORE_TYPE",
          "WAIT_FOR_DATASTORE",
          "NODENAME",
          "CLUSTER_TYPE",
          "KUBERNETES_SERVICE_HOST",
          "KUBERNETES_SERVICE_PORT",
          "KUBERNETES_SERVICE_ADDRESS",
          "CALICO_K8S_NODE_REF",
          "CALICO_DISABLE_FILE_LOGGING",
          "CALICO_MANAGE_CNI",
          "FELIX_HEALTHENABLED",
          "FELIX_LOGSEVERITYSCREEN",
          "FELIX_TYPHAK8SSERVICENAME",
          "FELIX_IPV6SUPPORT",
          "FELIX_DEFAULTENDPOINTTOHOSTACTION");

  private static final Set<String> HOST_IP = Set.of("status.hostIP", "status.podIP");

  private static final Map<String, VxlanMode> VXLAN_MODES =
      Map.of(
          "Never", VxlanMode.NEVER,
          "Always", VxlanMode.ALWAYS,
          "CrossSubnet", VxlanMode.CROSS_SUBNET);
  private static final Map<String, IpipMode> IPIP_MODES =
      Map.of(
          "Never", IpipMode.NEVER,
          "Off", IpipMode.NEVER,
          "Always", IpipMode.ALWAYS,
          "CrossSubnet", IpipMode.CROSS_SUBNET);
  private static final Map<String, Boolean> TRUTH =
      Map.of(
          "true", true, "True", true, "1", true, "yes", true, "on", true, "false", false, "False",
          false, "0", false, "no", false);

  private final Map<String, Field> variables = new LinkedHashMap<>();
  private final Set<String> ofHost = new HashSet<>();
  private final Field nowhere;

  private CalicoNodeParser(Field object) {
    this.nowhere = object.at("spec").at("no such field");
  }

  static Parsed<FabricLayer> parse(ObjectRef ref, Field object) {
    Meta.read(object, "DaemonSet", ref.name());
    return new CalicoNodeParser(object).read(ref, object);
  }

  private Parsed<FabricLayer> read(ObjectRef ref, Field object) {
    for (Field container : object.at("spec").at("template").at("spec").at("containers").items()) {
      if (container.at("name").text().filter(CONTAINER::equals).isPresent()) {
        container.at("env").items().forEach(this::variable);
      }
    }
    List<MtuLimit> mtus = new ArrayList<>();
    mtu(ref, "FELIX_IPINIPMTU", Scope.IPIP).ifPresent(mtus::add);
    mtu(ref, "FELIX_VXLANMTU", Scope.VXLAN).ifPresent(mtus::add);
    Optional<Integer> vni = LayerParts.number(take("FELIX_VXLANVNI"), 1, (1 << 24) - 1);
    Optional<Integer> port = LayerParts.number(take("FELIX_VXLANPORT"), 1, 65535);
    List<IpPool> pools = pools();
    Map<Family, AddressMethod> methods = new EnumMap<>(Family.class);
    for (Family family : Family.values()) {
      address(family).ifPresent(method -> methods.put(family, method));
    }
    others();
    return object.finish(() ->
        new FabricLayer(
            ref,
            FabricLayer.Rank.CALICO_NODE,
            vni.map(OptionalInt::of).orElse(OptionalInt.empty()),
            port.map(OptionalInt::of).orElse(OptionalInt.empty()),
            mtus,
            pools,
            List.of(),
            methods,
            object.warnings()));
  }

  /** A variable without a value of its own takes it from elsewhere; the last of a name counts. */
  private void variable(Field entry) {
    Optional<String> name = entry.at("name").needed("Write the variable's name.");
    if (name.isEmpty()) {
      return;
    }
    if (entry.at("valueFrom").present()) {
      if (isHostIp(entry.at("valueFrom"))) {
        ofHost.add(name.get());
        return;
      }
      if (!isOfCalicoConfig(entry.at("valueFrom")) && !WITHOUT_MEANING.contains(name.get())) {
        entry
            .at("valueFrom")
            .called(called(name.get()))
            .unused("its value stands in another object");
      }
      return;
    }
    variables.put(name.get(), entry.at("value").called(called(name.get())));
  }

  /** Calico's own manifest takes the MTUs from veth_mtu, which counts as the ConfigMap has it. */
  private static boolean isOfCalicoConfig(Field from) {
    return from.tree().filter(Tree.Mapping.class::isInstance).stream()
        .map(Tree.Mapping.class::cast)
        .flatMap(tree -> tree.mapping("configMapKeyRef").stream())
        .anyMatch(ref -> ref.text("name").filter("calico-config"::equals).isPresent());
  }

  /** What the kubelet gives a pod of the host's network: the node's InternalIP. */
  private static boolean isHostIp(Field from) {
    return from.tree().filter(Tree.Mapping.class::isInstance).stream()
        .map(Tree.Mapping.class::cast)
        .flatMap(tree -> tree.mapping("fieldRef").stream())
        .flatMap(ref -> ref.text("fieldPath").stream())
        .anyMatch(HOST_IP::contains);
  }

  private Field take(String name) {
    Field field = variables.remove(name);
    return field == null ? nowhere.called(called(name)) : field;
  }

  /** Variables are known by their names, not by their places in the list. */
  private static String called(String name) {
    return "env[" + name + "]";
  }

  private Optional<MtuLimit> mtu(ObjectRef ref, String name, Scope scope) {
    Field field = take(name);
    return LayerParts.number(field, 0, 65535)
        .flatMap(bytes -> LayerParts.limit(ref, field, bytes, scope));
  }

  private List<IpPool> pools() {
    boolean none = truth(take("NO_DEFAULT_POOLS"), false);
    List<IpPool> pools = new ArrayList<>();
    for (Family family : Family.values()) {
      pool(family).ifPresent(pools::add);
    }
    return none ? List.of() : pools;
  }

  private Optional<IpPool> pool(Family family) {
    String prefix = family == Family.V4 ? "CALICO_IPV4POOL_" : "CALICO_IPV6POOL_";
    Field cidrField = take(prefix + "CIDR");
    Field ipip = family == Family.V4 ? take(prefix + "IPIP") : nowhere;
    Field vxlan = take(prefix + "VXLAN");
    Field nat = take(prefix + "NAT_OUTGOING");
    Field block = take(prefix + "BLOCK_SIZE");
    Field selector = take(prefix + "NODE_SELECTOR");
    Field export = take(prefix + "DISABLE_BGP_EXPORT");
    if (export.present()) {
      export.unused("Sund speaks no BGP yet, so no pool is exported");
    }
    boolean bare = cidrField.text().filter(text -> !text.isEmpty()).isEmpty();
    if (bare) {
      for (Field field : List.of(ipip, vxlan, nat, block, selector)) {
        if (field.present()) {
          field.unused(
              "the environment names no range; write " + prefix + "CIDR too, or an IPPool");
        }
      }
      return Optional.empty();
    }
    Optional<Prefix> cidr = IpPoolParser.cidr(cidrField);
    if (cidr.filter(range -> range.family() != family).isPresent()) {
      cidrField.invalid(
          "'" + cidr.get() + "' is of the other family.",
          "Write a range such as "
              + (family == Family.V4 ? "10.244.0.0/16." : "fd00:10:244::/48."));
      return Optional.empty();
    }
    if (cidr.isEmpty()) {
      return Optional.empty();
    }
    Wrapping wrapping = wrapping(family, ipip, vxlan);
    boolean natOutgoing = truth(nat, family == Family.V4);
    int least = Math.max(IpPool.shortestBlock(family), cidr.get().length());
    int blockSize =
        LayerParts.number(block, Math.min(least, family.bits()), family.bits())
            .orElse(LayerParts.usualBlock(cidr.get()));
    LabelExpression nodes = IpPoolParser.selector(selector);
    return Optional.of(
        LayerParts.pool(
            LayerParts.defaultPool(family),
            cidr.get(),
            wrapping,
            natOutgoing,
            false,
            blockSize,
            nodes,
            IpPool.USUAL,
            true));
  }

  /** Calico wraps in IPIP when neither is said. */
  private static Wrapping wrapping(Family family, Field ipip, Field vxlan) {
    VxlanMode vxlanMode = IpPoolParser.chosen(vxlan, VXLAN_MODES, VxlanMode.NEVER);
    boolean silent = family == Family.V4 && !ipip.present() && vxlanMode == VxlanMode.NEVER;
    IpipMode ipipMode =
        IpPoolParser.chosen(ipip, IPIP_MODES, silent ? IpipMode.ALWAYS : IpipMode.NEVER);
    if (ipipMode == IpipMode.NEVER) {
      return Wrapping.vxlan(vxlanMode);
    }
    if (vxlanMode != VxlanMode.NEVER) {
      vxlan.invalid(
          "a pool is wrapped in VXLAN or in IPIP, not in both.", "Set one of the two to Never.");
    }
    String word = ipip.text().orElse("Always, which Calico takes when it is not set,");
    String mode = ipipMode == IpipMode.CROSS_SUBNET ? "CrossSubnet" : "Always";
    return LayerParts.ipip(
        ipip,
        word,
        ipipMode,
        family,
        "Set CALICO_IPV4POOL_IPIP Never and CALICO_IPV4POOL_VXLAN " + mode + ".");
  }

  /**
   * How nodes find their addresses. As Calico has it, IPv4's is looked for unless it is given, by
   * the first device unless it is said how, and IPv6's only when asked for. Where the environment
   * says nothing at all, Sund's own way holds.
   */
  private Optional<AddressMethod> address(Family family) {
    String name = family == Family.V4 ? "IP" : "IP6";
    Field given = take(name);
    Field how = take(name + "_AUTODETECTION_METHOD");
    Optional<AddressMethod> method = AddressMethodText.read(how, family);
    if (ofHost.contains(name)) {
      return Optional.of(new AddressMethod.InternalIp());
    }
    return switch (given.text().orElse("")) {
      case "autodetect" -> method.or(() -> Optional.of(new AddressMethod.FirstFound()));
      case "" -> {
        if (family == Family.V6 && method.isPresent()) {
          how.unused("it says how to find an address that IP6: autodetect asks for");
        }
        yield family == Family.V4 ? method : Optional.empty();
      }
      case "none" -> Optional.empty();
      default -> {
        given.unused(
            "it would be the address of every node; annotate each node with its own ("
                + (family == Family.V4 ? Marks.ANNOTATION_V4 : Marks.ANNOTATION_V6)
                + ") and set nodeAddress"
                + family
                + ": annotation in the Fabric");
        yield Optional.empty();
      }
    };
  }

  private void others() {
    Field backend = take("CALICO_NETWORKING_BACKEND");
    if (backend.present()) {
      backend.unused("a pool's modes say how its packets travel");
    }
    variables.keySet().removeAll(WITHOUT_MEANING);
    variables.forEach((_, field) -> field.unused("Sund has nothing that it would set"));
  }

  private static boolean truth(Field field, boolean otherwise) {
    return IpPoolParser.chosen(field, TRUTH, otherwise);
  }
}
