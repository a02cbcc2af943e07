package dev.sund.it.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.PathTracer;
import dev.sund.engine.trace.Trace;
import dev.sund.engine.trace.Trace.AtHost;
import dev.sund.engine.trace.Trace.AtNode;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.engine.trace.Underlay.Via;
import dev.sund.kernel.NetNs;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.ManifestObject;
import dev.sund.kube.manifest.Manifests;
import dev.sund.lab.predict.Choices;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.lab.scene.SceneReader;
import dev.sund.lab.topology.Topology;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Two nodes with two pods each ({@code a} and {@code b} on n1, {@code c} and {@code d} on n2), a
 * router and a host outside; Services come and go as manifests. Every question is put twice: to the
 * kernels by sockets, and to the tracer; the two must agree, or the question fails. Only {@link
 * #packets} asks nobody but the kernels.
 *
 * <p>Pods answer at {@link #PORTS}. The router sends packets for 10.96.0.0/16, 198.51.100.0/24 and
 * their like of IPv6 to n1, and for 198.51.101.0/24 to n2.
 */
final class ServiceBed implements AutoCloseable {
  /** Where every pod answers, by TCP and by UDP. */
  static final List<Integer> PORTS = List.of(8080, 9090);

  /** Of several endpoints each is met once, but for a chance of one in a million. */
  private static final int ENOUGH = 48;

  private static final String MACHINES =
      """
      {apiVersion: v1, kind: Node, metadata: {name: n1, labels: {topology.kubernetes.io/zone: west}},
       spec: {podCIDRs: [10.244.1.0/24, "fd00:10:244:1::/64"]},
       status: {addresses: [{type: InternalIP, address: 192.168.11.11}, {type: InternalIP, address: "fd00:a::11"}]}}
      ---
      {apiVersion: v1, kind: Node, metadata: {name: n2, labels: {topology.kubernetes.io/zone: east}},
       spec: {podCIDRs: [10.244.2.0/24, "fd00:10:244:2::/64"]},
       status: {addresses: [{type: InternalIP, address: 192.168.11.12}, {type: InternalIP, address: "fd00:a::12"}]}}
      """;

  private static final String POD =
      """
      ---
      {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: %s, uid: u-%s},
       spec: {nodeName: %s, containers: [{name: main, ports: [{containerPort: 8080}, {containerPort: 9090}]}]},
       status: {podIPs: [{ip: %s}, {ip: "%s"}]}}
      """;

  private final Scene scene;
  private final Topology topology;
  private final Answerers answerers = new Answerers();
  private final Map<NodeName, BedNode> nodes = new LinkedHashMap<>();
  private final Map<ObjectRef, ClusterEvent> told = new LinkedHashMap<>();

  private ServiceBed(Scene scene, Topology topology) {
    this.scene = scene;
    this.topology = topology;
  }

  /** Builds all of it. */
  static ServiceBed build(Dataplanes kind, Path directory) throws Exception {
    String text =
        "---\n"
            + MACHINES
            + POD.formatted("a", "a", "n1", "10.244.1.10", "fd00:10:244:1::a")
            + POD.formatted("b", "b", "n1", "10.244.1.11", "fd00:10:244:1::b")
            + POD.formatted("c", "c", "n2", "10.244.2.10", "fd00:10:244:2::a")
            + POD.formatted("d", "d", "n2", "10.244.2.11", "fd00:10:244:2::b");
    Scene scene = SceneReader.read(ManifestFiles.parse("bed.yaml", text), OptionalInt.empty());
    String prefix = "sundt-" + Long.toString(ProcessHandle.current().pid(), 36) + "s-";
    ServiceBed bed = new ServiceBed(scene, Topology.build(prefix, scene.underlay()));
    boolean complete = false;
    try {
      bed.fill(kind, directory);
      complete = true;
      return bed;
    } finally {
      if (!complete) {
        bed.close();
      }
    }
  }

  private void fill(Dataplanes kind, Path directory) throws Exception {
    List<Via> vias = new ArrayList<>();
    for (String range : List.of("10.96.0.0/16", "198.51.100.0/24")) {
      vias.add(new Via(Prefix.parse(range), address("n1", Family.V4)));
    }
    for (String range : List.of("fd00:96::/64", "fd00:100::/64")) {
      vias.add(new Via(Prefix.parse(range), address("n1", Family.V6)));
    }
    vias.add(new Via(Prefix.parse("198.51.101.0/24"), address("n2", Family.V4)));
    vias.add(new Via(Prefix.parse("fd00:101::/64"), address("n2", Family.V6)));
    topology.setRoutes(vias);
    List<ClusterEvent> cluster = new ArrayList<>();
    for (SceneNode node : scene.nodes()) {
      cluster.add(new ClusterEvent.NodeSeen(node.node()));
    }
    for (ScenePod pod : scene.pods()) {
      cluster.add(new ClusterEvent.PodSeen(pod.pod()));
    }
    cluster.add(new ClusterEvent.Synced());
    for (SceneNode node : scene.nodes()) {
      NetNs namespace = topology.machine(node.name().text());
      BedNode made =
          BedNode.open(
              kind, node.name(), scene.fabric(), namespace, directory.resolve(node.name().text()));
      nodes.put(node.name(), made);
      List<ClusterEvent> events = new ArrayList<>(cluster);
      events.addFirst(made.facts());
      for (ScenePod pod : scene.pods()) {
        if (pod.node().equals(node.name())) {
          events.add(new ClusterEvent.Attached(attachment(pod)));
        }
      }
      made.tell(events);
    }
  }

  private Attachment attachment(ScenePod pod) throws Exception {
    NetNs namespace = topology.createPod(pod.pod().key());
    for (int port : PORTS) {
      answerers.answer(pod.pod().key().name(), namespace, port);
    }
    return attached(pod, namespace);
  }

  private static Attachment attached(ScenePod pod, NetNs namespace) {
    return new Attachment(
        "bed-" + pod.pod().uid(),
        "eth0",
        namespace.path().toString(),
        pod.pod().key(),
        pod.pod().uid(),
        pod.pod().ips());
  }

  /** From now on there are these Services and slices, and no others. */
  void have(String... manifests) {
    Manifests read =
        ManifestFiles.parse("services.yaml", "---\n" + String.join("\n---\n", List.of(manifests)));
    assertThat(read.findings()).isEmpty();
    Map<ObjectRef, ClusterEvent> wanted = new LinkedHashMap<>();
    for (ManifestObject object : read.objects()) {
      wanted.put(object.ref(), object.event().orElseThrow());
    }
    List<ClusterEvent> events = new ArrayList<>();
    told.forEach((ref, event) -> {
      if (!wanted.containsKey(ref)) {
        events.add(gone(event));
      }
    });
    wanted.forEach((ref, event) -> {
      if (!event.equals(told.get(ref))) {
        events.add(event);
      }
    });
    told.clear();
    told.putAll(wanted);
    tell(events.toArray(ClusterEvent[]::new));
  }

  /** Tells all nodes of an object that cannot be used as it is written. */
  void tellRefused(String manifest) {
    Manifests read = ManifestFiles.parse("refused.yaml", "---\n" + manifest);
    ManifestObject object = read.objects().getFirst();
    assertThat(object.usable()).isFalse();
    tell(object.event().orElseThrow());
  }

  /** From now on a pod has these ports at its node, as its runtime asks for, and no others. */
  void hostPorts(String name, PortMapping... ports) {
    ScenePod pod = pod(name).orElseThrow();
    nodes
        .get(pod.node())
        .tell(
            List.of(
                new ClusterEvent.Attached(
                    attached(pod, place(name)).withPortMappings(List.of(ports)))));
  }

  private static ClusterEvent gone(ClusterEvent event) {
    return switch (event) {
      case ClusterEvent.ServiceSeen(Service service) -> new ClusterEvent.ServiceGone(service.key());
      case ClusterEvent.SliceSeen(EndpointSlice slice) -> new ClusterEvent.SliceGone(slice.name());
      case ClusterEvent other -> other;
    };
  }

  /** Tells all nodes. */
  void tell(ClusterEvent... events) {
    nodes.values().forEach(node -> node.tell(List.of(events)));
  }

  /** A node. */
  BedNode node(String name) {
    BedNode node = nodes.get(new NodeName(name));
    if (node == null) {
      throw new IllegalArgumentException("no node " + name);
    }
    return node;
  }

  /** The namespace of a pod by its name, of a node, or of the host outside. */
  NetNs place(String name) {
    return pod(name)
        .map(pod -> topology.pod(pod.pod().key()).orElseThrow())
        .orElseGet(() -> topology.machine(name));
  }

  private java.util.Optional<ScenePod> pod(String name) {
    return scene.pods().stream().filter(pod -> pod.pod().key().name().equals(name)).findFirst();
  }

  /** The address of a pod, a node or the host outside. */
  Ip address(String name, Family family) {
    List<Ip> all = pod(name).map(pod -> pod.pod().ips()).orElseGet(() -> scene.addresses(name));
    return all.stream().filter(ip -> ip.family() == family).findFirst().orElseThrow();
  }

  private Origin origin(String name) {
    return pod(name)
        .<Origin>map(pod -> new FromPod(pod.pod().key()))
        .orElseGet(() ->
            nodes.containsKey(new NodeName(name))
                ? new FromNode(new NodeName(name))
                : new FromOutside(Scene.OUTSIDE));
  }

  /** Asks the only one who can answer. */
  Heard ask(String from, Protocol protocol, String address, int port) throws Exception {
    SortedSet<Heard> all = askAll(from, protocol, address, port);
    assertThat(all).as("%s asks %s %d/%s", from, address, port, protocol.label()).hasSize(1);
    return all.first();
  }

  /** Everything that can become of a question, by the tracer and by packets alike. */
  SortedSet<Heard> askAll(String from, Protocol protocol, String address, int port)
      throws Exception {
    Ip ip = Ip.parse(address);
    SortedSet<Heard> traced = trace(from, protocol, ip, port);
    SortedSet<Heard> heard =
        new TreeSet<>(
            packets(from, protocol, ip, port, traced.size() == 1 ? 1 : ENOUGH, isHeard(traced)));
    assertThat(heard)
        .as("%s asks %s %d/%s: packets and tracer", from, address, port, protocol.label())
        .isEqualTo(traced);
    return heard;
  }

  /** Nobody answers, by the tracer and by packets; how it ends is the underlay's business. */
  void assertNobodyAnswers(String from, Protocol protocol, String address, int port)
      throws Exception {
    assertThat(names(trace(from, protocol, Ip.parse(address), port))).containsExactly("");
    assertThat(names(packets(from, protocol, address, port, 1))).containsExactly("");
  }

  /** The namespaces of all pods by their names. */
  Map<String, NetNs> pods() {
    Map<String, NetNs> all = new TreeMap<>();
    scene.pods().forEach(pod -> all.put(pod.pod().key().name(), place(pod.pod().key().name())));
    return all;
  }

  /** Asks so often, where chance or memory decides: each time it is something the tracer tells. */
  List<Heard> askOften(String from, Protocol protocol, String address, int port, int times)
      throws Exception {
    SortedSet<Heard> traced = trace(from, protocol, Ip.parse(address), port);
    List<Heard> heard = packets(from, protocol, Ip.parse(address), port, times, isHeard(traced));
    assertThat(traced)
        .as("%s asks %s %d/%s: what the tracer tells", from, address, port, protocol.label())
        .containsAll(heard);
    return heard;
  }

  /** Asks with so many bytes the only one who can answer. */
  Heard askWith(int bytes, String from, Protocol protocol, String address, int port)
      throws Exception {
    Ip ip = Ip.parse(address);
    SortedSet<Heard> traced = trace(from, protocol, ip, port);
    Heard heard =
        isHeard(traced)
            ? Asker.askUntilAnswered(place(from), protocol, ip, port, bytes, 1).getFirst()
            : Asker.ask(place(from), protocol, ip, port, bytes);
    assertThat(traced).containsExactly(heard);
    return heard;
  }

  /** What packets alone say: where somebody else's rules, which no program has, decide too. */
  List<Heard> packets(String from, Protocol protocol, String address, int port, int times)
      throws Exception {
    return packets(from, protocol, Ip.parse(address), port, times, false);
  }

  /** With much patience where something is sure to be heard; who hears nothing waits in vain. */
  private List<Heard> packets(
      String from, Protocol protocol, Ip ip, int port, int times, boolean answered)
      throws Exception {
    if (protocol != Protocol.SCTP) {
      return answered
          ? Asker.askUntilAnswered(place(from), protocol, ip, port, 10, times)
          : Asker.ask(place(from), protocol, ip, port, 10, times);
    }
    List<Heard> heard = new ArrayList<>();
    try (SctpInits inits = SctpInits.watch(ip.family(), pods())) {
      for (int i = 0; i < times; i++) {
        heard.add(inits.ask(place(from), ip, port, answered));
      }
    }
    return heard;
  }

  private static boolean isHeard(SortedSet<Heard> traced) {
    return !traced.contains(Heard.SILENCE);
  }

  /** Everything that can become of a question by the programs. */
  SortedSet<Heard> trace(String from, Protocol protocol, Ip ip, int port) {
    Map<NodeName, PacketProgram> programs = new TreeMap<>();
    nodes.forEach((name, node) -> programs.put(name, node.wanted()));
    SortedSet<Heard> all = new TreeSet<>();
    for (Map<NodeName, PacketProgram> choice : Choices.of(programs)) {
      Trace trace =
          new PathTracer(choice, topology.underlay())
              .trace(Packet.small(origin(from), ip, protocol, port));
      all.add(heard(trace));
    }
    return all;
  }

  private static Heard heard(Trace trace) {
    if (trace.delivered() && trace.answered()) {
      return switch (trace.arrival().orElseThrow()) {
        case AtPod(var _, var key) ->
            PORTS.contains(trace.portSeen())
                ? Heard.answered(key.name(), trace.sourceSeen().map(Ip::toString).orElse("unknown"))
                : Heard.REFUSED;
        case AtNode _ -> Heard.REFUSED;
        case AtHost _ -> Heard.REFUSED;
      };
    }
    if (trace.delivered()) {
      return Heard.SILENCE;
    }
    boolean refused =
        trace.outcome() == Reason.NO_ENDPOINTS || trace.outcome() == Reason.LOOPBACK_REFUSED;
    return trace.told() ? (refused ? Heard.REFUSED : Heard.NO_WAY) : Heard.SILENCE;
  }

  /** Each kernel holds what its program says, read back by the lift. */
  void assertInForce() throws Exception {
    for (BedNode node : nodes.values()) {
      PacketProgram inForce = node.inForce();
      assertThat(inForce.frontends()).isEqualTo(node.wanted().frontends());
      assertThat(inForce.endpoints()).isEqualTo(node.wanted().endpoints());
      assertThat(inForce.sourceRanges()).isEqualTo(node.wanted().sourceRanges());
    }
  }

  /**
   * The first element of one of Sund's maps whose key begins with an address: its key and its value
   * as {@code nft} writes them.
   */
  String[] element(String node, String map, String key) throws Exception {
    String listed = run(place(node), "nft", "list", "map", "inet", "sund", map);
    Matcher found =
        Pattern.compile(
                "(%s [^:,{}]*?) comment \"[^\"]*\" : ([^,}]*)".formatted(Pattern.quote(key)))
            .matcher(listed);
    assertThat(found.find()).as("%s of %s in%n%s", key, map, listed).isTrue();
    return new String[] {found.group(1), found.group(2).strip()};
  }

  /** Runs a program in a node's namespace and returns what it printed. */
  static String run(NetNs namespace, String... command) throws Exception {
    List<String> all = new ArrayList<>(List.of("nsenter", "--net=" + namespace.path()));
    all.addAll(List.of(command));
    Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes());
    assertThat(process.waitFor()).as(text).isZero();
    return text;
  }

  /** Names of those who answered. */
  static Set<String> names(Iterable<Heard> heard) {
    Set<String> names = new TreeSet<>();
    heard.forEach(one -> names.add(one.by()));
    return names;
  }

  @Override
  public void close() throws Exception {
    answerers.close();
    nodes.values().forEach(BedNode::close);
    topology.close();
  }
}
