package dev.sund.lab;

import dev.sund.agent.local.LocalClient;
import dev.sund.agent.state.StateDir;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.lab.agents.AgentLauncher;
import dev.sund.lab.agents.AgentLauncher.Order;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.matrix.Cell;
import dev.sund.lab.matrix.Matrix;
import dev.sund.lab.matrix.QuestionPlan;
import dev.sund.lab.matrix.ServiceQuestions;
import dev.sund.lab.measure.Measurement;
import dev.sund.lab.measure.Site;
import dev.sund.lab.predict.Prediction;
import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Listeners;
import dev.sund.lab.question.Question;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.SceneNode;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.lab.services.ServicePlayer;
import dev.sund.lab.topology.LabHome;
import dev.sund.lab.topology.Topology;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Port;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;

/**
 * A cluster that stands: machines, API server, agents, pods with networks, and the probes' sockets.
 *
 * <p>For one thread, which must live as long as the cluster. Closing removes all of it.
 */
public final class LabCluster implements AutoCloseable {
  private static final Duration AGENT_LIMIT = Duration.ofSeconds(60);
  private static final Duration SETTLE_LIMIT = Duration.ofSeconds(15);
  private static final Duration STILL = Duration.ofSeconds(5);
  private static final Duration SETTLE_STEP = Duration.ofMillis(25);
  private static final int HANDS = 8;

  private final LabHome home;
  private final AgentLauncher launcher;
  private final ApiMachine machine;
  private final PodFollower follower;
  private final ServicePlayer services;
  private final Map<NodeName, Order> orders = new LinkedHashMap<>();
  private final Map<NodeName, AgentLauncher.Running> agents = new LinkedHashMap<>();
  private final Topology topology;
  private final Measurement measurement;
  private final Set<NodeName> dead = new TreeSet<>();
  private final Map<NodeName, Integer> boots = new HashMap<>();
  private Scene scene;
  private Listeners listeners;
  private long followed;
  private long lastAsked = System.nanoTime() - Topology.LEARNT_MTU.toNanos();

  private LabCluster(
      Scene scene,
      LabHome home,
      AgentLauncher launcher,
      Topology topology,
      ApiMachine machine,
      Measurement measurement) {
    this.scene = scene;
    this.home = home;
    this.launcher = launcher;
    this.listeners = listeners(scene);
    this.machine = machine;
    this.topology = topology;
    this.measurement = measurement;
    this.follower = new PodFollower(machine.api(), topology, this::kubelet);
    this.services = new ServicePlayer(machine.api());
  }

  private static Listeners listeners(Scene scene) {
    return Listeners.of(scene.pods().stream().map(ScenePod::pod).toList(), Site.ECHO);
  }

  /**
   * Stands a cluster up.
   *
   * @param deploy the folder of the manifests that are shipped; empty: agents may do everything
   * @throws IOException when the kernel, the file system or an agent refuses
   */
  public static LabCluster stand(
      Scene scene, LabHome home, AgentLauncher launcher, Optional<Path> deploy, Console console)
      throws IOException, InterruptedException {
    Topology topology = Topology.build(home.namespacePrefix(), scene.underlay());
    LabCluster cluster;
    try {
      ApiMachine machine = ApiMachine.start(scene, topology.machine(Scene.API), deploy);
      try {
        Measurement measurement = Measurement.open(scene.fabric().vxlanPort());
        cluster = new LabCluster(scene, home, launcher, topology, machine, measurement);
      } catch (KernelException | RuntimeException e) {
        machine.close();
        throw e;
      }
    } catch (IOException | RuntimeException e) {
      topology.close();
      throw e;
    }
    try {
      cluster.build(console);
      return cluster;
    } catch (IOException | RuntimeException | InterruptedException e) {
      cluster.close();
      throw e;
    }
  }

