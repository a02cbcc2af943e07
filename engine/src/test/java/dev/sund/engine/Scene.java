package dev.sund.engine;

import dev.sund.engine.cluster.AddressBlock;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.IpPool.VxlanMode;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.NodeFacts.Device;
import dev.sund.engine.cluster.NodeFacts.HostRoute;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.trace.Underlay;
import dev.sund.engine.trace.Underlay.Host;
import dev.sund.engine.trace.Underlay.Link;
import dev.sund.engine.trace.Underlay.Role;
import dev.sund.model.Condition;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.LabelExpression;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * A cluster in a few words: nodes on segments with a router between them, pods, pools. Segment
 * {@code a} is 192.168.1.0/24 and 2001:db8:1::/64, {@code b} is 192.168.2.0/24 and 2001:db8:2::/64,
 * and so on; {@code .1} is the router; node {@code n3} is {@code .13} wherever it is and has pod
 * ranges 10.244.3.0/24 and fd00:3::/64.
 */
public final class Scene {
  private final Map<String, Node> nodes = new TreeMap<>();
  private final Map<String, String> segmentOf = new TreeMap<>();
  private final Map<PodKey, Pod> pods = new TreeMap<>();
  private final List<IpPool> pools = new ArrayList<>();
  private final List<AddressBlock> blocks = new ArrayList<>();
  private final List<ClusterEvent> services = new ArrayList<>();
  private final Map<String, List<Ip>> tunnels = new TreeMap<>();
  private final Map<String, Integer> mtuOf = new TreeMap<>();
  private final List<String> down = new ArrayList<>();
  private FabricSettings settings = FabricSettings.DEFAULT;

  /** Nodes n1 and n2 on segment a, n3 behind the router on segment b, a host outside on c. */
  public static Scene ofThreeNodes() {
    return new Scene().node("n1", "a").node("n2", "a").node("n3", "b");
  }

  /** A node of both families. */
  public Scene node(String name, String segment) {
    int number = Integer.parseInt(name.substring(1));
    segmentOf.put(name, segment);
    nodes.put(
        name,
        new Node(
            new NodeName(name),
            "uid-" + name,
            number,
            addresses(segment, 10 + number).stream().map(InterfaceAddress::ip).toList(),
            List.of(
                Prefix.parse("10.244." + number + ".0/24"),
                Prefix.parse("fd00:" + number + "::/64"))));
    return this;
  }

  /** Another version of a node; where it stands stays. */
  public Scene node(Node node) {
    nodes.put(node.name().text(), node);
    return this;
  }

  /** The node of this name. */
  public Node node(String name) {
    return nodes.get(name);
  }

  /** A pod with these addresses. */
  public Scene pod(String key, String node, String... ips) {
    PodKey name = PodKey.parse(key);
    pods.put(
        name,
        new Pod(
            name,
            "uid-" + name.name(),
            100 + pods.size(),
            Optional.of(new NodeName(node)),
            false,
            false,
            Stream.of(ips).map(Ip::parse).toList(),
            List.of()));
    return this;
  }

  /** A Service with its endpoints. */
  public Scene service(ServiceSketch service) {
    services.addAll(service.events());
    return this;
  }

  /** How every node serves Services. */
  public Scene services(ServiceSettings how) {
    services.add(new ClusterEvent.ServicesSet(how));
    return this;
  }

  /** A label of a node. */
  public Scene label(String node, String label, String value) {
    Node was = node(node);
    return node(
        new Node(
            was.name(),
            was.uid(),
            was.created(),
            was.addresses(),
            was.podCidrs(),
            Map.of(label, value)));
  }

  /** A port of a pod at its node. */
  public Scene hostPort(String key, PortMapping mapping) {
    pods.computeIfPresent(
        PodKey.parse(key),
        (name, pod) ->
            new Pod(
                name,
                pod.uid(),
                pod.created(),
                pod.node(),
                pod.hostNetwork(),
                pod.finished(),
                pod.ips(),
                pod.ports(),
                Stream.concat(pod.hostPorts().stream(), Stream.of(mapping)).toList()));
    return this;
  }

