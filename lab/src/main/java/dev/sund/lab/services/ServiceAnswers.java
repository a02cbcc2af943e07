package dev.sund.lab.services;

import dev.sund.kube.tree.Tree;
import dev.sund.lab.scene.Ranges;
import dev.sund.lab.scene.Trees;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What an API server writes into a Service that leaves it open: cluster addresses, node ports; and
 * what a balancer writes into its status. What is given stays, and nobody else gets it.
 */
final class ServiceAnswers {
  private static final Map<Family, Prefix> CLUSTER =
      Map.of(Family.V4, Prefix.parse("10.96.0.0/16"), Family.V6, Prefix.parse("fd00:10:96::/112"));
  private static final Map<Family, Prefix> BALANCER =
      Map.of(Family.V4, Prefix.parse("198.51.100.0/24"), Family.V6, Prefix.parse("fd00:1b::/64"));
  private static final int FIRST_NODE_PORT = 30_000;
  private static final int LAST_NODE_PORT = 32_767;

  /** The first addresses are for what a cluster has by itself. */
  private static final int FIRST_ADDRESS = 10;

  private final Ranges addresses = new Ranges();
  private final Set<Integer> nodePorts = new HashSet<>();
  private final Map<Family, Prefix> cluster;
  private final List<Family> families;

  private ServiceAnswers(Map<Family, Prefix> cluster, List<Family> families) {
    this.cluster = cluster;
    this.families = families;
  }

  /**
   * The same Services with all that was left open.
   *
   * @param services all of the cluster
   * @param cidrs the ranges of cluster addresses that the cluster's objects state, if any
   * @param families of the nodes, the first is that of Services that ask for one
   */
  static List<Tree.Mapping> complete(
      List<Tree.Mapping> services, List<Prefix> cidrs, List<Family> families) {
    Map<Family, Prefix> cluster = new EnumMap<>(CLUSTER);
    cidrs.forEach(cidr -> cluster.put(cidr.family(), cidr));
    ServiceAnswers answers = new ServiceAnswers(cluster, families);
    services.forEach(answers::takeGiven);
    return services.stream().map(answers::complete).toList();
  }

  private void takeGiven(Tree.Mapping service) {
    Tree.Mapping spec = Trees.child(service, "spec");
    clusterIps(spec).forEach(addresses::take);
    ingress(service).forEach(addresses::take);
    for (Tree port : Trees.items(spec, "ports")) {
      if (port instanceof Tree.Mapping mapping) {
        number(mapping, "nodePort").ifPresent(nodePorts::add);
      }
    }
    number(spec, "healthCheckNodePort").ifPresent(nodePorts::add);
  }

  private Tree.Mapping complete(Tree.Mapping service) {
    Tree.Mapping spec = Trees.child(service, "spec");
    String type = spec.text("type").orElse("ClusterIP");
    if (type.equals("ExternalName") || spec.text("clusterIP").orElse("").equals("None")) {
      return service;
    }
    spec = withClusterIps(spec);
    boolean balanced = type.equals("LoadBalancer");
    if (balanced || type.equals("NodePort")) {
      spec = withNodePorts(spec, balanced);
    }
    Tree.Mapping completed = service.with("spec", spec);
    return balanced && ingress(service).isEmpty() ? withIngress(completed, spec) : completed;
  }

  private Tree.Mapping withClusterIps(Tree.Mapping spec) {
    List<Ip> ips = new ArrayList<>(clusterIps(spec));
    for (Family family : wanted(spec, ips)) {
      if (ips.stream().noneMatch(ip -> ip.family() == family)) {
        ips.add(addresses.address(Objects.requireNonNull(cluster.get(family)), FIRST_ADDRESS));
      }
    }
    return spec.with("clusterIP", Tree.Scalar.text(ips.getFirst().toString()))
        .with("clusterIPs", Trees.texts(ips))
        .with(
            "ipFamilies",
            Trees.texts(
                ips.stream().map(ip -> ip.family() == Family.V4 ? "IPv4" : "IPv6").toList()));
  }

  private List<Family> wanted(Tree.Mapping spec, List<Ip> given) {
    List<Family> stated =
        Trees.texts(spec, "ipFamilies").stream()
            .map(text -> text.equals("IPv6") ? Family.V6 : Family.V4)
            .toList();
    String policy = spec.text("ipFamilyPolicy").orElse("SingleStack");
    if (!stated.isEmpty() && policy.equals("SingleStack")) {
      return stated;
    }
    if (!policy.equals("SingleStack")) {
      return families;
    }
    return given.isEmpty() ? families.subList(0, 1) : List.of();
  }

  private Tree.Mapping withNodePorts(Tree.Mapping spec, boolean balanced) {
    boolean none =
        balanced && spec.text("allocateLoadBalancerNodePorts").orElse("true").equals("false");
    List<Tree> ports = new ArrayList<>();
    for (Tree port : Trees.items(spec, "ports")) {
      ports.add(
          port instanceof Tree.Mapping mapping && number(mapping, "nodePort").isEmpty() && !none
              ? mapping.with("nodePort", Tree.Scalar.plain(freeNodePort()))
              : port);
    }
    Tree.Mapping completed = spec.with("ports", Tree.Sequence.of(ports));
    boolean checked =
        balanced && spec.text("externalTrafficPolicy").orElse("Cluster").equals("Local");
    return checked && number(spec, "healthCheckNodePort").isEmpty()
        ? completed.with("healthCheckNodePort", Tree.Scalar.plain(freeNodePort()))
        : completed;
  }

  private Tree.Mapping withIngress(Tree.Mapping service, Tree.Mapping spec) {
    List<Ip> ips =
        clusterIps(spec).stream()
            .map(ip ->
                addresses.address(Objects.requireNonNull(BALANCER.get(ip.family())), FIRST_ADDRESS))
            .toList();
    Tree.Mapping balancer = Tree.Mapping.of(Map.of("ingress", Trees.ips(ips)));
    return service.with("status", Trees.child(service, "status").with("loadBalancer", balancer));
  }

  private int freeNodePort() {
    for (int port = FIRST_NODE_PORT; port <= LAST_NODE_PORT; port++) {
      if (nodePorts.add(port)) {
        return port;
      }
    }
    throw new IllegalArgumentException("there is no free node port");
  }

  /** The cluster addresses that a Service has. */
  static List<Ip> clusterIps(Tree.Mapping spec) {
    List<String> texts = new ArrayList<>(Trees.texts(spec, "clusterIPs"));
    if (texts.isEmpty()) {
      spec.text("clusterIP").ifPresent(texts::add);
    }
    return texts.stream().flatMap(text -> Ip.tryParse(text).stream()).toList();
  }

  private static List<Ip> ingress(Tree.Mapping service) {
    Tree.Mapping balancer = Trees.child(Trees.child(service, "status"), "loadBalancer");
    return Trees.texts(balancer, "ingress", "ip").stream()
        .flatMap(text -> Ip.tryParse(text).stream())
        .toList();
  }

  static Optional<Integer> number(Tree.Mapping of, String key) {
    return of.text(key)
        .filter(text -> text.matches("[0-9]{1,5}"))
        .map(Integer::parseInt)
        .filter(number -> number > 0);
  }
}