  private void build(Console console) throws IOException, InterruptedException {
    long begun = System.nanoTime();
    fillApi();
    for (SceneNode node : scene.nodes()) {
      startAgent(node.name());
    }
    console.done("built " + scene.nodes().size() + " nodes, started " + launcher.describe(), begun);
    long pods = System.nanoTime();
    try (ExecutorService hands =
        Executors.newFixedThreadPool(
            HANDS, Thread.ofPlatform().name("sund-lab-", 0).daemon(true).factory())) {
      createPods();
      openNodeSites();
      List<Future<List<ScenePod>>> work = new ArrayList<>();
      for (SceneNode node : scene.nodes()) {
        work.add(hands.submit(() -> startPods(node)));
      }
      List<ScenePod> running = new ArrayList<>();
      for (Future<List<ScenePod>> node : work) {
        running.addAll(finish(node));
      }
      running.sort(Comparator.comparing(pod -> pod.pod().key()));
      scene = scene.withPods(running);
    }
    playServices();
    console.done("attached " + scene.pods().size() + " pods", pods);
  }

  private void playServices() throws KernelException {
    services.play(scene);
    topology.setRoutes(services.ways(scene));
  }

  private static <T> T finish(Future<T> work) throws IOException, InterruptedException {
    try {
      return work.get();
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException cause -> throw cause;
        case RuntimeException cause -> throw cause;
        case InterruptedException cause -> throw cause;
        case null, default -> throw new IllegalStateException(e.getCause());
      }
    }
  }

  private void fillApi() throws IOException {
    scene.objects().forEach(api()::put);
    scene.nodes().forEach(node -> api().put(node.tree()));
    scene.pods().forEach(pod -> api().put(pod.tree()));
    machine.openToPeople(home.kubeconfig());
  }

  private Order order(SceneNode node) throws IOException {
    Path directory = home.directory().resolve(node.name().text());
    Files.createDirectories(directory);
    Path kubeconfig = directory.resolve("kubeconfig");
    Family family = node.node().addresses().getFirst().family();
    machine.writeAgentConfig(kubeconfig, family, "lab-" + node.name());
    NetNs namespace = topology.machine(node.name().text());
    int boot = boots.merge(node.name(), 1, Integer::sum);
    return new Order(
        node.name(),
        namespace,
        kubeconfig,
        scene.fabric(),
        directory,
        StateDir.bootIdOfThisKernel() + "-" + boot);
  }

  /** Starts the agent of a node that has none; from the cluster's own thread. */
  public void startAgent(NodeName name) throws IOException, InterruptedException {
    Order order = orders.get(name);
    if (order == null) {
      order = order(node(name));
      orders.put(name, order);
    }
    agents.put(name, launcher.start(order));
  }

  /** Starts an agent in place of one that was killed, and waits until it answers. */
  public void startAgentAgain(NodeName name) throws IOException, InterruptedException {
    Order order = order(name);
    Files.deleteIfExists(order.runDirectory().resolve("agent.sock")); // the killed one's
    startAgent(name);
    awaitSocket(order, agent(name));
  }

  private SceneNode node(NodeName name) {
    return scene
        .node(name)
        .orElseThrow(() -> new IllegalArgumentException("the lab has no node " + name));
  }

  /** The agent of a node. */
  public AgentLauncher.Running agent(NodeName name) {
    AgentLauncher.Running agent = agents.get(name);
    if (agent == null) {
      throw new IllegalArgumentException("the lab has no node " + name);
    }
    return agent;
  }

  private void createPods() throws KernelException {
    for (ScenePod pod : scene.pods()) {
      if (!pod.pod().hostNetwork()) {
        topology.createPod(pod.pod().key());
      }
    }
  }

  private void openNodeSites() throws KernelException, InterruptedException {
    for (SceneNode node : scene.nodes()) {
      String name = node.name().text();
      enter(node);
      measurement.watch(name, topology.machine(topology.router()), topology.port(name));
    }
    measurement.enter(
        new Site(
            new FromOutside(Scene.OUTSIDE),
            Scene.OUTSIDE,
            topology.machine(Scene.OUTSIDE),
            scene.addresses(Scene.OUTSIDE),
            List.of(),
            false));
    for (var host : scene.underlay().hosts()) {
      for (Ip ip : scene.addresses(host.name())) {
        measurement.name(ip, host.name());
      }
    }
  }

  private void enter(SceneNode node) throws KernelException, InterruptedException {
    String name = node.name().text();
    FromNode origin = new FromNode(node.name());
    List<Ip> addresses = node.node().addresses();
    measurement.enter(
        new Site(origin, name, topology.machine(name), addresses, ports(origin), true));
  }

  private void enter(ScenePod pod) throws KernelException, InterruptedException {
    var origin = Listeners.origin(pod.pod());
    NetNs namespace = topology.pod(pod.pod().key()).orElseThrow();
    measurement.enter(
        new Site(origin, pod.node().text(), namespace, pod.pod().ips(), ports(origin), false));
  }

  private List<Port> ports(dev.sund.engine.trace.Packet.Origin origin) {
    return List.copyOf(listeners.of(origin));
  }

  /**
   * On a helper's thread: a node's pods one after the other, as a kubelet starts them.
   *
   * @return the pods as they run
   */
  private List<ScenePod> startPods(SceneNode node) throws IOException, InterruptedException {
    awaitSocket(order(node.name()), agent(node.name()));
    Kubelet kubelet = kubelet(node.name());
    List<ScenePod> started = new ArrayList<>();
    for (ScenePod pod : scene.pods()) {
      if (!pod.node().equals(node.name())) {
        continue;
      }
      NetNs namespace = topology.pod(pod.pod().key()).orElse(topology.machine(node.name().text()));
      ScenePod running = kubelet.start(pod, namespace);
      started.add(running);
      if (!pod.pod().hostNetwork()) {
        enter(running);
      }
    }
    return started;
  }

  private Kubelet kubelet(NodeName name) {
    Order order = orders.get(name);
    if (order == null) {
      throw new IllegalArgumentException("node " + name + " has no agent");
    }
    return new Kubelet(
        order.runDirectory(),
        api(),
        node(name).node().addresses(),
        scene.fabric().addresses().mode());
  }

  private static void awaitSocket(Order order, AgentLauncher.Running agent)
      throws IOException, InterruptedException {
    Path socket = order.runDirectory().resolve("agent.sock");
    long deadline = System.nanoTime() + AGENT_LIMIT.toNanos();
    while (!Files.exists(socket)) {
      if (!agent.alive() || System.nanoTime() > deadline) {
        throw new IOException(
            "the agent of node "
                + order.node()
                + (agent.alive() ? " does not answer within " + AGENT_LIMIT : " has ended")
                + "; the end of its log:\n"
                + tail(order.log()));
      }
      Thread.sleep(5);
    }
  }

  private static String tail(Path log) throws IOException {
    if (!Files.exists(log)) {
      return "(there is no log)";
    }
    List<String> lines = Files.readAllLines(log);
    return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
  }

  /** Whether the API server's objects have changed since {@link #follow} was called. */
  public boolean hasChanged() {
    return api().resourceVersion() != followed;
  }

  /**
   * Starts and ends pods, so that those stand which the API server has.
   *
   * @param say told a line for each pod
   */
  public void follow(Consumer<String> say) throws IOException, InterruptedException {
    long version = -1;
    while (version != api().resourceVersion()) { // what is done here changes objects too
      version = api().resourceVersion();
      Scene before = scene;
      scene = follower.follow(scene, dead, say);
      if (!scene.pods().equals(before.pods())) {
        enterAgain(before); // who is in a slice listens already
      }
      playServices();
    }
    followed = version;
  }

  private void enterAgain(Scene before) throws KernelException, InterruptedException {
    Listeners old = listeners;
    listeners = listeners(scene);
    for (ScenePod pod : before.pods()) {
      if (!scene.pods().contains(pod) && !pod.pod().hostNetwork()) {
        measurement.leave(Listeners.origin(pod.pod()));
      }
    }
    for (ScenePod pod : scene.pods()) {
      if (!before.pods().contains(pod) && !pod.pod().hostNetwork()) {
        enter(pod);
      }
    }
    for (SceneNode node : scene.nodes()) {
      FromNode origin = new FromNode(node.name());
      if (!dead.contains(node.name()) && !old.of(origin).equals(listeners.of(origin))) {
        measurement.leave(origin); // its new sockets want the same ports
        enter(node);
      }
    }
  }

  /** Switches a node off: agent, kernel, pods, all at once. */
  public void killNode(NodeName name) throws IOException, InterruptedException {
    String off = node(name).name().text();
    if (!dead.add(name)) {
      throw new IllegalArgumentException("node " + name + " is switched off already");
    }
    agent(name).kill();
    measurement.leave(new FromNode(name));
    for (ScenePod pod : scene.pods()) {
      if (pod.node().equals(name) && !pod.pod().hostNetwork()) {
        measurement.leave(Listeners.origin(pod.pod()));
        topology.removePod(pod.pod().key());
      }
    }
    topology.switchOff(off);
  }

  /** Boots a node, switching it off first if need be: an empty kernel, an agent, its pods anew. */
  public void restartNode(NodeName name) throws IOException, InterruptedException {
    SceneNode node = node(name);
    if (!dead.contains(name)) {
      killNode(name);
    }
    topology.switchOn(name.text());
    dead.remove(name);
    Order order = order(node);
    orders.put(name, order);
    startAgentAgain(name);
    enter(node);
    measurement.watch(name.text(), topology.machine(topology.router()), topology.port(name.text()));
    List<ScenePod> pods = new ArrayList<>();
    for (ScenePod pod : scene.pods()) {
      boolean here = pod.node().equals(name);
      pods.add(here ? follower.start(anew(pod)) : pod);
      if (here && !pod.pod().hostNetwork()) {
        enter(pods.getLast());
      }
    }
    scene = scene.withPods(pods);
  }

  /** A pod whose node has booted: where the agents give addresses, it gets others. */
  private ScenePod anew(ScenePod pod) {
    return scene.addressesFromPools() && !pod.pod().hostNetwork() ? pod.with(List.of()) : pod;
  }

  /** Where the agent of this node answers. */
  LocalClient ask(NodeName name) {
    return new LocalClient(order(name).runDirectory());
  }

  private Order order(NodeName name) {
    return Optional.ofNullable(orders.get(name))
        .orElseThrow(() -> new IllegalArgumentException("node " + name + " has no agent"));
  }

  /** Whether this node is switched off. */
  public boolean isDead(NodeName name) {
    return dead.contains(name);
  }

  /** The namespace of a pod, given as NAMESPACE/NAME, or of a machine. */
  public NetNs place(String name) {
    for (ScenePod pod : scene.pods()) {
      if (pod.pod().key().toString().equals(name)) {
        return topology.pod(pod.pod().key()).orElseGet(() -> topology.machine(pod.node().text()));
      }
    }
    return topology.machine(name);
  }

  /** Waits until each kernel holds what is wanted, or nothing has changed for long enough. */
  public ClusterPrograms settle() throws KernelException, InterruptedException {
    long deadline = System.nanoTime() + SETTLE_LIMIT.toNanos();
    ClusterPrograms last = programs();
    long changed = System.nanoTime();
    while (!last.settled()) {
      Thread.sleep(SETTLE_STEP);
      ClusterPrograms now = programs();
      long time = System.nanoTime();
      if (!now.drift().equals(last.drift())) {
        changed = time;
      }
      last = now;
      if (time > deadline || time - changed > STILL.toNanos()) {
        break; // drift that nobody repairs
      }
    }
    return last;
  }

  /** The programs as they are now. */
  public ClusterPrograms programs() throws KernelException {
    return ClusterPrograms.read(scene, topology, dead, api().snapshot());
  }

  /** A node's answers to packets that came by a tunnel have the tunnel's address. */
  private void nameTunnels(ClusterPrograms programs) throws KernelException, InterruptedException {
    for (var program : programs.inForce().entrySet()) {
      for (Tunnel tunnel : program.getValue().tunnels().values()) {
        if (tunnel.address().isPresent()) {
          measurement.name(tunnel.address().get(), program.getKey().text());
        }
      }
    }
  }

  /** The questions that the scene raises. */
  public List<Question> questions(boolean everyPair) {
    List<Question> all = new ArrayList<>(QuestionPlan.of(scene, listeners, everyPair));
    all.addAll(ServiceQuestions.of(scene, services.services(), all.size()));
    if (dead.isEmpty()) {
      return all;
    }
    Set<String> off = new TreeSet<>();
    dead.forEach(name -> off.add(name.text()));
    return Question.renumbered(
        all.stream().filter(question -> !off.contains(question.from().machine())).toList());
  }

  /** Predicts and measures; once more when a kernel was changed meanwhile. */
  public Matrix matrix(List<Question> questions) throws KernelException, InterruptedException {
    ClusterPrograms before = settle();
    nameTunnels(before);
    for (int attempt = 0; ; attempt++) {
      Prediction wanted = new Prediction(before.wanted(), topology.underlay(), listeners);
      Prediction inForce = new Prediction(before.inForce(), topology.underlay(), listeners);
      List<Question> sized = new ArrayList<>();
      for (Question question : questions) {
        sized.add(
            question.kind() == Question.Kind.MTU
                ? question.withSizes(sizes(wanted.answer(question), inForce.answer(question)))
                : question);
      }
      forgetPaths();
      List<Answer> measured = measurement.ask(sized);
      lastAsked = System.nanoTime();
      ClusterPrograms after = programs();
      if (!after.inForce().equals(before.inForce()) && attempt < 2) {
        before = after;
        continue;
      }
      List<Cell> cells = new ArrayList<>();
      for (int i = 0; i < questions.size(); i++) {
        Question question = questions.get(i);
        cells.add(
            new Cell(question, wanted.answer(question), inForce.answer(question), measured.get(i)));
      }
      return new Matrix(cells, after.drift());
    }
  }

  /** Waits until what the last measurement's packets taught the kernels about MTUs is forgotten. */
  private void forgetPaths() throws InterruptedException {
    Duration since = Duration.ofNanos(System.nanoTime() - lastAsked);
    Duration left = Topology.LEARNT_MTU.plusMillis(100).minus(since);
    if (left.isPositive()) {
      Thread.sleep(left);
    }
  }

  /** Where to begin: what is expected to arrive, and one byte more. */
  private static List<Integer> sizes(Answer... expected) {
    SortedSet<Integer> sizes = new TreeSet<>();
    for (Answer answer : expected) {
      if (answer instanceof Answer.Mtu(int bytes, var _) && bytes > 0) {
        sizes.add(bytes);
        sizes.add(bytes + 1);
      }
    }
    return List.copyOf(sizes);
  }

  /** The scene that stands. */
  public Scene scene() {
    return scene;
  }

  /** Its Services that can be used as written. */
  public List<Service> services() {
    return services.services();
  }

  /** Its machines and links. */
  public Topology topology() {
    return topology;
  }

  /** Who answers where. */
  public Listeners listeners() {
    return listeners;
  }

  /** Its API server. */
  public LabApi api() {
    return machine.api();
  }

  @Override
  public void close() {
    measurement.close();
    for (AgentLauncher.Running agent : agents.values()) {
      try {
        agent.kill(); // nothing to be kept: its namespaces go too
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
    agents.clear();
    machine.close();
    topology.close();
  }
}
