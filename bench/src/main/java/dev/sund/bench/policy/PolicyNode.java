package dev.sund.bench.policy;

import dev.sund.bench.traffic.Connecting;
import dev.sund.bench.traffic.Programs;
import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.nft.BridgeTableDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.dataplane.nft.OwnCommits;
import dev.sund.dataplane.nft.PolicyDriver;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.PolicyCompiler;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A node with three pods: a client, one that many policies select, and one that one selects.
 * Namespaces whose names begin with {@code pol-}, which end with the benchmark's process.
 */
final class PolicyNode implements AutoCloseable {
  static final int POLICIES = 200;
  static final int RULES = 10;
  private static final int PORT = 8080;
  private static final String SHOP = "shop";

  private final String name;
  private final boolean bridged;
  private final Map<String, Ip> pods = new LinkedHashMap<>();
  private final Map<String, NetSocket> servers = new LinkedHashMap<>();
  private final PolicyCompiler compiler = new PolicyCompiler();
  private final List<Driver> drivers;

  private PolicyNode(String name, boolean bridged, boolean keeping)
      throws IOException, KernelException {
    this.name = "pol-" + name;
    this.bridged = bridged;
    Programs.run("ip netns add " + this.name);
    run("ip link set lo up");
    run("sysctl -qw net.ipv4.ip_forward=1");
    if (bridged) {
      // As Sund makes a bridge: it shows the node's rules what it forwards.
      run("ip link add br0 type bridge nf_call_iptables 1 nf_call_ip6tables 1");
      run("ip address add 11.99.9.1/24 dev br0");
      run("ip link set br0 up");
    }
    OwnCommits commits = new OwnCommits();
    NftSocket policies = NftSocket.open(node());
    NftSocket frames = NftSocket.open(node());
    this.drivers =
        List.of(
            new PolicyDriver(
                keeping ? NftPort.keepingPolicies(policies) : NftPort.ofPolicies(policies),
                FailPoint.NONE,
                commits),
            new BridgeTableDriver(
                keeping ? NftPort.keepingBridges(frames) : NftPort.ofBridges(frames),
                FailPoint.NONE,
                commits));
  }

  /**
   * Makes one, with all policies in force.
   *
   * @param bridged whether all pods are on one bridge
   * @param keeping whether the tables are the drivers' alone, where the kernel can do that
   */
  static PolicyNode make(String name, boolean bridged, boolean keeping) throws Exception {
    PolicyNode node = new PolicyNode(name, bridged, keeping);
    int number = 5;
    for (String pod : List.of("client", "many", "few")) {
      node.pod(pod, number++);
    }
    node.compiler.put(new Namespace(SHOP, "u", 1, Map.of()));
    for (int i = 0; i < POLICIES; i++) {
      node.policy("many-" + i, "many", rules(i));
    }
    node.policy("few", "few", List.of(open(0)));
    node.write();
    return node;
  }

  private NetNs node() throws KernelException {
    return NetNs.named(name);
  }

  private void run(String command) throws IOException {
    Programs.run("ip netns exec " + name + " " + command);
  }

  private void pod(String pod, int number) throws IOException, KernelException {
    String inside = name + "-" + pod;
    String net = bridged ? "11.99.9" : "11.99." + number;
    Ip ip = Ip.parse(net + "." + number);
    pods.put(pod, ip);
    Programs.run("ip netns add " + inside);
    Programs.run(
        "ip link add eth0 netns " + inside + " type veth peer name " + pod + " netns " + name);
    Programs.run("ip -n " + inside + " address add " + ip + "/24 dev eth0");
    Programs.run("ip -n " + inside + " link set eth0 up");
    if (bridged) {
      run("ip link set " + pod + " master br0");
    } else {
      run("ip address add " + net + ".1/24 dev " + pod);
    }
    run("ip link set " + pod + " up");
    Programs.run("ip -n " + inside + " route add default via " + net + ".1");
    NetNs serving = NetNs.named(inside);
    servers.put(
        pod,
        serving
            .call(() -> NetSocket.tcp(Family.V4))
            .bind(Endpoint.any(Family.V4, PORT))
            .listen(1024));
    compiler.put(
        new PolicyPod(
            new PodKey(SHOP, pod),
            "u",
            1,
            Map.of("app", pod),
            false,
            false,
            List.of(ip),
            List.of()));
    compiler.attach(new PodKey(SHOP, pod), List.of(ip));
  }

