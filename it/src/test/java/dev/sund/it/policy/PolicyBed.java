package dev.sund.it.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
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
import dev.sund.it.policy.Volley.Shot;
import dev.sund.it.service.BedNode;
import dev.sund.it.service.Dataplanes;
import dev.sund.kernel.NetNs;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.ManifestObject;
import dev.sund.kube.manifest.Manifests;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.lab.scene.SceneReader;
import dev.sund.lab.topology.Topology;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The nodes and pods of a cluster as namespaces, with the compiler and the drivers of an agent on
 * each node, a router and a host outside; what else there is in the cluster comes and goes as
 * texts. Every question is put to packets, many at a time, and to the tracer.
 */
final class PolicyBed implements AutoCloseable {
  private final Scene scene;
  private final Topology topology;
  private final Map<NodeName, BedNode> nodes = new LinkedHashMap<>();
  private final Map<ObjectRef, ClusterEvent> told = new LinkedHashMap<>();
  private final Volley volley;

  /**
   * A connection's first packet.
   *
   * @param from a pod as NAMESPACE/NAME, a node, or {@code outside}
   * @param source the sender's address
   */
  record Question(String from, Ip source, Ip to, Protocol protocol, int port) {
    @Override
    public String toString() {
      return from + " asks " + to + " " + port + "/" + protocol.label();
    }
  }

  /**
   * What became of it, by packets and by the tracer.
   *
   * @param heard the place where the packet came out; empty when it did not
   * @param refused of TCP: whether its sender heard that nobody listens there
   * @param traced the place where it comes out by the nodes' programs
   * @param trace its way by these
   */
  record Outcome(Optional<String> heard, boolean refused, Optional<String> traced, Trace trace) {}

  private PolicyBed(Scene scene, Topology topology, Volley volley) {
    this.scene = scene;
    this.topology = topology;
    this.volley = volley;
  }

  /**
   * Builds it.
   *
   * @param text the nodes, and the pods that have a network of their own
   */
  static PolicyBed build(String text, Path directory) throws Exception {
    Scene scene = SceneReader.read(ManifestFiles.parse("bed.yaml", text), OptionalInt.empty());
    String prefix = "sundt-" + Long.toString(ProcessHandle.current().pid(), 36) + "y-";
    Topology topology = Topology.build(prefix, scene.underlay());
    Optional<PolicyBed> bed = Optional.empty();
    try {
      PolicyBed made = new PolicyBed(scene, topology, Volley.at(Map.of()));
      bed = Optional.of(made);
      made.fill(directory);
      return made;
    } catch (Exception | AssertionError e) {
      if (bed.isPresent()) {
        bed.get().close();
      } else {
        topology.close();
      }
      throw e;
    }
  }

  private void fill(Path directory) throws Exception {
    volley.add(Scene.OUTSIDE, topology.machine(Scene.OUTSIDE));
    List<Via> vias = new ArrayList<>();
    for (SceneNode node : scene.nodes()) {
      for (Prefix range : node.node().podCidrs()) {
        Ip at = address(node.name().text(), range.address().family());
        vias.add(new Via(range, at));
      }
    }
    topology.setRoutes(vias);
    List<ClusterEvent> cluster = new ArrayList<>();
    for (SceneNode node : scene.nodes()) {
      cluster.add(new ClusterEvent.NodeSeen(node.node()));
    }
    for (ScenePod pod : scene.pods()) {
      cluster.add(new ClusterEvent.PodSeen(pod.pod()));
    }
    cluster.forEach(event -> told.put(event.key(), event));
    cluster.add(new ClusterEvent.Synced());
    for (SceneNode node : scene.nodes()) {
      String name = node.name().text();
      NetNs namespace = topology.machine(name);
      volley.add(name, namespace);
      BedNode made =
          BedNode.open(
              Dataplanes.NFT, node.name(), scene.fabric(), namespace, directory.resolve(name));
      nodes.put(node.name(), made);
      List<ClusterEvent> events = new ArrayList<>(cluster);
      events.addFirst(made.facts());
      for (ScenePod pod : scene.pods()) {
        if (pod.node().equals(node.name())) {
          events.add(attached(pod.pod()));
        }
      }
      made.tell(events);
    }
  }

  private ClusterEvent attached(Pod pod) throws Exception {
    NetNs namespace = topology.createPod(pod.key());
    volley.add(pod.key().toString(), namespace);
    return new ClusterEvent.Attached(
        new Attachment(
            "bed-" + pod.key(),
            "eth0",
            namespace.path().toString(),
            pod.key(),
            pod.uid(),
            pod.ips()));
  }

  /** A pod's runtime asks for its network, whether or not anybody has heard of the pod. */
  void attach(Pod pod) throws Exception {
    nodes.get(pod.node().orElseThrow()).tell(List.of(attached(pod)));
  }

