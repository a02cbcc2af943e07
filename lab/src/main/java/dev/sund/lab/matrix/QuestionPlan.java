package dev.sund.lab.matrix;

import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.PortMapping;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.lab.question.Listeners;
import dev.sund.lab.question.Party;
import dev.sund.lab.question.Question;
import dev.sund.lab.question.Question.Kind;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Port;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is asked of a scene: of all pairs of pods whether each declared port answers and a way
 * through; a port that nobody declares, an address that nobody has; nodes and the host outside in
 * both directions; a pod's host ports from itself, from one pod of every node, from its node, also
 * at 127.0.0.1, from another node and from outside.
 *
 * <p>Path and MTU take many packets each. Of a large scene they are asked for every pod with one
 * peer on every node, unless every pair is wanted; of a very large one, so is everything.
 */
public final class QuestionPlan {
  /** A TCP port that no pod may declare in a manifest and get an answer at. */
  static final int CLOSED = 1;

  private static final Ip LOOPBACK = Ip.parse("127.0.0.1");
  private static final int ALL_WAYS = 20;
  private static final int ALL_PAIRS = 120;
  private static final int UNREACHABLE = 3;

  private final Scene scene;
  private final Listeners listeners;
  private final boolean everyPair;
  private final List<Question> questions = new ArrayList<>();
  private final Map<NodeName, List<Party>> partiesOfNode = new LinkedHashMap<>();
  private final Map<Party, Pod> podOf = new LinkedHashMap<>();
  private final List<Party> nodes = new ArrayList<>();
  private final Party outside =
      new Party(Scene.OUTSIDE, Scene.OUTSIDE, new FromOutside(Scene.OUTSIDE), Scene.OUTSIDE);

  private QuestionPlan(Scene scene, Listeners listeners, boolean everyPair) {
    this.scene = scene;
    this.listeners = listeners;
    this.everyPair = everyPair;
  }

  /**
   * The questions, numbered from 0.
   *
   * @param everyPair whether every pair is asked everything, however many there are
   */
  public static List<Question> of(Scene scene, Listeners listeners, boolean everyPair) {
    return new QuestionPlan(scene, listeners, everyPair).ask();
  }

  /**
   * What is left out of a large scene's questions, as a sentence; empty when nothing is.
   *
   * @param pods how many pods the scene has
   */
  public static Optional<String> leftOut(int pods, boolean everyPair) {
    if (everyPair || pods <= ALL_WAYS) {
      return Optional.empty();
    }
    return Optional.of(
        (pods <= ALL_PAIRS
                ? "of more than "
                    + ALL_WAYS
                    + " pods, every pair is asked whether it reaches;"
                    + " path and MTU"
                : "of more than " + ALL_PAIRS + " pods, everything")
            + " of each pod with one peer on every node (--all asks every pair everything)");
  }

  private List<Question> ask() {
    for (SceneNode node : scene.nodes()) {
      String name = node.name().text();
      partiesOfNode.put(node.name(), new ArrayList<>());
      nodes.add(new Party("node " + name, "node", new FromNode(node.name()), name));
    }
    for (ScenePod pod : scene.pods()) {
      Party party =
          new Party(
              pod.pod().key().toString(),
              pod.group(),
              Listeners.origin(pod.pod()),
              pod.node().text());
      podOf.put(party, pod.pod());
      partiesOfNode.computeIfAbsent(pod.node(), _ -> new ArrayList<>()).add(party);
    }
    podOf.forEach(this::podToPods);
    podOf.forEach(this::podToOthers);
    nodes.forEach(this::nodeToOthers);
    outsideToOthers();
    podOf.forEach(this::toHostPorts);
    return questions;
  }

  private void podToPods(Party from, Pod sender) {
    Set<Party> peers = peers(from);
    for (var entry : podOf.entrySet()) {
      Party to = entry.getKey();
      Pod receiver = entry.getValue();
      boolean itself = to.origin().equals(from.origin());
      boolean way = everyPair || podOf.size() <= ALL_WAYS || peers.contains(to);
      if (itself || (!way && podOf.size() > ALL_PAIRS)) {
        continue;
      }
      for (Ip ip : common(sender.ips(), receiver.ips())) {
        int before = questions.size();
        Set<String> asked = new HashSet<>(); // a port with two names is asked once
        for (Port port : receiver.ports()) {
          if (asked.add(port.toString())) {
            add(Kind.REACH, from, to, ip, port.protocol(), port.number());
          }
        }
        if (questions.size() == before) {
          add(Kind.REACH, from, to, ip, Protocol.UDP, listeners.echo());
        }
        if (way) {
          way(from, to, ip);
        }
      }
    }
  }

  /** One pod of every node: the one that follows this pod's own place in its node's list. */
  private Set<Party> peers(Party from) {
    Set<Party> peers = new HashSet<>();
    int place = new ArrayList<>(podOf.keySet()).indexOf(from);
    partiesOfNode.forEach((node, parties) -> {
      if (!parties.isEmpty()) {
        Party peer = parties.get(place % parties.size());
        peers.add(peer.equals(from) ? parties.get((place + 1) % parties.size()) : peer);
      }
    });
    return peers;
  }

