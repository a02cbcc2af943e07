package dev.sund.kube.object;

import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.cluster.EndpointChoice;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.ProxyConfig;
import dev.sund.engine.cluster.ProxyConfig.Listen;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.engine.cluster.ServiceSettings.NodePorts;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code kubeproxy.config.k8s.io/v1alpha1 KubeProxyConfiguration}, as the ConfigMap {@code
 * kube-proxy} holds it at {@code config.conf}, or a file: what it says of Services goes on without
 * kube-proxy. What has no meaning here is told field by field.
 *
 * @see <a href="https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/">its
 *     reference</a>
 */
public final class ProxyConfigParser {
  private static final String API_VERSION = "kubeproxy.config.k8s.io/v1alpha1";
  private static final String KIND = "KubeProxyConfiguration";
  private static final Shape DATA =
      Shape.object()
          .use("config.conf")
          .tell("kubeconfig.conf", "the agent reaches the API server as --kubeconfig says");

  /** What {@code mode} asks for. */
  private enum Mode {
    IPTABLES,
    IPVS,
    NFTABLES,
    ELSEWHERE
  }

  private static final Map<String, Mode> MODES =
      Map.of(
          "iptables", Mode.IPTABLES,
          "ipvs", Mode.IPVS,
          "nftables", Mode.NFTABLES,
          "userspace", Mode.ELSEWHERE,
          "kernelspace", Mode.ELSEWHERE);
  private static final Map<String, Boolean> BY_RANGE =
      Map.of(
          "ClusterCIDR", true,
          "NodeCIDR", false,
          "BridgeInterface", false,
          "InterfaceNamePrefix", false);

  private ProxyConfigParser() {}

  static Parsed<FabricLayer> parse(ObjectRef ref, Field object) {
    Meta.read(object, "ConfigMap", ref.name());
    Field data = object.at("data");
    data.unused(DATA);
    Field text = data.at("config.conf");
    Optional<FabricLayer> layer =
        text.needed("Write kube-proxy's configuration.")
            .flatMap(yaml -> {
              Parsed<FabricLayer> inside = parseText(ref, FabricLayer.Rank.PROXY_CONFIG, yaml);
              text.nested(inside.problems());
              return inside.value();
            });
    return object.finish(() -> {
      FabricLayer read = layer.orElseThrow();
      return new FabricLayer(ref, read.rank(), read.proxy().orElseThrow(), object.warnings());
    });
  }

  /**
   * Parses the text of a KubeProxyConfiguration, YAML or JSON.
   *
   * @param ref the object or file that it is in
   */
  public static Parsed<FabricLayer> parseText(ObjectRef ref, FabricLayer.Rank rank, String yaml) {
    List<Problem> problems = new ArrayList<>();
    List<Tree> documents;
    try {
      documents = YamlTrees.documents(yaml);
    } catch (MalformedException e) {
      Field.root(ref, Tree.Mapping.of(Map.of()), problems)
          .problem(
              Reason.MALFORMED,
              "line " + e.line() + ", column " + e.column() + ": " + e.getMessage() + ".",
              "Correct the YAML.");
      return new Parsed<>(Optional.empty(), problems);
    }
    // kubeadm keeps configurations of several programs in one text.
    Optional<Tree.Mapping> found =
        documents.stream()
            .filter(Tree.Mapping.class::isInstance)
            .map(Tree.Mapping.class::cast)
            .filter(map -> map.text("kind").filter(KIND::equals).isPresent())
            .findFirst();
    if (found.isEmpty()) {
      Field.root(ref, Tree.Mapping.of(Map.of()), problems)
          .invalid(
              "it holds no " + KIND + ".",
              "Write apiVersion: " + API_VERSION + " and kind: " + KIND + ".");
      return new Parsed<>(Optional.empty(), problems);
    }
    return config(ref, rank, found.get(), problems);
  }

  private static Parsed<FabricLayer> config(
      ObjectRef ref, FabricLayer.Rank rank, Tree.Mapping tree, List<Problem> problems) {
    Field root = Field.root(ref, tree, problems);
    Field version = root.at("apiVersion");
    if (version.text().filter(API_VERSION::equals).isEmpty()) {
      version.problem(
          Reason.NOT_SUPPORTED,
          "'" + version.text().orElse("") + "' is a version that Sund does not read.",
          "Write " + API_VERSION + ".");
    }
    ProxyFields.said(tree)
        .ifPresent(said -> Field.root(ref, said, problems).unused(ProxyFields.SHAPE));
    Mode mode = mode(root.at("mode"));
    address(root.at("bindAddress"));
    boolean masqueradeAll = masqueradeAll(root, mode);
    NodePorts nodePorts = NodePortRanges.read(root.at("nodePortAddresses"), mode == Mode.NFTABLES);
    localhost(root.at("iptables").at("localhostNodePorts"));
    List<Prefix> podRanges = podRanges(root);
    ConntrackSettings conntrack = ProxyConntrack.read(root.at("conntrack"));
    Optional<Listen> healthz = listen(root.at("healthzBindAddress"), "0.0.0.0:10256");
    Optional<Listen> metrics = listen(root.at("metricsBindAddress"), "127.0.0.1:10249");
    return root.finish(() ->
        new FabricLayer(
            ref,
            rank,
            new ProxyConfig(
                new ServiceSettings(
                    true, nodePorts, masqueradeAll, podRanges, EndpointChoice.RANDOM),
                conntrack,
                healthz,
                metrics),
            root.warnings()));
  }

