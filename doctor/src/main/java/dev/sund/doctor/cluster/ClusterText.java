package dev.sund.doctor.cluster;

import static dev.sund.doctor.cluster.ClusterObjects.items;
import static dev.sund.doctor.cluster.ClusterObjects.name;
import static dev.sund.doctor.cluster.ClusterObjects.namespace;
import static dev.sund.doctor.cluster.ClusterObjects.pairs;
import static dev.sund.doctor.cluster.ClusterObjects.text;
import static dev.sund.doctor.cluster.ClusterObjects.texts;

import dev.sund.doctor.LineText;
import dev.sund.doctor.cluster.ClusterObjects.Kind;
import dev.sund.engine.policy.audit.AuditFinding;
import dev.sund.engine.policy.audit.AuditReport;
import dev.sund.engine.policy.audit.Check;
import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes what checks ask of a cluster's objects:
 *
 * <pre>
 *   source=kubeconfig objects=512 time=1760000000
 *   unread=services why=...
 *   node=n1 addresses=192.168.0.11 links=192.168.0.11/24 ranges=10.0.0.0/24 pods=110 provider=
 *   range=10.96.0.0/12 of=services said=kube-apiserver
 *   pool=all kind=calico ranges=10.0.0.0/16 block=26 ipip=Always vxlan=Never nodes=all disabled=0 uses=
 *   pool=lan kind=metallb ranges=192.168.0.200-192.168.0.220 automatic=1 announced=l2
 *   giver=metallb classes= only=0
 *   service=shop/web type=LoadBalancer class= pending=1 addresses=10.96.0.10 selects=1 pods=3 ready=2 endpoints=2
 *   no-port=shop/web port=http pods=3
 *   late=shop/web pod=shop/web-1 seconds=40      stale=shop/web pod=shop/web-0
 *   dns-pod=kube-system/coredns-1 ready=1 node=n1 restarts=0
 *   dns-setting=shop/web-1 fault=ndots value=9
 *   open=shop direction=ingress text=...
 * </pre>
 */
final class ClusterText {
  private static final Pattern RANGES =
      Pattern.compile("--(service-cluster-ip-range|cluster-cidr)=(\\S+)");

  /** Of a pool of Calico's that says nothing of it: what pods have. */
  private static final String USUAL_USES = "Workload,Tunnel";

  /** glibc before 2.26 and musl look no further. */
  private static final int SEARCHED = 6;

  private static final int MOST_NDOTS = 5;

  private final ClusterObjects objects;
  private final LineText out = new LineText();
  private final long now;
  private final ClusterPods pods;

  private ClusterText(ClusterObjects objects, OptionalLong now) {
    this.objects = objects;
    this.now = now.orElseGet(() -> newest(objects));
    this.pods = new ClusterPods(objects.all(Kind.POD));
  }

  /**
   * The fact's text.
   *
   * @param source where they come from: {@code kubeconfig} or {@code files}
   * @param now seconds since 1970 when they were read; of files nobody knows, and the newest time
   *     that is written in them is taken
   */
  static String of(ClusterObjects objects, String source, OptionalLong now) {
    ClusterText text = new ClusterText(objects, now);
    int count = 0;
    for (Kind kind : Kind.values()) {
      count += objects.all(kind).size();
    }
    text.out.word("source", source).word("objects", count).word("time", text.now).end();
    objects
        .refused()
        .forEach((kind, why) -> text.out.word("unread", kind.plural()).word("why", why).end());
    text.nodes();
    text.ranges();
    text.pools();
    text.givers();
    text.services();
    text.dns();
    text.open();
    return text.out.toString();
  }