  /** A pool whose packets are wrapped in IPIP. */
  public Scene ipip(String name, String cidr, IpPool.IpipMode mode) {
    Prefix range = Prefix.parse(cidr);
    pools.add(
        new IpPool(
            name,
            "uid-" + name,
            pools.size(),
            range,
            VxlanMode.NEVER,
            mode,
            true,
            false,
            IpPool.usualBlock(range.family()),
            LabelExpression.ALL,
            LabelExpression.ALL,
            IpPool.USUAL,
            true));
    return this;
  }

  /** A pool. */
  public Scene pool(String name, String cidr, VxlanMode mode, boolean natOutgoing) {
    pools.add(
        new IpPool(
            name, "uid-" + name, pools.size(), Prefix.parse(cidr), mode, natOutgoing, false));
    return this;
  }

  /**
   * A block of a pool.
   *
   * @param node to which it is routed, empty for none
   * @param borrowed such as {@code n2:10.1.0.5}
   */
  public Scene block(String cidr, String node, String... borrowed) {
    NavigableMap<NodeName, List<Ip>> borrowers = new TreeMap<>();
    for (String one : borrowed) {
      NodeName name = new NodeName(one.substring(0, one.indexOf(':')));
      borrowers
          .computeIfAbsent(name, _ -> new ArrayList<>())
          .add(Ip.parse(one.substring(one.indexOf(':') + 1)));
    }
    blocks.add(
        new AddressBlock(
            cidr.replace(':', '-'),
            "uid-" + cidr.replace(':', '-'),
            "pool",
            Prefix.parse(cidr),
            Optional.of(node).filter(name -> !name.isEmpty()).map(NodeName::new),
            borrowers));
    return this;
  }

  /** A node without pod ranges, as there are where addresses come from pools. */
  public Scene withoutRanges(String name) {
    Node node = node(name);
    return node(new Node(node.name(), node.uid(), node.created(), node.addresses(), List.of()));
  }

  /** Addresses that a node has taken from the pools for its tunnels. */
  public Scene tunnels(String node, String... ips) {
    tunnels.put(node, Stream.of(ips).map(Ip::parse).toList());
    return this;
  }

  /** Other settings of the fabric. */
  public Scene settings(FabricSettings other) {
    settings = other;
    return this;
  }

  /** Another MTU of a host's link to a segment, such as {@code n1/a} or {@code router/b}. */
  public Scene mtu(String link, int mtu) {
    mtuOf.put(link, mtu);
    return this;
  }

  /** A link that is down, such as {@code n3/b}. */
  public Scene cut(String link) {
    down.add(link);
    return this;
  }

  /** What the cluster's API tells, and a node's own kernel and runtime. */
  public List<ClusterEvent> events(String node) {
    List<ClusterEvent> events = new ArrayList<>();
    nodes.values().forEach(one -> events.add(new ClusterEvent.NodeSeen(one)));
    pools.forEach(pool -> events.add(new ClusterEvent.PoolSeen(pool)));
    blocks.forEach(block -> events.add(new ClusterEvent.BlockSeen(block)));
    events.add(new ClusterEvent.TunnelsAddressed(tunnels.getOrDefault(node, List.of())));
    pods.values().forEach(pod -> events.add(new ClusterEvent.PodSeen(pod)));
    pods.values().stream()
        .filter(pod -> pod.node().equals(Optional.of(new NodeName(node))))
        .forEach(pod -> events.add(new ClusterEvent.Attached(attachment(pod))));
    events.addAll(services);
    events.add(new ClusterEvent.FactsSeen(facts(node)));
    events.add(new ClusterEvent.Synced());
    return events;
  }

  /** A pod's attachment to its node. */
  public static Attachment attachment(Pod pod) {
    return new Attachment(
        "container-" + pod.key().name(), "eth0", "/run/netns/x", pod.key(), pod.uid(), pod.ips());
  }

  /** The program of a node. */
  public PacketProgram program(String node) {
    ProgramCompiler compiler = compiler(node);
    compiler.apply(events(node));
    return compiler.program();
  }

