package dev.sund.it.agent;

import dev.sund.agent.cni.CniFiles;
import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalClient;
import dev.sund.agent.trace.KnownCluster;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.engine.trace.Underlay;
import dev.sund.it.house.BuiltSund;
import dev.sund.kernel.NetNs;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.Rbac;
import dev.sund.lab.api.Resource;
import dev.sund.lab.api.Subject;
import dev.sund.lab.topology.Topology;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/**
 * A small cluster for tests of the agent: n1 and n2 on one subnet, n3 on another behind a router,
 * each with a real agent process; an API server in the router's namespace; pods attached over the
 * agents' sockets as a container runtime would.
 *
 * <p>One thread at a time. Closing ends the processes and removes the namespaces.
 */
public final class AgentScene implements AutoCloseable {
  private static final String TOKEN = "scene";
  private static final List<Integer> SUBNETS = List.of(1, 1, 2);

  /** Where there is no agent it is refused at once: a late page is no page that fails. */
  private static final int PAGE_MILLIS = 20_000;

  /** A pod that stands. */
  public record PodHandle(PodKey key, int node, String containerId, NetNs netns, Ip v4, Ip v6) {}

  private final Path directory;
  private final String prefix;
  private final Topology topology;
  private final LabApi api;
  private final Path kubeconfig;
  private ServerSocket listener;
  private final Map<Integer, Process> agents = new TreeMap<>();
  private final Map<String, PodHandle> pods = new LinkedHashMap<>();
  private final List<String> extraJvmFlags = new ArrayList<>();
  private final List<Path> firstClasses = new ArrayList<>();
  private Mode mode = Mode.KUBERNETES;
  private Optional<CniFiles> cni = Optional.empty();
  private int sequence;

  private AgentScene(Path directory) throws Exception {
    this.directory = directory;
    this.prefix = "sundt-" + Long.toString(ProcessHandle.current().pid(), 36) + "-";
    this.topology = Topology.build(prefix, underlay());
    boolean complete = false;
    this.api = new LabApi(InstantSource.system());
    try {
      api.allow(Rbac.read(root().resolve("deploy/rbac.yaml")));
      api.apply(root().resolve("deploy/lease.yaml"));
      api.token(TOKEN, Subject.serviceAccount("kube-system", "sund-agent"));
      this.listener = serveApi();
      this.kubeconfig = directory.resolve("kubeconfig");
      Files.writeString(kubeconfig, Kubeconfig.text("http://192.168.1.254:6443", TOKEN));
      for (int node = 1; node <= SUBNETS.size(); node++) {
        api.put(nodeObject(node));
      }
      complete = true;
    } finally {
      if (!complete) {
        close();
      }
    }
  }

  /** Builds machines and the API server; agents come with {@link #startAgent}. */
  public static AgentScene build(Path directory) throws Exception {
    return new AgentScene(directory);
  }

  /** How many nodes there are; they are numbered from 1. */
  public int nodes() {
    return SUBNETS.size();
  }

  /** The machines. */
  public Topology topology() {
    return topology;
  }

  /** The API server. */
  public LabApi api() {
    return api;
  }

  /** The namespace of a node. */
  public NetNs node(int node) {
    return topology.machine("n" + node);
  }

  /** Where addresses come from on agents that start from now on. */
  public void addressesFrom(Mode changed) {
    mode = changed;
  }

  /** What agents that start from now on write for the container runtime. */
  public void cni(CniFiles files) {
    cni = Optional.of(files);
  }

  /** Flags for the JVM of agents that start from now on. */
  public void jvmFlags(String... flags) {
    extraJvmFlags.clear();
    extraJvmFlags.addAll(List.of(flags));
  }

  /** Folders of classes that stand before all others in agents that start from now on. */
  public void classesFirst(Path... folders) {
    firstClasses.clear();
    firstClasses.addAll(List.of(folders));
  }

  /** Starts the agent of every node and waits until all are ready. */
  public void startAll() throws Exception {
    for (int node = 1; node <= nodes(); node++) {
      startAgent(node);
    }
    for (int node = 1; node <= nodes(); node++) {
      awaitReady(node, Duration.ofSeconds(60));
    }
  }