  private void policy(String policy, String pods, List<Policy.Rule> rules) {
    compiler.put(
        new Policy(
            new ObjectRef(Policy.NETWORK_POLICY, SHOP + "/" + policy),
            "uid",
            1,
            1,
            Policy.Tier.NAMESPACE,
            0,
            Policy.Pods.in(SHOP, LabelSelector.of(Map.of("app", pods))),
            Set.of(Direction.INGRESS),
            rules));
  }

  /**
   * Rules for others, with ranges and ports of their own; the last policy's last is the client's.
   */
  private static List<Policy.Rule> rules(int policy) {
    List<Policy.Rule> rules = new ArrayList<>();
    for (int i = 0; i < RULES; i++) {
      int place = policy * RULES + i;
      rules.add(
          place == POLICIES * RULES - 1
              ? open(i)
              : new Policy.Rule(
                  Direction.INGRESS,
                  i,
                  "",
                  Policy.Action.ACCEPT,
                  List.of(
                      new Policy.Block(
                          Prefix.around(Ip.parse("20.0.0.0").plus(place * 256L), 24), List.of())),
                  List.of(new Policy.PortRange(Protocol.TCP, 10_000 + place, 10_000 + place))));
    }
    return rules;
  }

  private static Policy.Rule open(int index) {
    return new Policy.Rule(
        Direction.INGRESS,
        index,
        "",
        Policy.Action.ACCEPT,
        List.of(Policy.Pods.in(SHOP, LabelSelector.of(Map.of("app", "client")))),
        List.of(new Policy.PortRange(Protocol.TCP, PORT, PORT)));
  }

  private void write() throws KernelException {
    List<Change<String, BridgePort>> ports = new ArrayList<>();
    if (bridged) {
      pods.forEach((pod, ip) ->
          ports.add(
              new Change.Put<>(
                  pod,
                  new BridgePort(pod, "br0", List.of(ip), RuleId.of(RuleId.CONTAINER, pod, "")),
                  Optional.empty())));
    }
    ProgramDelta delta =
        new ProgramDelta(
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            compiler.compile(),
            ports);
    for (Driver driver : drivers) {
      driver.resync();
      driver.allowSweep();
      driver.want(delta);
      ApplyReport report = driver.apply(Step.PUT, Integer.MAX_VALUE);
      Checks.that(report.failed().isEmpty(), "not applied: " + report.failed());
    }
  }

  /** Microseconds that a connection of the client to this pod takes. */
  double connect(String pod) throws KernelException {
    NetSocket server = java.util.Objects.requireNonNull(servers.get(pod));
    Ip ip = java.util.Objects.requireNonNull(pods.get(pod));
    return Connecting.micros(NetNs.named(name + "-client"), server, new Endpoint(ip, PORT));
  }

  /** A socket in a pod's namespace for datagrams, at this port; 0 for any. */
  NetSocket datagrams(String pod, int port) throws KernelException {
    return NetNs.named(name + "-" + pod)
        .call(() -> NetSocket.udp(Family.V4))
        .bind(Endpoint.any(Family.V4, port));
  }

  /** Where datagrams to a pod go. */
  Endpoint at(String pod, int port) {
    return new Endpoint(java.util.Objects.requireNonNull(pods.get(pod)), port);
  }

  /** What nftables.service does when it is reloaded. */
  void flush() throws IOException {
    run("nft flush ruleset");
  }

  /** Reads the tables, and writes what is missing. */
  void repair() throws KernelException {
    for (Driver driver : drivers) {
      driver.resync();
      ApplyReport report = driver.apply(Step.PUT, Integer.MAX_VALUE);
      Checks.that(report.failed().isEmpty(), "not applied: " + report.failed());
    }
  }

  @Override
  public void close() {
    servers.values().forEach(NetSocket::close);
    drivers.forEach(Driver::close);
  }
}