  private void nodes() {
    for (Tree.Mapping node : objects.all(Kind.NODE)) {
      List<String> addresses =
          items(node, "status", "addresses").stream()
              .filter(one -> text(one, "type").endsWith("IP"))
              .map(one -> text(one, "address"))
              .distinct()
              .toList();
      List<String> links = new ArrayList<>();
      pairs(node, "metadata", "annotations")
          .forEach((key, value) -> {
            if (key.matches("projectcalico\\.org/IPv[46]Address") && value.contains("/")) {
              links.add(value);
            }
          });
      List<String> ranges = texts(node, "spec", "podCIDRs");
      if (ranges.isEmpty() && !text(node, "spec", "podCIDR").isEmpty()) {
        ranges = List.of(text(node, "spec", "podCIDR"));
      }
      out.word("node", name(node))
          .list("addresses", addresses)
          .list("links", links)
          .list("ranges", ranges)
          .word("pods", number(text(node, "status", "allocatable", "pods")))
          .word("provider", text(node, "spec", "providerID").replaceFirst(":.*", ""))
          .end();
    }
  }

  private void ranges() {
    for (Tree.Mapping range : objects.all(Kind.SERVICE_RANGE)) {
      texts(range, "spec", "cidrs").forEach(one -> range(one, "services", "ServiceCIDR"));
    }
    Set<String> seen = new TreeSet<>();
    for (Tree.Mapping pod : objects.all(Kind.POD)) {
      String component = text(pod, "metadata", "labels", "component");
      if (!component.equals("kube-apiserver") && !component.equals("kube-controller-manager")) {
        continue;
      }
      for (Tree.Mapping container : items(pod, "spec", "containers")) {
        List<String> words = new ArrayList<>(texts(container, "command"));
        words.addAll(texts(container, "args"));
        Matcher found = RANGES.matcher(String.join(" ", words));
        while (found.find()) {
          String of = found.group(1).equals("cluster-cidr") ? "pods" : "services";
          for (String one : found.group(2).split(",")) {
            if (seen.add(of + " " + one)) {
              range(one, of, component);
            }
          }
        }
      }
    }
  }

  private void range(String range, String of, String said) {
    out.word("range", range).word("of", of).word("said", said).end();
  }

  private void pools() {
    for (Tree.Mapping pool : objects.all(Kind.CALICO_POOL)) {
      String cidr = text(pool, "spec", "cidr");
      String selector = text(pool, "spec", "nodeSelector");
      List<String> uses = texts(pool, "spec", "allowedUses");
      String block = text(pool, "spec", "blockSize");
      out.word("pool", name(pool))
          .word("kind", "calico")
          .word("ranges", cidr)
          .word("block", block.isEmpty() ? (cidr.contains(":") ? "122" : "26") : block)
          .word("ipip", or(text(pool, "spec", "ipipMode"), "Never"))
          .word("vxlan", or(text(pool, "spec", "vxlanMode"), "Never"))
          .word("nodes", selector.isEmpty() || selector.equals("all()") ? "all" : "some")
          .flag("disabled", text(pool, "spec", "disabled").equals("true"))
          .word("uses", uses.isEmpty() ? USUAL_USES : String.join(",", uses))
          .end();
    }
    for (Tree.Mapping pool : objects.all(Kind.METALLB_POOL)) {
      Set<String> announced = new TreeSet<>();
      announced.addAll(announced(pool, Kind.METALLB_L2, "l2"));
      announced.addAll(announced(pool, Kind.METALLB_BGP, "bgp"));
      out.word("pool", name(pool))
          .word("kind", "metallb")
          .list("ranges", spans(texts(pool, "spec", "addresses")))
          .flag("automatic", !text(pool, "spec", "autoAssign").equals("false"))
          .list("announced", announced)
          .end();
    }
    for (Tree.Mapping pool : objects.all(Kind.CILIUM_POOL)) {
      List<String> ranges = new ArrayList<>();
      for (String key : List.of("blocks", "cidrs")) {
        for (Tree.Mapping block : items(pool, "spec", key)) {
          String cidr = text(block, "cidr");
          ranges.add(cidr.isEmpty() ? text(block, "start") + "-" + text(block, "stop") : cidr);
        }
      }
      out.word("pool", name(pool))
          .word("kind", "cilium")
          .list("ranges", ranges)
          .flag("disabled", text(pool, "spec", "disabled").equals("true"))
          .flag("automatic", true)
          .end();
    }
  }

  private static List<String> spans(List<String> ranges) {
    return ranges.stream().map(one -> one.replaceAll("\\s", "")).toList();
  }