  private void podToOthers(Party from, Pod sender) {
    if (!(from.origin() instanceof FromPod)) {
      return;
    }
    podOf.keySet().stream()
        .filter(to -> !to.equals(from) && to.origin() instanceof FromPod)
        .skip(Math.floorMod(from.label().hashCode(), Math.max(1, podOf.size() - 1)))
        .findFirst()
        .or(() -> podOf.keySet().stream().filter(to -> !to.equals(from)).findFirst())
        .ifPresent(to -> {
          for (Ip ip : common(sender.ips(), podOf.getOrDefault(to, sender).ips())) {
            add(Kind.REACH, from, to, ip, Protocol.TCP, CLOSED);
          }
        });
    for (Party node : nodes) {
      unused(node)
          .forEach(ip -> {
            if (sender.ips().stream().anyMatch(own -> own.family() == ip.family())) {
              Party nobody = new Party("unused " + ip, "unused", node.origin(), node.machine());
              add(Kind.REACH, from, nobody, ip, Protocol.UDP, listeners.echo());
            }
          });
      toMachine(from, sender.ips(), node);
    }
    toMachine(from, sender.ips(), outside);
  }

  /** An address of each of the node's ranges that no pod has. */
  private List<Ip> unused(Party node) {
    Set<Ip> used = new HashSet<>();
    scene.pods().forEach(pod -> used.addAll(pod.pod().ips()));
    List<Ip> found = new ArrayList<>();
    for (Prefix range : node(node).podCidrs()) {
      for (long offset = 200; offset > 1; offset--) {
        Ip candidate = range.address().plus(offset);
        if (range.contains(candidate) && !used.contains(candidate)) {
          found.add(candidate);
          break;
        }
      }
    }
    return found;
  }

  private void nodeToOthers(Party from) {
    List<Ip> own = addresses(from);
    podOf.forEach((to, pod) -> {
      if (to.origin() instanceof FromPod) {
        for (Ip ip : common(own, pod.ips())) {
          add(Kind.REACH, from, to, ip, Protocol.UDP, listeners.echo());
          way(from, to, ip);
        }
      }
    });
    for (Party to : nodes) {
      if (!to.equals(from)) {
        toMachine(from, own, to);
      }
    }
    toMachine(from, own, outside);
  }

  /**
   * A router tells one sender of a few unreachable addresses a second and no more (the kernel's
   * net.ipv4.route.error_burst), so only a few are asked for.
   */
  private void outsideToOthers() {
    List<Ip> own = addresses(outside);
    nodes.forEach(node -> toMachine(outside, own, node));
    podOf.entrySet().stream()
        .filter(entry -> entry.getKey().origin() instanceof FromPod)
        .limit(UNREACHABLE)
        .forEach(entry -> {
          for (Ip ip : common(own, entry.getValue().ips())) {
            add(Kind.REACH, outside, entry.getKey(), ip, Protocol.UDP, listeners.echo());
          }
        });
  }

  private void toHostPorts(Party owner, Pod pod) {
    if (pod.hostPorts().isEmpty()) {
      return;
    }
    Optional<Party> home =
        nodes.stream().filter(node -> node.machine().equals(owner.machine())).findFirst();
    if (home.isEmpty()) {
      return;
    }
    Party at =
        new Party(
            owner + " by node " + owner.machine(),
            owner.group() + " by its node",
            owner.origin(),
            owner.machine());
    Map<Party, List<Ip>> askers = new LinkedHashMap<>();
    askers.put(owner, pod.ips());
    for (Party peer : peers(owner)) {
      askers.put(peer, podOf.getOrDefault(peer, pod).ips());
    }
    askers.put(home.get(), addresses(home.get()));
    nodes.stream()
        .filter(node -> !node.equals(home.get()))
        .findFirst()
        .ifPresent(node -> askers.put(node, addresses(node)));
    askers.put(outside, addresses(outside));
    for (PortMapping mapping : pod.hostPorts()) {
      List<Ip> places =
          mapping
              .hostIp()
              .filter(ip -> !ip.isUnspecified())
              .map(List::of)
              .orElseGet(() ->
                  addresses(home.get()).stream()
                      .filter(ip ->
                          mapping.hostIp().stream().allMatch(any -> any.family() == ip.family()))
                      .toList());
      for (Ip ip : places) {
        if (!ip.isLoopback()) {
          askers.forEach((asker, own) -> {
            if (own.stream().anyMatch(one -> one.family() == ip.family())) {
              hostPort(asker, at, ip, mapping);
            }
          });
        }
      }
      if (mapping.hostIp().map(Ip::isUnspecified).orElse(true)
          && places.stream().anyMatch(ip -> ip.family() == Family.V4)) {
        hostPort(home.get(), at, LOOPBACK, mapping);
      }
    }
  }

  private void hostPort(Party from, Party at, Ip ip, PortMapping mapping) {
    add(Kind.REACH, from, at, ip, mapping.protocol(), mapping.hostPort());
  }

  private void toMachine(Party from, List<Ip> own, Party to) {
    for (Ip ip : common(own, addresses(to))) {
      add(Kind.REACH, from, to, ip, Protocol.UDP, listeners.echo());
      way(from, to, ip);
    }
  }

  private void way(Party from, Party to, Ip ip) {
    add(Kind.PATH, from, to, ip, Protocol.UDP, listeners.echo());
    add(Kind.MTU, from, to, ip, Protocol.UDP, listeners.echo());
  }

  private void add(Kind kind, Party from, Party to, Ip ip, Protocol protocol, int port) {
    questions.add(new Question(questions.size(), kind, from, to, ip, protocol, port, List.of()));
  }

  private Node node(Party party) {
    return scene.node(new NodeName(party.machine())).map(SceneNode::node).orElseThrow();
  }

  private List<Ip> addresses(Party party) {
    Origin origin = party.origin();
    return origin instanceof FromNode ? node(party).addresses() : scene.addresses(party.machine());
  }

  /** The addresses of {@code to} whose family {@code from} has too. */
  private static List<Ip> common(List<Ip> from, List<Ip> to) {
    return to.stream()
        .filter(ip -> from.stream().anyMatch(own -> own.family() == ip.family()))
        .toList();
  }
}