  /** Starts a node's agent; does not wait. */
  public Process startAgent(int node) throws IOException {
    return startAgent(node, "");
  }

  /** Starts a node's agent with a bounding set of capabilities, as setpriv has it; empty: all. */
  public Process startAgent(int node, String capabilities) throws IOException {
    Path log = log(node);
    // The agents yield to the traffic that watches them: two cores are few for all of a cluster.
    List<String> command = new ArrayList<>(List.of("nice", "-n", "15"));
    command.add("nsenter");
    command.add("--net=" + node(node).path());
    if (!capabilities.isEmpty()) {
      command.addAll(List.of("setpriv", "--inh-caps", "-all", "--bounding-set", capabilities));
    }
    command.addAll(agentCommand(node));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
            .start();
    agents.put(node, process);
    return process;
  }

  /** How a JVM with an agent's main class is started: as users have it where that is built. */
  private List<String> agentJvm() throws IOException {
    List<String> options = new ArrayList<>(List.of("-Xmx48m", "-Xss256k"));
    options.addAll(extraJvmFlags);
    Optional<BuiltSund> built = firstClasses.isEmpty() ? BuiltSund.here() : Optional.empty();
    if (built.isPresent()) {
      return built
          .get()
          .command(
              "agent", options, List.of(BuiltSund.testClasses()), AgentProcess.class.getName());
    }
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:+UseSerialGC",
            "-XX:+UseCompactObjectHeaders",
            "-XX:TieredStopAtLevel=1",
            "-Xms16m",
            "-Xshare:auto",
            "--enable-native-access=ALL-UNNAMED"));
    command.addAll(options);
    StringBuilder classPath = new StringBuilder();
    firstClasses.forEach(folder -> classPath.append(folder).append(File.pathSeparatorChar));
    command.add("-cp");
    command.add(classPath.append(System.getProperty("java.class.path")).toString());
    command.add(AgentProcess.class.getName());
    return command;
  }

  /** The command that is a node's agent, without the namespace. */
  public List<String> agentCommand(int node) throws IOException {
    List<String> command = new ArrayList<>(agentJvm());
    command.addAll(
        List.of(
            kubeconfig.toString(),
            "n" + node,
            runDir(node).toString(),
            stateDir(node).toString(),
            "127.0.0.1:9470",
            mode.name()));
    cni.ifPresent(files ->
        command.addAll(
            List.of(
                files.confDir().toString(), files.binDir().toString(), files.plugin().toString())));
    return command;
  }

  /** A node's agent, as last started. */
  public Process agent(int node) {
    Process process = agents.get(node);
    if (process == null) {
      throw new IllegalStateException("node " + node + " has no agent");
    }
    return process;
  }

  /** Whether a node's agent was ever started. */
  public boolean hasAgent(int node) {
    return agents.containsKey(node);
  }

  /** Kills a node's agent as {@code kill -9} does, and waits until it is gone. */
  public void kill(int node) throws InterruptedException {
    agent(node).destroyForcibly().waitFor();
  }

  /** Ends a node's agent by SIGTERM, and waits until it is gone. */
  public void terminate(int node) throws InterruptedException {
    Process process = agent(node);
    process.destroy();
    if (!process.waitFor(30, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
      throw new AssertionError("the agent of n" + node + " did not end within 30 s");
    }
  }

  /** Waits until {@code /readyz} says 200. */
  public void awaitReady(int node, Duration limit) throws Exception {
    await("n" + node + " ready", limit, () -> get(node, "/readyz").startsWith("HTTP/1.1 200"));
  }

  /**
   * Waits until the engine of a node's agent has been told of an object: what is put into the API
   * server is known to the agent a moment later.
   */
  public void awaitTold(int node, ObjectRef object, Duration limit) throws Exception {
    await(
        "n" + node + " is told of " + object,
        limit,
        () ->
            known(node)
                .filter(cluster ->
                    cluster.words().cluster().stream()
                        .anyMatch(event -> event.key().equals(object)))
                .isPresent());
  }

  /** As {@link #awaitTold(int, ObjectRef, Duration)}, of a pod and the agent of its node. */
  public void awaitTold(PodHandle pod, Duration limit) throws Exception {
    awaitTold(pod.node(), new ClusterEvent.PodGone(pod.key()).key(), limit);
  }

  /** As {@link #awaitTold}, and until the kernel has what the agent made of it. */
  public void awaitDone(int node, ObjectRef object, Duration limit) throws Exception {
    awaitTold(node, object, limit);
    long program = known(node).orElseThrow().program();
    await(
        "n" + node + " has done program " + program,
        limit,
        () -> {
          String answer = client(node).ask(Map.of("command", "STATUS")).json();
          Map<String, Object> status = Json.object(answer.getBytes(StandardCharsets.UTF_8));
          return Json.number(status, "applied") >= program && Json.number(status, "pending") == 0;
        });
  }

  /** What a node's agent knows; empty before it knows the cluster. */
  private Optional<KnownCluster> known(int node) throws Exception {
    Answer answer = client(node).ask(KnownCluster.question());
    return answer.exitCode() == 0
        ? Optional.of(KnownCluster.of(Json.object(answer.json().getBytes(StandardCharsets.UTF_8))))
        : Optional.empty();
  }

  /** Waits until a condition holds. */
  public void await(String what, Duration limit, Probe probe) throws Exception {
    long deadline = System.nanoTime() + limit.toNanos();
    while (!probe.holds()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            "not within " + limit + ": " + what + "\n" + String.join("\n", lastLines()));
      }
      Thread.sleep(5);
    }
  }

  /** Something that holds or does not hold yet. */
  @FunctionalInterface
  public interface Probe {
    /** Whether it holds. */
    boolean holds() throws Exception;
  }

  /** A page of a node's agent, headers included; empty when there is none. */
  public String get(int node, String path) throws Exception {
    try (Socket socket =
        node(node)
            .call(() -> {
              Socket made = new Socket();
              made.setSoTimeout(PAGE_MILLIS);
              return made;
            })) {
      socket.connect(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 9470), PAGE_MILLIS);
      socket
          .getOutputStream()
          .write(
              ("GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n")
                  .getBytes(StandardCharsets.US_ASCII));
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException _) {
      return "";
    }
  }

  /** The value of a metric's line, such as {@code sund_ready}; 0 when there is none. */
  public double metric(int node, String line) throws Exception {
    return get(node, "/metrics")
        .lines()
        .filter(text -> text.startsWith(line + " "))
        .mapToDouble(text -> Double.parseDouble(text.substring(text.lastIndexOf(' ') + 1)))
        .findFirst()
        .orElse(0);
  }

  /** What a node's agent has written. */
  public String logText(int node) throws IOException {
    Path log = log(node);
    return Files.exists(log) ? Files.readString(log) : "";
  }

  /** Attaches a new pod and tells the API server. */
  public PodHandle addPod(String name, int node) throws Exception {
    PodHandle pod = makePod(name, node);
    attach(pod);
    return pod;
  }

  /** Makes a pod's namespace and chooses its addresses. */
  public PodHandle makePod(String name, int node) throws Exception {
    int number = ++sequence;
    PodKey key = new PodKey("shop", name);
    Ip v4 = Ip.parse("10.244." + node + "." + (10 + number));
    Ip v6 = Ip.parse("fd00:10:244:" + node + "::" + Integer.toHexString(10 + number));
    return new PodHandle(key, node, "c" + number, topology.createPod(key), v4, v6);
  }

  /** Attaches a pod and tells the API server. */
  public void attach(PodHandle pod) throws Exception {
    Answer answer = ask(pod, "ADD");
    if (answer.exitCode() != 0) {
      throw new AssertionError("ADD " + pod.key() + ": " + answer.json() + "\n" + lastLines());
    }
    api.put(podObject(pod));
    pods.put(pod.key().name(), pod);
  }

  /** A node without a machine: its routes and tunnels' entries are made all the same. */
  public static Tree.Mapping emptyNode(int number, int subnet) {
    return nodeObject(number, subnet);
  }

  /** A pool as Calico has it. */
  public static Tree.Mapping pool(String name, String cidr) {
    return json(
        """
        {"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"%s"},
         "spec":{"cidr":"%s","vxlanMode":"CrossSubnet","natOutgoing":true}}
        """
            .formatted(name, cidr));
  }

  /** Tells the API server of a pod, before it has its network, as a scheduler does. */
  public void announce(PodHandle pod) {
    api.put(podObject(pod));
  }

  /** The pod of this name. */
  public PodHandle pod(String name) {
    PodHandle pod = pods.get(name);
    if (pod == null) {
      throw new IllegalArgumentException("no pod " + name);
    }
    return pod;
  }

  /** Sends a CNI command about a pod to its node's agent. */
  public Answer ask(PodHandle pod, String command) throws IOException {
    return client(pod.node())
        .ask(
            LocalClient.cniRequest(
                command,
                pod.containerId(),
                pod.netns().path().toString(),
                "eth0",
                "IgnoreUnknown=1;K8S_POD_NAMESPACE="
                    + pod.key().namespace()
                    + ";K8S_POD_NAME="
                    + pod.key().name()
                    + ";K8S_POD_UID="
                    + uid(pod),
                List.of(pod.v4() + "/32", pod.v6() + "/128")));
  }

  /** Detaches a pod and deletes it from the API server. */
  public void removePod(PodHandle pod) throws Exception {
    Answer answer = ask(pod, "DEL");
    if (answer.exitCode() != 0) {
      throw new AssertionError("DEL " + pod.key() + ": " + answer.json());
    }
    api.delete(Resource.PODS, pod.key().toString());
    topology.removePod(pod.key());
    pods.remove(pod.key().name());
  }

  /** Whether a new TCP connection from one pod to another carries a byte there and back. */
  public boolean reaches(PodHandle from, PodHandle to, Family family) throws Exception {
    InetAddress target =
        InetAddress.ofLiteral((family == Family.V4 ? to.v4() : to.v6()).toString());
    try (ServerSocket server =
            to.netns()
                .call(() -> {
                  ServerSocket made = new ServerSocket();
                  made.bind(new InetSocketAddress(target, 0));
                  made.setSoTimeout(2_000);
                  return made;
                });
        Socket client =
            from.netns()
                .call(() -> {
                  Socket made = new Socket();
                  made.setSoTimeout(2_000);
                  made.setTcpNoDelay(true); // makes the descriptor here
                  return made;
                })) {
      client.connect(new InetSocketAddress(target, server.getLocalPort()), 2_000);
      try (Socket accepted = server.accept()) {
        client.getOutputStream().write(42);
        int there = accepted.getInputStream().read();
        accepted.getOutputStream().write(there);
        return client.getInputStream().read() == 42;
      }
    } catch (IOException _) {
      return false;
    }
  }

  /** The local socket of a node's agent. */
  public LocalClient client(int node) {
    return new LocalClient(runDir(node));
  }

  /** Cuts the API server off: connections break and new ones are refused. */
  public void stopApi() throws IOException {
    listener.close();
    api.dropConnections();
  }

  /** Lets the API server answer again. */
  public void resumeApi() throws Exception {
    listener = serveApi();
  }

  /** Runs a program in a node's namespace and returns what it printed. */
  public String run(NetNs namespace, String... command) throws Exception {
    List<String> all = new ArrayList<>(List.of("nsenter", "--net=" + namespace.path()));
    all.addAll(List.of(command));
    Process process = new ProcessBuilder(all).redirectErrorStream(true).start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (process.waitFor() != 0) {
      throw new AssertionError(String.join(" ", command) + ": " + text);
    }
    return text;
  }

  /** A node's state directory. */
  public Path stateDir(int node) {
    return directory.resolve("state-n" + node);
  }

  /** The end of every agent's log, and its status. */
  public List<String> lastLines() throws IOException {
    List<String> lines = new ArrayList<>();
    for (int node = 1; node <= nodes(); node++) {
      List<String> all = logText(node).lines().toList();
      lines.addAll(all.subList(Math.max(0, all.size() - 25), all.size()));
      try {
        lines.add(client(node).ask(Map.of("command", "STATUS")).json());
      } catch (IOException e) {
        lines.add("n" + node + " gives no status: " + e.getMessage());
      }
    }
    return lines;
  }

  @Override
  public void close() throws IOException {
    for (Process process : agents.values()) {
      process.destroyForcibly();
    }
    for (Process process : agents.values()) {
      try {
        process.waitFor();
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
    }
    api.close();
    topology.close();
  }

  /** How agents reach the API server. */
  public Path kubeconfig() {
    return kubeconfig;
  }

  /** Starts another program as a node's agent, in the node's namespace; does not wait. */
  public Process startInstead(int node, List<String> program) throws IOException {
    List<String> command = new ArrayList<>(List.of("nsenter", "--net=" + node(node).path()));
    command.addAll(program);
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log(node).toFile()))
            .start();
    agents.put(node, process);
    return process;
  }

  /** Where a node's agent has its socket. */
  public Path runDir(int node) {
    return directory.resolve("run-n" + node);
  }

  private Path log(int node) {
    return directory.resolve("agent-n" + node + ".log");
  }

  private ServerSocket serveApi() throws Exception {
    ServerSocket socket =
        topology
            .machine("r")
            .call(() -> {
              ServerSocket made = new ServerSocket();
              made.setReuseAddress(true);
              made.bind(new InetSocketAddress(InetAddress.getByName("0.0.0.0"), 6443));
              return made;
            });
    api.serve(socket);
    return socket;
  }

  private static Underlay underlay() {
    List<Underlay.Host> hosts = new ArrayList<>();
    hosts.add(
        new Underlay.Host(
            "r", Underlay.Role.ROUTER, List.of(link("br1", 1, 254), link("br2", 2, 254))));
    for (int node = 1; node <= SUBNETS.size(); node++) {
      hosts.add(
          new Underlay.Host(
              "n" + node,
              Underlay.Role.NODE,
              List.of(link("eth0", SUBNETS.get(node - 1), 10 + node))));
    }
    return new Underlay(hosts, false);
  }

  private static Underlay.Link link(String device, int subnet, int host) {
    return new Underlay.Link(
        device,
        "s" + subnet,
        List.of(
            InterfaceAddress.parse("192.168." + subnet + "." + host + "/24"),
            InterfaceAddress.parse("fd00:192:168:" + subnet + "::" + host + "/64")),
        1500,
        true);
  }

  /** A node as the API server has it. */
  public static Tree.Mapping nodeObject(int node) {
    return nodeObject(node, SUBNETS.get(node - 1));
  }

  /** A node whose IPv4 address is another. */
  public static Tree.Mapping nodeObject(int node, String address) {
    int subnet = SUBNETS.get(node - 1);
    return nodeObject(node, subnet, address);
  }

  private static Tree.Mapping nodeObject(int node, int subnet) {
    return nodeObject(node, subnet, "192.168." + subnet + "." + (10 + node));
  }

  private static Tree.Mapping nodeObject(int node, int subnet, String address) {
    return json(
        """
        {"apiVersion":"v1","kind":"Node","metadata":{"name":"n%1$d"},
         "spec":{"podCIDR":"10.244.%1$d.0/24",
                 "podCIDRs":["10.244.%1$d.0/24","fd00:10:244:%1$d::/64"]},
         "status":{"addresses":[
           {"type":"InternalIP","address":"%4$s"},
           {"type":"InternalIP","address":"fd00:192:168:%2$d::%3$d"},
           {"type":"Hostname","address":"n%1$d"}]}}
        """
            .formatted(node, subnet, 10 + node, address));
  }

  private static Tree.Mapping podObject(PodHandle pod) {
    return json(
        """
        {"apiVersion":"v1","kind":"Pod",
         "metadata":{"namespace":"%s","name":"%s","uid":"%s","labels":{"app":"%2$s"}},
         "spec":{"nodeName":"n%d","containers":[{"name":"main","image":"none"}]},
         "status":{"phase":"Running","podIP":"%s","podIPs":[{"ip":"%s"},{"ip":"%s"}]}}
        """
            .formatted(
                pod.key().namespace(),
                pod.key().name(),
                uid(pod),
                pod.node(),
                pod.v4(),
                pod.v4(),
                pod.v6()));
  }

  private static String uid(PodHandle pod) {
    return "uid-" + pod.key().name();
  }

  private static Tree.Mapping json(String text) {
    try {
      return (Tree.Mapping) JsonTrees.parse(text);
    } catch (MalformedException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  /** The checkout. */
  static Path root() {
    String root = System.getProperty("sund.root");
    return root == null ? new File("").toPath().toAbsolutePath() : Path.of(root);
  }
}
