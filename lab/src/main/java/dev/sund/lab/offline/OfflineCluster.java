package dev.sund.lab.offline;

import dev.sund.agent.trace.KnownCluster;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.ServicesInForce;
import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ClusterEvent.Attached;
import dev.sund.engine.cluster.ClusterEvent.FactsSeen;
import dev.sund.engine.cluster.ClusterEvent.NodeSeen;
import dev.sund.engine.cluster.ClusterEvent.PodSeen;
import dev.sund.engine.cluster.ClusterEvent.ServiceSeen;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.NodeFacts.Device;
import dev.sund.engine.cluster.NodeFacts.HostRoute;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.PathTracer;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Underlay;
import dev.sund.engine.trace.Underlay.Host;
import dev.sund.engine.trace.Underlay.Link;
import dev.sund.engine.trace.Underlay.Role;
import dev.sund.kube.manifest.Manifests;
import dev.sund.lab.scene.NodeUnderlay;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.SceneReader;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A cluster of which all is known that its agents are told, and the packet program of each node as
 * its agent would make it. A node's program is made when a packet comes by it for the first time.
 *
 * <p>For one thread.
 */
public final class OfflineCluster {
  private final FabricSettings fabric;
  private final Underlay underlay;
  private final List<String> assumptions;

  /** What every node is told, and what each is told besides. */
  private final List<ClusterEvent> common;

  private final Map<NodeName, List<ClusterEvent>> ofNodes;

  private final SortedMap<PodKey, Pod> pods = new TreeMap<>();
  private final SortedMap<ServiceKey, Service> services = new TreeMap<>();
  private final SortedMap<ObjectRef, Policy> policies = new TreeMap<>();
  private final SortedSet<NodeName> nodes = new TreeSet<>();
  private final List<Prefix> ranges = new ArrayList<>();
  private final Map<NodeName, PacketProgram> programs = new HashMap<>();

  private OfflineCluster(
      FabricSettings fabric,
      Underlay underlay,
      List<String> assumptions,
      List<ClusterEvent> common,
      Map<NodeName, List<ClusterEvent>> ofNodes) {
    this.fabric = fabric;
    this.underlay = underlay;
    this.assumptions = List.copyOf(assumptions);
    this.common = common;
    this.ofNodes = ofNodes;
    for (ClusterEvent event : common) {
      if (event instanceof PodSeen(Pod pod) && !pod.finished() && pod.node().isPresent()) {
        pods.put(pod.key(), pod);
      } else if (event instanceof ServiceSeen(Service service) && service.notServed().isEmpty()) {
        services.put(service.key(), service);
      } else if (event instanceof ClusterEvent.PolicySeen(Policy policy, _)) {
        policies.put(policy.ref(), policy);
      } else if (event instanceof NodeSeen(Node node)) {
        nodes.add(node.name());
        ranges.addAll(node.podCidrs());
      }
    }
  }

  /** The cluster of these manifests, with all pods attached. */
  public static OfflineCluster of(Manifests manifests) {
    Scene scene = SceneReader.read(manifests, OptionalInt.empty());
    Underlay underlay = new Underlay(scene.underlay().hosts(), true);
    List<ClusterEvent> common = new ArrayList<>();
    for (ClusterEvent event : manifests.events()) {
      // The scene has nodes and pods with all that the files left open.
      boolean completed = event instanceof NodeSeen || event instanceof PodSeen;
      if (!completed) {
        common.add(event);
      }
    }
    scene.nodes().forEach(node -> common.add(new NodeSeen(node.node())));
    scene.pods().forEach(pod -> common.add(new PodSeen(pod.pod())));
    ServicesInForce services = new ServicesInForce(scene.fabric().services());
    List<ClusterEvent> settings = new ArrayList<>(services.first());
    common.forEach(event -> settings.addAll(services.take(event)));
    common.addAll(settings);
    return new OfflineCluster(scene.fabric(), underlay, scene.invented(), common, Map.of());
  }

  /**
   * The cluster as the agent of one of its nodes knows it; what lies between the nodes is assumed.
   */
  public static OfflineCluster of(KnownCluster known) {
    List<Node> nodes = new ArrayList<>();
    List<Ip> taken = new ArrayList<>();
    for (ClusterEvent event : known.words().cluster()) {
      if (event instanceof NodeSeen(Node node)) {
        nodes.add(node);
      } else if (event instanceof PodSeen(Pod pod)) {
        taken.addAll(pod.ips());
      }
    }
    NodeFacts facts = NodeFacts.NONE;
    for (ClusterEvent event : known.words().node()) {
      if (event instanceof FactsSeen(NodeFacts seen)) {
        facts = seen;
      }
    }
    Underlay underlay = NodeUnderlay.of(known.node(), facts, nodes, taken);
    return of(
        known,
        underlay,
        List.of(
            "the network between the nodes, as "
                + known.node()
                + " sees it; other nodes' devices are like its own"));
  }