  /** How MetalLB makes a pool's addresses known; an advertisement without pools is for all. */
  private Set<String> announced(Tree.Mapping pool, Kind kind, String word) {
    Map<String, String> labels = pairs(pool, "metadata", "labels");
    for (Tree.Mapping one : objects.all(kind)) {
      List<String> pools = texts(one, "spec", "ipAddressPools");
      List<Tree.Mapping> selectors = items(one, "spec", "ipAddressPoolSelectors");
      boolean chosen =
          selectors.stream()
              .map(selector -> pairs(selector, "matchLabels"))
              .anyMatch(wanted -> labels.entrySet().containsAll(wanted.entrySet()));
      if ((pools.isEmpty() && selectors.isEmpty())
          || pools.contains(text(pool, "metadata", "name"))
          || chosen) {
        return Set.of(word);
      }
    }
    return Set.of();
  }

  private void givers() {
    for (Givers.Giver giver : Givers.of(objects)) {
      out.word("giver", giver.name())
          .list("classes", giver.classes())
          .flag("only", giver.only())
          .end();
    }
  }

  private void services() {
    Map<String, List<Tree.Mapping>> slices = new TreeMap<>();
    for (Tree.Mapping slice : objects.all(Kind.SLICE)) {
      String service = text(slice, "metadata", "labels", "kubernetes.io/service-name");
      slices
          .computeIfAbsent(namespace(name(slice)) + "/" + service, _ -> new ArrayList<>())
          .add(slice);
    }
    for (Tree.Mapping service : objects.all(Kind.SERVICE)) {
      service(service, slices.getOrDefault(name(service), List.of()));
    }
  }

  private void service(Tree.Mapping service, List<Tree.Mapping> slices) {
    String name = name(service);
    Map<String, String> selector = pairs(service, "spec", "selector");
    String type = or(text(service, "spec", "type"), "ClusterIP");
    boolean selects = !selector.isEmpty() && !type.equals("ExternalName");
    List<ClusterPods.One> chosen = selects ? pods.chosen(namespace(name), selector) : List.of();
    Endpoints endpoints = Endpoints.of(slices);
    List<String> addresses = new ArrayList<>(texts(service, "spec", "clusterIPs"));
    if (addresses.isEmpty() && !text(service, "spec", "clusterIP").isEmpty()) {
      addresses.add(text(service, "spec", "clusterIP"));
    }
    addresses.remove("None");
    out.word("service", name)
        .word("type", type)
        .word("class", text(service, "spec", "loadBalancerClass"))
        .flag(
            "pending",
            type.equals("LoadBalancer")
                && items(service, "status", "loadBalancer", "ingress").isEmpty())
        .list("addresses", addresses)
        .flag("selects", selects)
        .word("pods", chosen.size())
        .word("ready", chosen.stream().filter(pod -> pod.readySince().isPresent()).count())
        .word("endpoints", endpoints.ready().size())
        .word("slices", slices.size())
        .flag("dns", isDns(service, name))
        .list(
            "ports",
            items(service, "spec", "ports").stream()
                .map(port -> or(text(port, "protocol"), "TCP") + ":" + text(port, "port"))
                .toList())
        .end();
    for (Tree.Mapping port : items(service, "spec", "ports")) {
      String target = text(port, "targetPort");
      if (!target.isEmpty() && !target.matches("\\d+")) {
        long without = chosen.stream().filter(pod -> !pod.ports().contains(target)).count();
        if (without > 0) {
          out.word("no-port", name).word("port", target).word("pods", without).end();
        }
      }
    }
    if (selects && !text(service, "spec", "publishNotReadyAddresses").equals("true")) {
      late(name, chosen, endpoints);
    }
  }

  private static boolean isDns(Tree.Mapping service, String name) {
    return name.equals("kube-system/kube-dns")
        || text(service, "metadata", "labels", "k8s-app").equals("kube-dns");
  }