  private static Mode mode(Field field) {
    Optional<String> text = field.text().filter(said -> !said.isEmpty());
    Mode mode = text.isEmpty() ? Mode.IPTABLES : field.oneOf(MODES).orElse(Mode.NFTABLES);
    switch (mode) {
      case IPTABLES ->
          text.ifPresent(_ ->
              field.problem(
                  Reason.IGNORED_FIELD,
                  "not used: Services are maps of nf_tables in place of iptables' chains, so that"
                      + " neither a connection nor a change costs more in a cluster with more"
                      + " Services.",
                  "Nothing needs to be done; 'nftables' says the same without this note."));
      case IPVS ->
          field.problem(
              Reason.IGNORED_FIELD,
              "not used: Sund has no IPVS yet; Services are maps of nf_tables, with the same answers"
                  + " but for ipvs.scheduler.",
              "Write 'nftables' if that is what you want.");
      case ELSEWHERE -> field.unused("Services are maps of nf_tables");
      case NFTABLES -> {}
    }
    return mode;
  }

  private static void address(Field field) {
    Optional<Ip> ip = field.text().filter(said -> !said.isEmpty()).flatMap(Ip::tryParse);
    if (field.present() && ip.filter(Ip::isUnspecified).isEmpty() && !isEmpty(field)) {
      field.unused("a node's addresses are what its object and the Fabric say");
    }
  }

  private static boolean isEmpty(Field field) {
    return field.tree().filter(t -> t instanceof Tree.Scalar s && s.text().isEmpty()).isPresent();
  }

  private static boolean masqueradeAll(Field root, Mode mode) {
    Field ofIptables = root.at("iptables").at("masqueradeAll");
    Field ofNftables = root.at("nftables").at("masqueradeAll");
    boolean nftables = mode == Mode.NFTABLES;
    boolean all = (nftables ? ofNftables : ofIptables).truth(false);
    Field other = nftables ? ofIptables : ofNftables;
    if (other.truth(false) && !all) {
      other.unused("the mode is another");
    }
    return all;
  }

  private static void localhost(Field field) {
    if (field.truth(false)) {
      field.unused(
          "a node port at 127.0.0.1 would be open to everyone on the node's subnet (CVE-2020-8558)");
    }
  }

  private static List<Prefix> podRanges(Field root) {
    Field mode = root.at("detectLocalMode");
    Optional<String> said = mode.text().filter(text -> !text.isEmpty());
    boolean byRange = said.isEmpty() || mode.oneOf(BY_RANGE).orElse(true);
    Field ranges = root.at("clusterCIDR");
    Optional<String> text = ranges.text().filter(found -> !found.isBlank());
    if (!byRange) {
      mode.unused("the ranges of pods are known from pools and nodes");
      text.ifPresent(_ -> ranges.unused("detectLocalMode says otherwise"));
      return List.of();
    }
    List<Prefix> found = new ArrayList<>();
    for (String range : text.map(all -> List.of(all.split(",", -1))).orElse(List.of())) {
      Optional<Prefix> prefix = NodePortRanges.masked(range);
      if (prefix.isEmpty()) {
        ranges.invalid(
            "'" + range.strip() + "' is not a CIDR.",
            "Write one range for each family, such as 10.244.0.0/16,fd00:10:244::/48.");
      }
      prefix.ifPresent(found::add);
    }
    return found;
  }

  private static Optional<Listen> listen(Field field, String example) {
    Optional<String> text = field.text().filter(said -> !said.isEmpty());
    if (text.isEmpty()) {
      return Optional.empty();
    }
    int colon = text.get().lastIndexOf(':');
    String host = colon < 0 ? "" : text.get().substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    }
    String port = text.get().substring(colon + 1);
    Optional<Ip> ip = Ip.tryParse(host);
    if (ip.isPresent() && port.matches("[0-9]{1,5}")) {
      int number = Integer.parseInt(port);
      if (number >= 1 && number <= 65535) {
        return Optional.of(new Listen(ip.get(), number));
      }
    }
    field.invalid(
        "'" + text.get() + "' is not an address and a port.", "Write them as " + example + ".");
    return Optional.empty();
  }

  /**
   * The time that the text here means, as Go writes it: {@code 24h0m0s}, {@code 500ms}.
   *
   * @param absent when there is none
   */
  static Duration time(Field field, Duration absent) {
    Optional<String> text = field.text();
    if (text.isEmpty()) {
      return absent;
    }
    Optional<Duration> time = GoDuration.tryParse(text.get());
    if (time.isEmpty()) {
      field.invalid(
          "'" + text.get() + "' is not a time of 0 or more.",
          "Write a time such as 30s or 24h0m0s.");
    }
    return time.orElse(absent);
  }
}