  /** As {@link #of(KnownCluster)}, with what lies between the nodes. */
  public static OfflineCluster of(KnownCluster known, Underlay underlay, List<String> assumptions) {
    return new OfflineCluster(
        known.fabric(),
        underlay,
        assumptions,
        known.words().cluster(),
        Map.of(known.node(), known.words().node()));
  }

  /** This cluster after a change of it. */
  public OfflineCluster with(List<ClusterEvent> change) {
    List<ClusterEvent> changed = new ArrayList<>(common);
    changed.addAll(change);
    return new OfflineCluster(fabric, underlay, assumptions, changed, ofNodes);
  }

  /**
   * This cluster with somebody outside who has this address, when nobody in the cluster and none of
   * its neighbours can have it.
   */
  public OfflineCluster withOutside(Ip ip) {
    Optional<Host> outside =
        underlay.hosts().stream()
            .filter(host -> host.name().equals(Scene.OUTSIDE))
            .filter(host -> host.links().getFirst().address(ip.family()).isPresent())
            .findFirst();
    if (outside.isEmpty() || isKnown(ip)) {
      return this;
    }
    Ip gate = outside.get().links().getFirst().address(ip.family()).orElseThrow();
    List<Host> hosts = new ArrayList<>();
    for (Host host : underlay.hosts()) {
      if (host.equals(outside.get())) {
        Link link = host.links().getFirst();
        List<InterfaceAddress> addresses = new ArrayList<>(link.addresses());
        addresses.add(new InterfaceAddress(ip, ip.family().bits()));
        hosts.add(
            new Host(
                host.name(),
                host.role(),
                List.of(
                    new Link(
                        link.device(),
                        link.segment(),
                        addresses,
                        link.mtu(),
                        link.takes(),
                        link.up()))));
      } else if (host.role() == Role.ROUTER) {
        List<Underlay.Via> routes = new ArrayList<>(host.routes());
        routes.add(new Underlay.Via(Prefix.host(ip), gate));
        hosts.add(new Host(host.name(), host.role(), host.links(), routes));
      } else {
        hosts.add(host);
      }
    }
    List<String> more = new ArrayList<>(assumptions);
    more.add(ip + " is somebody's outside of the cluster, behind the router");
    return new OfflineCluster(
        fabric, new Underlay(hosts, underlay.assumed()), more, common, ofNodes);
  }

  private boolean isKnown(Ip ip) {
    return ip.isLoopback()
        || ip.isLinkLocal()
        || ip.isMulticast()
        || pods.values().stream().anyMatch(pod -> pod.ips().contains(ip))
        || ranges.stream().anyMatch(range -> range.contains(ip))
        || services.values().stream().anyMatch(service -> isOf(service, ip))
        || underlay.hosts().stream()
            .flatMap(host -> host.links().stream())
            .flatMap(link -> link.addresses().stream())
            .anyMatch(address -> address.subnet().contains(ip))
        || (!nodes.isEmpty()
            && program(nodes.first()).masquerade().keySet().stream()
                .anyMatch(
                    key -> key.part() == Masquerade.Part.CLUSTER && key.range().contains(ip)));
  }

  private static boolean isOf(Service service, Ip ip) {
    return service.clusterIps().contains(ip)
        || service.externalIps().contains(ip)
        || service.loadBalancerIps().stream().anyMatch(one -> one.address().equals(ip));
  }

  /** What is known, or assumed, to lie between the nodes. */
  public Underlay underlay() {
    return underlay;
  }

  /** Those that run, by namespace and name. */
  public SortedMap<PodKey, Pod> pods() {
    return pods;
  }

  /** The Services that some proxy is to serve, by namespace and name. */
  public SortedMap<ServiceKey, Service> services() {
    return services;
  }

  /** The policies, by kind and name. */
  public SortedMap<ObjectRef, Policy> policies() {
    return policies;
  }

  /** What is not known and had to be assumed, one line each. */
  public List<String> assumptions() {
    return assumptions;
  }