  /** What is wrong, as a node sees it. */
  public List<Condition> conditions(String node) {
    return compiler(node).apply(events(node)).conditions();
  }

  /** A fresh compiler for a node. */
  public ProgramCompiler compiler(String node) {
    return new ProgramCompiler(new NodeName(node), settings);
  }

  /** The programs of all nodes. */
  public Map<NodeName, PacketProgram> programs() {
    Map<NodeName, PacketProgram> programs = new TreeMap<>();
    nodes.keySet().forEach(name -> programs.put(new NodeName(name), program(name)));
    return programs;
  }

  /** What a node's kernel has without us. */
  public NodeFacts facts(String node) {
    String segment = segmentOf.get(node);
    List<InterfaceAddress> own = addresses(segment, 10 + number(node));
    List<HostRoute> routes = new ArrayList<>();
    for (InterfaceAddress address : own) {
      routes.add(new HostRoute(address.subnet(), "eth0", Optional.empty(), Optional.empty(), 0));
    }
    for (InterfaceAddress gateway : addresses(segment, 1)) {
      routes.add(
          new HostRoute(
              Prefix.all(gateway.ip().family()),
              "eth0",
              Optional.of(gateway.ip()),
              Optional.empty(),
              0));
    }
    return new NodeFacts(
        List.of(new Device("eth0", mtuOf.getOrDefault(node + "/" + segment, 1500), true, own)),
        routes);
  }

  /** The network between the nodes. */
  public Underlay underlay() {
    List<Host> hosts = new ArrayList<>();
    nodes
        .keySet()
        .forEach(name ->
            hosts.add(
                new Host(
                    name,
                    Role.NODE,
                    List.of(link(name, "eth0", segmentOf.get(name), 10 + number(name))))));
    hosts.add(
        new Host(
            "router",
            Role.ROUTER,
            List.of(
                link("router", "to-a", "a", 1),
                link("router", "to-b", "b", 1),
                link("router", "to-c", "c", 1))));
    hosts.add(new Host("outside", Role.OUTSIDE, List.of(link("outside", "eth0", "c", 99))));
    return new Underlay(hosts, false);
  }

  private Link link(String host, String device, String segment, int number) {
    String name = host + "/" + segment;
    int mtu = mtuOf.getOrDefault(name, 1500);
    return new Link(
        device,
        segment,
        addresses(segment, number),
        mtu,
        mtu + Link.VLAN_ROOM,
        !down.contains(name));
  }

  private static List<InterfaceAddress> addresses(String segment, int number) {
    int subnet = segment.charAt(0) - 'a' + 1;
    return List.of(
        InterfaceAddress.parse("192.168." + subnet + "." + number + "/24"),
        InterfaceAddress.parse("2001:db8:" + subnet + "::" + number + "/64"));
  }

  /** The events of a cluster of {@code count} IPv4 nodes, every second behind the router. */
  public static List<ClusterEvent> large(int count) {
    List<ClusterEvent> events = new ArrayList<>();
    for (int i = 1; i <= count; i++) {
      events.add(new ClusterEvent.NodeSeen(numbered(i)));
    }
    events.add(
        new ClusterEvent.FactsSeen(
            new NodeFacts(
                List.of(
                    new Device(
                        "eth0",
                        1500,
                        true,
                        List.of(new InterfaceAddress(numbered(1).addresses().getFirst(), 16)))),
                List.of())));
    events.add(new ClusterEvent.Synced());
    return events;
  }

  /** Node number {@code i} of a large cluster. */
  public static Node numbered(int i) {
    Ip address = Ip.parse(i % 2 == 1 ? "172.16.0.0" : "172.17.0.0").plus(i);
    return new Node(
        new NodeName("n" + i),
        "uid-n" + i,
        i,
        List.of(address),
        List.of(new Prefix(Ip.parse("10.0.0.0").plus(256L * i), 24)));
  }

  private static int number(String node) {
    return Integer.parseInt(node.substring(1));
  }
}