  private void late(String service, List<ClusterPods.One> chosen, Endpoints endpoints) {
    for (ClusterPods.One pod : chosen) {
      if (pod.readySince().isPresent() && !endpoints.ready().contains(pod.name())) {
        out.word("late", service)
            .word("pod", pod.name())
            .word("seconds", Math.max(0, now - pod.readySince().getAsLong()))
            .end();
      }
    }
    for (String pod : endpoints.ready()) {
      if (pod.contains("/") && !pods.has(pod) && !pods.isEmpty()) {
        out.word("stale", service).word("pod", pod).end();
      }
    }
  }

  private void dns() {
    Set<String> of = new TreeSet<>();
    for (Tree.Mapping pod : objects.all(Kind.POD)) {
      if (text(pod, "metadata", "labels", "k8s-app").equals("kube-dns") && of.add(name(pod))) {
        long restarts =
            items(pod, "status", "containerStatuses").stream()
                .mapToLong(one -> number(text(one, "restartCount")))
                .sum();
        out.word("dns-pod", name(pod))
            .flag("ready", ClusterPods.readySince(pod).isPresent())
            .word("node", text(pod, "spec", "nodeName"))
            .word("restarts", restarts)
            .end();
      }
      setting(pod);
    }
  }

  private void setting(Tree.Mapping pod) {
    for (Tree.Mapping option : items(pod, "spec", "dnsConfig", "options")) {
      if (text(option, "name").equals("ndots") && number(text(option, "value")) > MOST_NDOTS) {
        out.word("dns-setting", name(pod))
            .word("fault", "ndots")
            .word("value", text(option, "value"))
            .end();
      }
    }
    // The kubelet puts three domains of the cluster before them.
    int own = text(pod, "spec", "dnsPolicy").matches("None|Default") ? 0 : 3;
    int searched = own + texts(pod, "spec", "dnsConfig", "searches").size();
    if (searched > SEARCHED) {
      out.word("dns-setting", name(pod)).word("fault", "search").word("value", searched).end();
    }
  }

  /** Namespaces without a default deny, as the audit finds them. */
  private void open() {
    for (AuditFinding finding : AuditReport.of(objects.scene().scene()).findings()) {
      if (finding.check() == Check.NO_DEFAULT_DENY_INGRESS
          || finding.check() == Check.NO_DEFAULT_DENY_EGRESS) {
        out.word("open", finding.object().name())
            .word(
                "direction",
                finding.check() == Check.NO_DEFAULT_DENY_INGRESS ? "ingress" : "egress")
            .word("text", finding.text())
            .end();
      }
    }
  }

  private static String or(String text, String otherwise) {
    return text.isEmpty() ? otherwise : text;
  }

  private static long number(String text) {
    return text.matches("\\d{1,15}") ? Long.parseLong(text) : 0;
  }

  /** The newest time that pods and nodes tell. */
  private static long newest(ClusterObjects objects) {
    long newest = 0;
    for (Kind kind : List.of(Kind.POD, Kind.NODE)) {
      for (Tree.Mapping object : objects.all(kind)) {
        newest =
            Math.max(
                newest,
                ClusterPods.seconds(text(object, "metadata", "creationTimestamp")).orElse(0L));
        for (Tree.Mapping one : items(object, "status", "conditions")) {
          for (String key : List.of("lastTransitionTime", "lastHeartbeatTime")) {
            newest = Math.max(newest, ClusterPods.seconds(text(one, key)).orElse(0L));
          }
        }
      }
    }
    return newest;
  }

  /**
   * What a Service's slices hold.
   *
   * @param ready the pods that are ready, by their names; others by their addresses
   */
  private record Endpoints(Set<String> ready) {
    static Endpoints of(List<Tree.Mapping> slices) {
      Set<String> ready = new TreeSet<>();
      for (Tree.Mapping slice : slices) {
        for (Tree.Mapping one : items(slice, "endpoints")) {
          if (!text(one, "conditions", "ready").equals("false")) {
            List<String> addresses = texts(one, "addresses");
            ready.add(
                text(one, "targetRef", "kind").equals("Pod")
                    ? namespace(name(slice)) + "/" + text(one, "targetRef", "name")
                    : addresses.isEmpty() ? "" : addresses.getFirst());
          }
        }
      }
      ready.remove("");
      return new Endpoints(ready);
    }
  }
}
