package dev.sund.lab.offline;

import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.ServicesInForce;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ClusterEvent.Attached;
import dev.sund.engine.cluster.ClusterEvent.FactsSeen;
import dev.sund.engine.cluster.ClusterEvent.NodeSeen;
import dev.sund.engine.cluster.ClusterEvent.PodSeen;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.NodeFacts.Device;
import dev.sund.engine.cluster.NodeFacts.HostRoute;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.trace.PathTracer;
import dev.sund.engine.trace.Underlay;
import dev.sund.engine.trace.Underlay.Host;
import dev.sund.engine.trace.Underlay.Role;
import dev.sund.kube.manifest.Manifests;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.SceneReader;
import dev.sund.model.Condition;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Every node's packet program, as its agent would make it of these manifests with all pods
 * attached.
 *
 * @param programs by node
 * @param underlay what is assumed to lie between the nodes
 * @param pods those that run, by namespace and name
 * @param services the Services that some proxy is to serve, by namespace and name
 * @param assumptions what the files left open, one line each
 * @param conditions what the compilers have to say of the objects
 */
public record OfflineCluster(
    SortedMap<NodeName, PacketProgram> programs,
    Underlay underlay,
    SortedMap<PodKey, Pod> pods,
    SortedMap<ServiceKey, Service> services,
    List<String> assumptions,
    SortedSet<Condition> conditions) {

  /** Compiles the manifests. */
  public static OfflineCluster of(Manifests manifests) {
    Scene scene = SceneReader.read(manifests, OptionalInt.empty());
    Underlay underlay = new Underlay(scene.underlay().hosts(), true);
    SortedMap<PodKey, Pod> pods = new TreeMap<>();
    scene.pods().forEach(pod -> pods.put(pod.pod().key(), pod.pod()));
    SortedMap<NodeName, PacketProgram> programs = new TreeMap<>();
    SortedSet<Condition> conditions = new TreeSet<>();
    for (Scene.SceneNode node : scene.nodes()) {
      ProgramCompiler compiler = new ProgramCompiler(node.name(), scene.fabric());
      conditions.addAll(
          compiler.apply(events(node.name(), manifests, scene, underlay)).conditions());
      programs.put(node.name(), compiler.program());
    }
    SortedMap<ServiceKey, Service> services = new TreeMap<>();
    for (ClusterEvent event : manifests.events()) {
      if (event instanceof ClusterEvent.ServiceSeen(Service service)
          && service.notServed().isEmpty()) {
        services.put(service.key(), service);
      }
    }
    return new OfflineCluster(programs, underlay, pods, services, scene.invented(), conditions);
  }

  private static List<ClusterEvent> events(
      NodeName self, Manifests manifests, Scene scene, Underlay underlay) {
    List<ClusterEvent> events = new ArrayList<>();
    for (ClusterEvent event : manifests.events()) {
      // The scene has nodes and pods with all that the files left open.
      boolean completed = event instanceof NodeSeen || event instanceof PodSeen;
      if (!completed) {
        events.add(event);
      }
    }
    scene.nodes().forEach(node -> events.add(new NodeSeen(node.node())));
    scene.pods().forEach(pod -> events.add(new PodSeen(pod.pod())));
    scene.pods().stream()
        .filter(pod -> pod.node().equals(self) && !pod.pod().hostNetwork())
        .forEach(pod -> events.add(new Attached(Attachment.assumed(pod.pod()))));
    events.add(new FactsSeen(facts(self, underlay)));
    ServicesInForce services = new ServicesInForce(scene.fabric().services());
    List<ClusterEvent> settings = new ArrayList<>(services.first());
    events.forEach(event -> settings.addAll(services.take(event)));
    events.addAll(settings);
    return events;
  }

  /** A node's own devices and routes: its link, the subnets on it, and the router as gateway. */
  private static NodeFacts facts(NodeName self, Underlay underlay) {
    Host own = underlay.host(self.text()).orElseThrow();
    List<Device> devices = new ArrayList<>();
    List<HostRoute> routes = new ArrayList<>();
    for (Underlay.Link link : own.links()) {
      devices.add(new Device(link.device(), link.mtu(), link.up(), link.addresses()));
      for (InterfaceAddress address : link.addresses()) {
        routes.add(
            new HostRoute(
                address.subnet(), link.device(), Optional.empty(), Optional.of(address.ip()), 0));
        gateway(link, address, underlay)
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

  private static Optional<Ip> gateway(
      Underlay.Link link, InterfaceAddress address, Underlay underlay) {
    Stream<Underlay.Link> routers =
        underlay.hosts().stream()
            .filter(host -> host.role() == Role.ROUTER)
            .flatMap(host -> host.links().stream());
    return routers
        .filter(other -> other.segment().equals(link.segment()))
        .flatMap(other -> other.addresses().stream())
        .map(InterfaceAddress::ip)
        .filter(address.subnet()::contains)
        .findFirst();
  }

  /** A tracer over all of it. */
  public PathTracer tracer() {
    return new PathTracer(Map.copyOf(programs), underlay);
  }
}