  /** The program of a node. */
  public PacketProgram program(NodeName node) {
    PacketProgram made = programs.get(node);
    if (made == null) {
      boolean told = ofNodes.containsKey(node);
      ProgramCompiler compiler = new ProgramCompiler(node, told ? fabric : asTold(fabric));
      List<ClusterEvent> events = new ArrayList<>(common);
      events.addAll(told ? ofNodes.get(node) : assumed(node));
      compiler.apply(events);
      made = compiler.program();
      programs.put(node, made);
    }
    return made;
  }

  /** Nobody looks for addresses on other machines. */
  private static FabricSettings asTold(FabricSettings fabric) {
    AddressMethod told = new AddressMethod.AsAnnotated();
    return fabric.with(Map.of(Family.V4, told, Family.V6, told));
  }

  /** What becomes of a packet, whichever endpoints it gets, see {@link PathTracer#traces}. */
  public List<Trace> traces(Packet packet) {
    Set<NodeName> met = new HashSet<>(born(packet));
    while (true) {
      List<Trace> traces = tracer(met).traces(packet);
      if (!met.addAll(met(traces))) {
        return traces;
      }
    }
  }

  /** What becomes of a packet that gets these endpoints, see {@link PathTracer#trace}. */
  public Trace trace(Packet packet, List<Integer> slots) {
    Set<NodeName> met = new HashSet<>(born(packet));
    while (true) {
      Trace trace = tracer(met).trace(packet, slots);
      if (!met.addAll(met(List.of(trace)))) {
        return trace;
      }
    }
  }

  private List<NodeName> born(Packet packet) {
    return switch (packet.origin()) {
      case Packet.FromPod(PodKey key) ->
          Optional.ofNullable(pods.get(key)).flatMap(Pod::node).or(() -> attachedAt(key)).stream()
              .toList();
      case Packet.FromNode(NodeName name) -> List.of(name);
      case Packet.FromOutside _ -> List.of();
    };
  }

  /** The node that a pod has been attached to, of which the API server has told nothing yet. */
  public Optional<NodeName> attachedAt(PodKey pod) {
    for (Map.Entry<NodeName, List<ClusterEvent>> node : ofNodes.entrySet()) {
      for (ClusterEvent event : node.getValue()) {
        if (event instanceof Attached(Attachment attachment) && attachment.pod().equals(pod)) {
          return Optional.of(node.getKey());
        }
      }
    }
    return Optional.empty();
  }

  private List<NodeName> met(List<Trace> traces) {
    List<NodeName> met = new ArrayList<>();
    for (Trace trace : traces) {
      for (List<Trace.Hop> hops : List.of(trace.there(), trace.back())) {
        hops.stream()
            .map(hop -> new NodeName(hop.machine()))
            .filter(nodes::contains)
            .forEach(met::add);
      }
    }
    return met;
  }

  private PathTracer tracer(Collection<NodeName> met) {
    Map<NodeName, PacketProgram> those = new HashMap<>();
    met.forEach(node -> those.put(node, program(node)));
    return new PathTracer(those, underlay);
  }

  private List<ClusterEvent> assumed(NodeName node) {
    List<ClusterEvent> events = new ArrayList<>();
    for (Pod pod : pods.values()) {
      if (pod.node().equals(Optional.of(node)) && !pod.hostNetwork() && !pod.ips().isEmpty()) {
        events.add(new Attached(Attachment.assumed(pod)));
      }
    }
    underlay.host(node.text()).ifPresent(own -> events.add(new FactsSeen(facts(own))));
    return events;
  }

  /** A node's own devices and routes: its link, the subnets on it, and the router as gateway. */
  private NodeFacts facts(Host own) {
    List<Device> devices = new ArrayList<>();
    List<HostRoute> routes = new ArrayList<>();
    for (Link link : own.links()) {
      devices.add(new Device(link.device(), link.mtu(), link.up(), link.addresses()));
      for (InterfaceAddress address : link.addresses()) {
        routes.add(
            new HostRoute(
                address.subnet(), link.device(), Optional.empty(), Optional.of(address.ip()), 0));
        gateway(link, address)
            .ifPresent(router ->
                routes.add(
                    new HostRoute(
                        Prefix.all(router.family()),
                        link.device(),
                        Optional.of(router),
                        Optional.empty(),
                        0)));
      }
    }
    return new NodeFacts(devices, routes);
  }

  private Optional<Ip> gateway(Link link, InterfaceAddress address) {
    return underlay.hosts().stream()
        .filter(host -> host.role() == Role.ROUTER)
        .flatMap(host -> host.links().stream())
        .filter(other -> other.segment().equals(link.segment()))
        .flatMap(other -> other.addresses().stream())
        .map(InterfaceAddress::ip)
        .filter(address.subnet()::contains)
        .findFirst();
  }
}
