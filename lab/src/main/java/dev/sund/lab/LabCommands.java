package dev.sund.lab;

import dev.sund.agent.local.Json;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Underlay;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteBatch;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.lab.agents.AgentLauncher;
import dev.sund.lab.matrix.Matrix;
import dev.sund.lab.question.Party;
import dev.sund.lab.question.Question;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What other terminals ask of a lab that stands. On the lab's thread. */
final class LabCommands {
  private static final String SERVICE = "svc/";
  private static final String JSON = "--json";
  private static final String LIVE = "--live";
  private static final int ECHO = 7;
  private static final int SMALLEST_MTU = 1280;
  private static final int LARGEST_MTU = 1500;

  private final LabCluster cluster;
  private final Console console;
  private final LabOptions options;
  private final List<String> faults = new ArrayList<>();
  private Matrix last;

  LabCommands(LabCluster cluster, Console console, LabOptions options, Matrix first) {
    this.cluster = cluster;
    this.console = console;
    this.options = options;
    this.last = first;
  }

  /** Runs the command that these words are; says everything to {@code to}; the exit code. */
  int run(List<String> words, OutputStream to) throws InterruptedException {
    PrintStream out = new PrintStream(to, true, StandardCharsets.UTF_8);
    try {
      List<String> rest = words.isEmpty() ? List.of() : words.subList(1, words.size());
      return switch (words.isEmpty() ? "" : words.getFirst()) {
        case "status" -> status(out);
        case "probe" -> probe(rest, out);
        case "trace" -> trace(rest, out);
        case "fault" -> fault(rest, out);
        case "roll" -> roll(rest, out);
        case "where" -> where(rest, out);
        case "apply" -> change(rest, out, new LabManifests(cluster)::apply);
        case "delete" -> change(rest, out, new LabManifests(cluster)::delete);
        default -> throw new IllegalArgumentException("the lab does not know " + words);
      };
    } catch (IllegalArgumentException e) {
      out.println("sund lab: " + e.getMessage());
      return Lab.BAD_INPUT;
    } catch (IOException e) {
      out.println("sund lab: " + e.getMessage());
      return Lab.COULD_NOT_RUN;
    }
  }

  /** Changes objects as the files say. */
  @FunctionalInterface
  private interface Changes {
    boolean make(List<String> files, PrintStream out) throws IOException;
  }

  private int change(List<String> files, PrintStream out, Changes changes)
      throws IOException, InterruptedException {
    if (files.isEmpty()) {
      throw new IllegalArgumentException("which files? give -f FILE");
    }
    if (!changes.make(files, out)) {
      return Lab.BAD_INPUT;
    }
    cluster.follow(out::println);
    return measureAll(out);
  }

  /** For {@code sund lab exec}: the namespace of a pod or a machine, alone on its line. */
  private int where(List<String> words, PrintStream out) {
    if (words.size() != 1) {
      throw new IllegalArgumentException("a pod as NAMESPACE/NAME is wanted, or a machine");
    }
    out.println(cluster.place(words.getFirst()).path());
    return Lab.AGREE;
  }

  private int roll(List<String> words, PrintStream out) throws IOException, InterruptedException {
    List<String> owner = words.stream().filter(word -> !word.equals(JSON)).toList();
    if (owner.size() != 1) {
      throw new IllegalArgumentException("whose pods? give the owner as NAMESPACE/NAME");
    }
    boolean json = words.contains(JSON);
    RollingUpdate.Report report =
        new RollingUpdate(
                cluster,
                line -> {
                  if (!json) {
                    out.println(line);
                  }
                })
            .run(owner.getFirst());
    out.println(json ? Json.write(report.json()) : report);
    return report.lost() == 0 ? Lab.AGREE : Lab.DIFFER;
  }

  private int status(PrintStream out) {
    Scene scene = cluster.scene();
    for (SceneNode node : scene.nodes()) {
      Underlay.Link link = cluster.topology().uplink(node.name().text());
      long pods = scene.pods().stream().filter(pod -> pod.node().equals(node.name())).count();
      out.printf(
          "node %s  agent %s  %s  %s %s mtu %d  podCIDRs %s  %d pods%n",
          node.name(),
          cluster.isDead(node.name())
              ? "is gone, its node is off"
              : cluster.agent(node.name()).alive() ? "runs" : "is dead",
          node.node().addresses(),
          link.device(),
          link.up() ? "up" : "cut",
          link.mtu(),
          node.node().podCidrs(),
          pods);
    }
    scene
        .pods()
        .forEach(pod ->
            out.printf(
                "pod %s  node %s  %s%s%n",
                pod.pod().key(),
                pod.node(),
                pod.pod().ips(),
                pod.pod().hostNetwork() ? " (hostNetwork)" : ""));
    faults.forEach(fault -> out.println("fault: " + fault));
    out.println(last.summary());
    return last.agrees() ? Lab.AGREE : Lab.DIFFER;
  }