  /** From now on there are these objects, and no others. */
  void have(String text) {
    Manifests read = ManifestFiles.parse("cluster.yaml", text);
    Map<ObjectRef, ClusterEvent> wanted = new LinkedHashMap<>();
    for (ManifestObject object : read.objects()) {
      object.event().ifPresent(event -> wanted.put(object.ref(), event));
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
    nodes.values().forEach(node -> node.tell(events));
  }

  private static ClusterEvent gone(ClusterEvent event) {
    return switch (event) {
      case ClusterEvent.NodeSeen(Node node) -> new ClusterEvent.NodeGone(node.name());
      case ClusterEvent.PodSeen(Pod pod) -> new ClusterEvent.PodGone(pod.key());
      case ClusterEvent.NamespaceSeen seen ->
          new ClusterEvent.NamespaceGone(seen.namespace().name());
      case ClusterEvent.PolicySeen seen -> new ClusterEvent.PolicyGone(seen.policy().ref());
      case ClusterEvent.ServiceSeen seen -> new ClusterEvent.ServiceGone(seen.service().key());
      case ClusterEvent.SliceSeen seen -> new ClusterEvent.SliceGone(seen.slice().name());
      case ClusterEvent other -> throw new IllegalArgumentException("how does this end? " + other);
    };
  }

  /** The addresses of a pod, a node or the host outside. */
  List<Ip> addresses(String name) {
    return told.get(new ObjectRef("Pod", name)) instanceof ClusterEvent.PodSeen seen
        ? seen.pod().ips()
        : scene.addresses(name);
  }

  /** The one address of this family. */
  Ip address(String name, Family family) {
    return addresses(name).stream().filter(ip -> ip.family() == family).findFirst().orElseThrow();
  }

  /**
   * Puts all questions at once.
   *
   * @param questions each with whether a packet is to arrive, for which is waited
   */
  Map<Question, Outcome> ask(Map<Question, Boolean> questions) throws Exception {
    Map<Question, Shot> shots = new LinkedHashMap<>();
    Map<Shot, Boolean> expected = new LinkedHashMap<>();
    questions.forEach((question, arrives) -> {
      Shot shot =
          new Shot(question.from, question.source, question.to, question.protocol, question.port);
      shots.put(question, shot);
      expected.put(shot, arrives);
    });
    volley.fire(expected);
    Map<NodeName, PacketProgram> programs = new TreeMap<>();
    nodes.forEach((name, node) -> programs.put(name, node.wanted()));
    PathTracer tracer = new PathTracer(programs, topology.underlay());
    Map<Question, Outcome> outcomes = new LinkedHashMap<>();
    shots.forEach((question, shot) -> {
      Trace trace = tracer.trace(packet(question));
      outcomes.put(question, new Outcome(shot.arrived(), shot.refused(), place(trace), trace));
    });
    return outcomes;
  }

  /**
   * What is said of connections from somebody to somebody, by each family that both have.
   *
   * @param from a pod as NAMESPACE/NAME, a node, or {@code outside}
   * @param to the same, or addresses
   * @param at the place where its packets come out; empty when they do not
   */
  record Claim(String from, String to, Protocol protocol, int port, String at) {
    static Claim may(String from, String to, Protocol protocol, int port) {
      return new Claim(from, to, protocol, port, to);
    }

    static Claim mayNot(String from, String to, Protocol protocol, int port) {
      return new Claim(from, to, protocol, port, "");
    }
  }

  /** All of it holds, by packets and by the tracer, and who is let through is answered (N18). */
  void check(Claim... claims) throws Exception {
    Map<Question, Boolean> questions = new LinkedHashMap<>();
    Map<Question, String> places = new LinkedHashMap<>();
    for (Claim claim : claims) {
      List<Ip> sources = addresses(claim.from);
      for (Ip to : isPlace(claim.to) ? addresses(claim.to) : ips(claim.to)) {
        for (Ip from : sources) {
          if (from.family() == to.family()) {
            Question question = new Question(claim.from, from, to, claim.protocol, claim.port);
            questions.put(question, !claim.at.isEmpty());
            places.put(question, claim.at);
          }
        }
      }
    }
    ask(questions)
        .forEach((question, outcome) -> {
          String place = places.getOrDefault(question, "");
          assertThat(outcome.heard().orElse("")).as("packets: %s", question).isEqualTo(place);
          assertThat(outcome.traced().orElse(""))
              .as("tracer: %s: %s", question, outcome.trace().there())
              .isEqualTo(place);
          if (question.protocol() == Protocol.TCP && !place.isEmpty()) {
            assertThat(List.of(outcome.refused(), outcome.trace().answered()))
                .as("the answer to: %s: %s", question, outcome.trace().back())
                .containsExactly(true, true);
          }
        });
  }

  private boolean isPlace(String name) {
    return name.contains("/")
        || scene.underlay().hosts().stream().anyMatch(host -> host.name().equals(name));
  }

  private static List<Ip> ips(String addresses) {
    return Arrays.stream(addresses.split(" ")).map(Ip::parse).toList();
  }

  /** The namespace of a pod, a node or the host outside. */
  NetNs place(String name) {
    return name.contains("/")
        ? topology.pod(PodKey.parse(name)).orElseThrow()
        : topology.machine(name);
  }

  private Packet packet(Question question) {
    Packet small =
        Packet.small(origin(question.from), question.to, question.protocol, question.port);
    return new Packet(
        small.origin(),
        Optional.of(question.source),
        small.destination(),
        small.protocol(),
        small.port(),
        small.size(),
        small.dontFragment(),
        small.ttl());
  }

  private Origin origin(String name) {
    if (name.contains("/")) {
      return new FromPod(PodKey.parse(name));
    }
    return nodes.containsKey(new NodeName(name))
        ? new FromNode(new NodeName(name))
        : new FromOutside(name);
  }

  private static Optional<String> place(Trace trace) {
    if (!trace.delivered()) {
      return Optional.empty();
    }
    return trace
        .arrival()
        .map(arrival ->
            switch (arrival) {
              case AtPod(var _, var pod) -> pod.toString();
              case AtNode(var node) -> node.text();
              case AtHost(var host) -> host;
            });
  }

  @Override
  public void close() throws Exception {
    volley.close();
    nodes.values().forEach(BedNode::close);
    topology.close();
  }
}