  private int probe(List<String> words, PrintStream out)
      throws KernelException, InterruptedException {
    if (words.isEmpty()) {
      return measureAll(out);
    }
    List<Question> questions = Question.renumbered(between(words));
    if (questions.isEmpty()) {
      throw new IllegalArgumentException(
          "nothing is asked from "
              + words.get(0)
              + " to "
              + words.get(1)
              + ", try sund lab status");
    }
    Matrix matrix = cluster.matrix(questions);
    new Console(out, out, false).print(matrix, true, false);
    return matrix.agrees() ? Lab.AGREE : Lab.DIFFER;
  }

  private List<Question> between(List<String> words) {
    two(words);
    return cluster.questions(true).stream()
        .filter(question -> isCalled(question.from(), words.get(0)))
        .filter(question -> isAsked(question, words.get(1)))
        .toList();
  }

  /** {@code svc/NAMESPACE/NAME}, or without the namespace; an address; both with a port too. */
  private static boolean isAsked(Question question, String name) {
    String ip = question.destination().toString();
    String at = ip.contains(":") ? "[" + ip + "]" : ip;
    String label = question.to().label();
    String bare =
        label.startsWith(SERVICE) ? SERVICE + label.substring(label.indexOf('/', 4) + 1) : label;
    String port = ":" + question.port();
    return isCalled(question.to(), name)
        || ip.equals(name)
        || bare.equals(name)
        || name.equals(at + port)
        || name.equals(label + port)
        || name.equals(bare + port);
  }

  private static boolean isCalled(Party party, String name) {
    return party.label().equals(name)
        || party.group().equals(name)
        || party.label().equals("node " + name);
  }

  private static void two(List<String> words) {
    if (words.size() != 2) {
      throw new IllegalArgumentException(
          "FROM and TO are wanted: a pod as NAMESPACE/NAME, a node, outside; or for TO an address,"
              + " or svc/NAME, both with a port behind a colon where one is meant");
    }
  }

  private int trace(List<String> all, PrintStream out) throws IOException, InterruptedException {
    List<String> words =
        all.stream().filter(word -> !word.equals(LIVE) && !word.equals(JSON)).toList();
    two(words);
    boolean json = all.contains(JSON);
    List<Question> questions = cluster.questions(true);
    Party from =
        questions.stream()
            .map(Question::from)
            .filter(party -> isCalled(party, words.get(0)))
            .findFirst()
            .orElseThrow(() -> unknown(words.get(0)));
    Map<String, Packet> packets = new TreeMap<>();
    TraceTarget to = TraceTarget.parse(words.get(1), ECHO);
    Ip.tryParse(to.name()).ifPresent(ip -> packets.put(ip.toString(), packet(from, ip, to)));
    for (Question question : questions) {
      Ip ip = question.destination();
      if (question.kind() == Question.Kind.SERVICE) {
        if (question.from().equals(from) && isAsked(question, words.get(1))) {
          packets.put(
              ip + " " + question.port() + "/" + question.protocol().label(),
              Packet.small(from.origin(), ip, question.protocol(), question.port()));
        }
      } else if (isCalled(question.to(), to.name())
          && question.to().label().equals(first(questions, to.name()))) {
        packets.put(ip.toString(), packet(from, ip, to));
      }
    }
    if (packets.isEmpty()) {
      throw unknown(words.get(1));
    }
    if (all.contains(LIVE)) {
      cluster.settle();
      return new LabTrace(cluster).live(packets.values(), json, out);
    }
    return new LabTrace(cluster).print(packets.values(), json, out) ? Lab.AGREE : Lab.DIFFER;
  }

  private static Packet packet(Party from, Ip ip, TraceTarget to) {
    return Packet.small(from.origin(), ip, to.protocol(), to.port());
  }

  private static String first(List<Question> questions, String name) {
    return questions.stream()
        .map(Question::to)
        .filter(party -> isCalled(party, name))
        .map(Party::label)
        .findFirst()
        .orElse(name);
  }

  private static IllegalArgumentException unknown(String name) {
    return new IllegalArgumentException(
        "the lab has no " + name + ": give a pod as NAMESPACE/NAME, a node, outside or an address");
  }

  private int fault(List<String> words, PrintStream out) throws IOException, InterruptedException {
    String kind = words.isEmpty() ? "" : words.getFirst();
    String node = words.size() > 1 ? words.get(1) : "";
    boolean restore = words.contains("--restore");
    cluster.agent(new NodeName(node.isEmpty() ? "?" : node)); // or says that there is no such node
    switch (kind) {
      case "kill-agent" -> {
        return killAgent(new NodeName(node), out);
      }
      case "cut-link" -> {
        cluster.topology().setUplink(node, restore);
        remember("cut-link " + node, restore, out);
      }
      case "shrink-mtu" -> {
        int mtu = restore ? LARGEST_MTU : number(words);
        cluster.topology().setMtu(node, mtu);
        remember("shrink-mtu " + node + (restore ? "" : " to " + mtu), restore, out);
      }
      case "delete-route" -> deleteRoute(node, words, out);
      case "kill-node" -> {
        cluster.killNode(new NodeName(node));
        remember("kill-node " + node, false, out);
      }
      case "restart-node" -> {
        cluster.restartNode(new NodeName(node));
        faults.removeIf(known -> known.endsWith("-node " + node));
        out.println("fault: restart-node " + node + "; its kernel began empty");
      }
      case "partition" -> partition(words, restore, out);
      default ->
          throw new IllegalArgumentException(
              "the faults are kill-agent NODE, cut-link NODE, shrink-mtu NODE BYTES,"
                  + " delete-route NODE [PREFIX], kill-node NODE, restart-node NODE, partition"
                  + " NODE...; cut-link, shrink-mtu and partition end with --restore, kill-node with"
                  + " restart-node");
    }
    return measureAll(out);
  }

  private void partition(List<String> words, boolean restore, PrintStream out)
      throws KernelException {
    List<String> nodes = words.stream().skip(1).filter(word -> !word.equals("--restore")).toList();
    nodes.forEach(name -> cluster.agent(new NodeName(name))); // or says that there is none
    cluster.topology().setApart(nodes, !restore);
    remember("partition " + String.join(" ", nodes), restore, out);
  }

  private void remember(String fault, boolean restore, PrintStream out) {
    String[] words = fault.split(" ");
    faults.removeIf(known -> (known + " ").startsWith(words[0] + " " + words[1] + " "));
    if (!restore) {
      faults.add(fault);
    }
    out.println((restore ? "restored: " : "fault: ") + fault);
  }

  private static int number(List<String> words) {
    String text = words.size() > 2 ? words.get(2) : "1400";
    if (text.matches("[0-9]{1,5}")) {
      int mtu = Integer.parseInt(text);
      if (mtu >= SMALLEST_MTU && mtu <= LARGEST_MTU) {
        return mtu;
      }
    }
    throw new IllegalArgumentException(
        "the MTU must be from "
            + SMALLEST_MTU
            + " to "
            + LARGEST_MTU
            + " (IPv6 does without a device that takes less), but is "
            + text);
  }

  /** The kernel forwards while the agent is dead; then it starts again and must change nothing. */
  private int killAgent(NodeName node, PrintStream out) throws IOException, InterruptedException {
    AgentLauncher.Running agent = cluster.agent(node);
    agent.kill();
    out.println("fault: kill-agent " + node + "; measured while it is dead:");
    int dead = measureAll(out);
    cluster.startAgentAgain(node);
    out.println("the agent of " + node + " was started again; measured with it:");
    return Math.max(dead, measureAll(out));
  }

  private void deleteRoute(String node, List<String> words, PrintStream out)
      throws KernelException {
    try (RouteSocket routes = RouteSocket.open(cluster.topology().machine(node))) {
      List<RouteEntry> ours = new ArrayList<>();
      for (Family family : Family.values()) {
        routes.routes(RouteFilter.main(family)).stream()
            .filter(route -> route.protocol() == Marks.ROUTE_PROTOCOL)
            .forEach(ours::add);
      }
      Optional<Prefix> prefix =
          words.size() > 2 ? Optional.of(Prefix.parse(words.get(2))) : Optional.empty();
      RouteEntry route =
          ours.stream()
              .filter(entry -> prefix.isEmpty() || entry.destination().equals(prefix.get()))
              .filter(entry -> prefix.isPresent() || !entry.type().isDeadEnd())
              .findFirst()
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "node "
                          + node
                          + " has no route of ours"
                          + prefix.map(to -> " to " + to).orElse("")));
      for (Outcome outcome : routes.apply(new RouteBatch().delete(route))) {
        if (outcome instanceof Outcome.Failed(KernelException cause)) {
          throw cause;
        }
      }
      out.println("fault: delete-route " + node + " " + route);
    }
  }

  private int measureAll(PrintStream out) throws KernelException, InterruptedException {
    last = cluster.matrix(cluster.questions(options.everyPair()));
    new Console(out, out, false).print(last, options.everyPair(), false);
    console.print(last, options.everyPair(), options.json());
    return last.agrees() ? Lab.AGREE : Lab.DIFFER;
  }
}
