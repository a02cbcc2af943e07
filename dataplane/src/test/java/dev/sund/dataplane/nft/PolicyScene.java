package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.Action;
import dev.sund.engine.cluster.Policy.Peer;
import dev.sund.engine.cluster.Policy.PeerPort;
import dev.sund.engine.cluster.Policy.Tier;
import dev.sund.engine.policy.PolicyCompiler;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.PolicyTables;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/**
 * A node with two pods on links of their own, two on a bridge, and a host outside: each a
 * namespace; a compiler of policies and the driver that writes them.
 */
final class PolicyScene implements AutoCloseable {
  static final int PORT = 5432;
  private static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(60);

  final TestNetns net = TestNetns.open();
  final NetNs node = net.create("node");
  final Peerage web;
  final Peerage database;
  final Peerage left;
  final Peerage right;
  final Peerage outside;
  final PolicyCompiler compiler = new PolicyCompiler();
  PolicyDriver driver;
  private final List<Policy.Rule> rules = new ArrayList<>();
  private final Map<String, NetSocket> servers = new HashMap<>();
  private int token = (int) System.nanoTime();
  private final MessageBuffer buffer = new MessageBuffer(256);

  /** Somebody with an address of each family. */
  record Peerage(NetNs ns, Ip v4, Ip v6) {
    Ip ip(Family family) {
      return family == Family.V4 ? v4 : v6;
    }
  }

  PolicyScene() throws Exception {
    web = new Peerage(net.create("web"), Ip.parse("10.244.1.5"), Ip.parse("fd00:10::105"));
    database = new Peerage(net.create("db"), Ip.parse("10.244.1.6"), Ip.parse("fd00:10::106"));
    left = new Peerage(net.create("left"), Ip.parse("10.88.0.2"), Ip.parse("fd00:88::2"));
    right = new Peerage(net.create("right"), Ip.parse("10.88.0.3"), Ip.parse("fd00:88::3"));
    outside = new Peerage(net.create("outside"), Ip.parse("192.0.2.9"), Ip.parse("2001:db8::9"));
    run(node, "sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
    run(node, "ip link set lo up");
    routed(web, "pod-web");
    routed(database, "pod-db");
    TestNetns.link(node, "uplink", "192.0.2.1/24", "2001:db8::1/64", outside.ns(), "eth0");
    run(outside.ns(), "ip addr add 192.0.2.9/24 dev eth0");
    run(outside.ns(), "ip addr add 192.0.2.200/24 dev eth0");
    run(outside.ns(), "ip -6 addr add 2001:db8::9/64 dev eth0 nodad");
    run(outside.ns(), "ip -6 addr add 2001:db8::200/64 dev eth0 nodad");
    run(outside.ns(), "ip route add default via 192.0.2.1");
    run(outside.ns(), "ip -6 route add default via 2001:db8::1");
    run(node, "ip link add cni0 type bridge nf_call_iptables 1 nf_call_ip6tables 1");
    run(node, "ip link set cni0 group " + Marks.GROUP_BRIDGES + " up");
    run(node, "ip addr add 10.88.0.1/24 dev cni0");
    run(node, "ip -6 addr add fd00:88::1/64 dev cni0 nodad");
    run(node, "ip -6 addr add fe80::88/64 dev cni0 nodad");
    bridged(left, "port-left");
    bridged(right, "port-right");
    compiler.put(new Namespace("shop", "u", 1, Map.of("team", "shop")));
    pod("shop/web", web, Map.of("app", "web"));
    pod("shop/database", database, Map.of("app", "database"));
    pod("shop/left", left, Map.of("app", "left"));
    pod("shop/right", right, Map.of("app", "right"));
    driver = newDriver();
    driver.resync();
    driver.allowSweep();
    driver.want(locals());
    apply();
  }

  PolicyDriver newDriver() throws Exception {
    return new PolicyDriver(NftPort.ofPolicies(NftSocket.open(node)), FailPoint.NONE);
  }

  /** A driver as an agent has it, with all that is wanted. */
  PolicyDriver keepingDriver() throws Exception {
    PolicyDriver keeping =
        new PolicyDriver(NftPort.keepingPolicies(NftSocket.open(node)), FailPoint.NONE);
    keeping.resync();
    keeping.allowSweep();
    keeping.want(everything());
    return keeping;
  }

  private void routed(Peerage pod, String device) {
    TestNetns.link(pod.ns(), "eth0", pod.v4() + "/32", pod.v6() + "/128", node, device);
    run(node, "ip link set " + device + " group " + Marks.GROUP_PODS);
    run(node, "ip addr add 169.254.1.1/32 dev " + device);
    run(node, "ip -6 addr add fe80::1/64 dev " + device + " nodad");
    run(pod.ns(), "ip route add 169.254.1.1 dev eth0 scope link");
    run(pod.ns(), "ip route add default via 169.254.1.1");
    run(pod.ns(), "ip -6 route add default via fe80::1 dev eth0");
    run(node, "ip route add " + pod.v4() + " dev " + device);
    run(node, "ip -6 route add " + pod.v6() + " dev " + device);
  }

  private void bridged(Peerage pod, String device) {
    TestNetns.link(pod.ns(), "eth0", pod.v4() + "/24", pod.v6() + "/64", node, device);
    run(node, "ip link set " + device + " group " + Marks.GROUP_BRIDGE_PORTS + " master cni0");
    run(pod.ns(), "ip route add default via 10.88.0.1");
    run(pod.ns(), "ip -6 route add default via fd00:88::1");
  }

  // What is wanted.

  private void pod(String name, Peerage pod, Map<String, String> labels) {
    relabel(name, pod, labels);
    compiler.attach(PodKey.parse(name), List.of(pod.v4(), pod.v6()));
  }

  void relabel(String name, Peerage pod, Map<String, String> labels) {
    compiler.put(
        new PolicyPod(
            PodKey.parse(name),
            "u",
            1,
            labels,
            false,
            false,
            List.of(pod.v4(), pod.v6()),
            List.of()));
  }

  static LocalPod local(String device, String name, Peerage pod) {
    return new LocalPod(
        device,
        PodKey.parse(name),
        "u",
        List.of(pod.v4(), pod.v6()),
        Mac.parse("02:00:00:00:00:01"),
        1500,
        1500,
        RuleId.of("Pod", name, "u"));
  }

  static ProgramDelta pods(LocalPod... pods) {
    List<Change<String, LocalPod>> changes = new ArrayList<>();
    for (LocalPod pod : pods) {
      changes.add(new Change.Put<>(pod.device(), pod, Optional.empty()));
    }
    return delta(changes, PolicyDelta.NONE);
  }

  static ProgramDelta delta(List<Change<String, LocalPod>> pods, PolicyDelta policy) {
    return new ProgramDelta(
        pods, List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), policy);
  }

  private ProgramDelta locals() {
    return pods(local("pod-web", "shop/web", web), local("pod-db", "shop/database", database));
  }

  /** All that is wanted, as an agent that starts is told. */
  ProgramDelta everything() {
    PolicyTables tables = compiler.tables();
    return delta(
        locals().localPods(),
        new PolicyDelta(
            puts(tables.pods()),
            puts(tables.ports()),
            puts(tables.peers()),
            puts(tables.verdicts())));
  }

  private static <K, V> List<Change<K, V>> puts(Map<K, V> rows) {
    List<Change<K, V>> changes = new ArrayList<>();
    rows.forEach((key, row) -> changes.add(new Change.Put<>(key, row, Optional.empty())));
    return changes;
  }

  static LabelSelector app(String name) {
    return LabelSelector.of(Map.of("app", name));
  }

  PolicyScene allow(Direction direction, List<Peer> peers, List<PeerPort> ports) {
    int index = (int) rules.stream().filter(rule -> rule.direction() == direction).count();
    rules.add(new Policy.Rule(direction, index, "", Action.ACCEPT, peers, ports));
    return this;
  }

  /** A policy of namespace shop with the rules that were said before. */
  void isolating(String name, LabelSelector pods, Direction... directions) {
    compiler.put(
        new Policy(
            new ObjectRef(Policy.NETWORK_POLICY, "shop/" + name),
            "uid",
            1,
            1,
            Tier.NAMESPACE,
            0,
            Policy.Pods.in("shop", pods),
            Set.of(directions),
            rules));
    rules.clear();
  }

  void cluster(String name, Tier tier, Policy.Rule rule) {
    compiler.put(
        new Policy(
            new ObjectRef(Policy.CLUSTER_NETWORK_POLICY, name),
            "uid",
            1,
            1,
            tier,
            10,
            Policy.Pods.of(LabelSelector.ALL, LabelSelector.ALL),
            Set.of(),
            List.of(rule)));
  }

  void remove(String name) {
    compiler.remove(new ObjectRef(Policy.NETWORK_POLICY, "shop/" + name));
  }

  /** Hands what changed to the driver, which writes it. */
  List<String> apply() {
    driver.want(delta(List.of(), compiler.compile()));
    ApplyReport put = driver.apply(Step.PUT, 512);
    assertThat(put.failed()).isEmpty();
    List<String> done = new ArrayList<>();
    put.done().forEach(line -> done.add(line.toString()));
    if (driver.pending() > 0) {
      ApplyReport remove = driver.apply(Step.REMOVE, 512);
      assertThat(remove.failed()).isEmpty();
      remove.done().forEach(line -> done.add(line.toString()));
    }
    assertThat(driver.pending()).isZero();
    return done;
  }

  // What packets do.

  boolean reaches(Peerage from, Peerage to, Family family, Protocol protocol, int port)
      throws Exception {
    return reaches(from.ns(), Ip.any(family), to.ns(), to.ip(family), protocol, port);
  }

  boolean reaches(NetNs from, Peerage to, Family family, Protocol protocol, int port)
      throws Exception {
    return reaches(from, Ip.any(family), to.ns(), to.ip(family), protocol, port);
  }

  /** Whether the first packet of a new connection arrives. */
  boolean reaches(NetNs from, Ip source, NetNs at, Ip to, Protocol protocol, int port)
      throws Exception {
    return switch (protocol) {
      case TCP -> tcp(from, source, at, to, port, port);
      case UDP -> udp(from, source, at, to, port);
      case SCTP -> sctp(from, at, to, port);
      case ICMP -> icmp(from, at, to);
    };
  }

  boolean tcp(NetNs from, Ip source, NetNs at, Ip to, int port, int served) throws Exception {
    NetSocket server =
        server(
            at,
            to.family(),
            "tcp " + served,
            () ->
                at.call(() -> NetSocket.tcp(to.family()))
                    .bind(Endpoint.any(to.family(), served))
                    .listen(8));
    drain(server);
    try (NetSocket client = from.call(() -> NetSocket.tcp(to.family())).resetOnClose()) {
      client.bind(new Endpoint(source, 0));
      client.tryConnect(new Endpoint(to, port));
      long end = System.nanoTime() + PATIENCE;
      while (System.nanoTime() < end) {
        Optional<NetSocket> accepted = server.accept();
        if (accepted.isPresent()) {
          accepted.get().resetOnClose().close();
          return true;
        }
        Thread.onSpinWait();
      }
      return false;
    }
  }

  private static void drain(NetSocket server) throws Exception {
    for (Optional<NetSocket> old = server.accept(); old.isPresent(); old = server.accept()) {
      old.get().close();
    }
  }

  private boolean udp(NetNs from, Ip source, NetNs at, Ip to, int port) throws Exception {
    NetSocket server =
        server(
            at,
            to.family(),
            "udp " + port,
            () -> at.call(() -> NetSocket.udp(to.family())).bind(Endpoint.any(to.family(), port)));
    try (NetSocket client = from.call(() -> NetSocket.udp(to.family()))) {
      client.bind(new Endpoint(source, 0));
      buffer.data().putInt(0, ++token); // what was sent before may come now
      buffer.sendTo(client, 32, new Endpoint(to, port));
      return arrives(server);
    }
  }

  /** An INIT, as a host without SCTP can send and see it. */
  private boolean sctp(NetNs from, NetNs at, Ip to, int port) throws Exception {
    ByteBuffer init = ByteBuffer.allocate(32);
    init.putShort((short) 40_000).putShort((short) port).putInt(0).putInt(0);
    init.putInt(0x01000014).putInt((int) System.nanoTime() | 1).putInt(65_536);
    init.putShort((short) 1).putShort((short) 1).putInt(++token);
    CRC32C sum = new CRC32C();
    sum.update(init.array());
    init.order(ByteOrder.LITTLE_ENDIAN).putInt(8, (int) sum.getValue());
    return raw(from, at, to, Protocol.SCTP.number(), init.array());
  }

  /** A question for an echo. */
  private boolean icmp(NetNs from, NetNs at, Ip to) throws Exception {
    boolean v4 = to.family() == Family.V4;
    ByteBuffer echo = ByteBuffer.allocate(12).putShort((short) (v4 ? 0x0800 : 0x8000));
    echo.putShort((short) 0).putShort((short) ++token).putShort((short) 1).putInt(token);
    int sum = 0; // of IPv6 the kernel writes it
    for (int place = 0; place < 12; place += 2) {
      sum += echo.getShort(place) & 0xffff;
    }
    echo.putShort(2, (short) ~((sum & 0xffff) + (sum >>> 16)));
    return raw(from, at, to, v4 ? 1 : 58, echo.array());
  }

  private boolean raw(NetNs from, NetNs at, Ip to, int protocol, byte[] message) throws Exception {
    NetSocket server =
        server(
            at,
            to.family(),
            "protocol " + protocol,
            () -> at.call(() -> NetSocket.raw(to.family(), protocol)));
    try (NetSocket client = from.call(() -> NetSocket.raw(to.family(), protocol))) {
      buffer.data().put(0, message);
      buffer.sendTo(client, message.length, new Endpoint(to, 0));
      long end = System.nanoTime() + PATIENCE;
      while (System.nanoTime() < end) {
        int length = buffer.receive(server);
        if (length >= 4 && buffer.data().getInt(length - 4) == token) {
          return true;
        }
        Thread.onSpinWait();
      }
      return false;
    }
  }

  private boolean arrives(NetSocket server) {
    long end = System.nanoTime() + PATIENCE;
    while (System.nanoTime() < end) {
      if (buffer.receive(server) >= 0 && buffer.data().getInt(0) == token) {
        return true;
      }
      Thread.onSpinWait();
    }
    return false;
  }

  private interface Opening {
    NetSocket open() throws Exception;
  }

  private NetSocket server(NetNs at, Family family, String what, Opening opening) throws Exception {
    String key = at + " " + family + " " + what;
    NetSocket server = servers.get(key);
    if (server == null) {
      server = opening.open();
      servers.put(key, server);
    }
    return server;
  }

  String nft(String... arguments) {
    List<String> command = new ArrayList<>(List.of("nft"));
    command.addAll(List.of(arguments));
    return TestNetns.run(node, command.toArray(String[]::new));
  }

  static void run(NetNs namespace, String command) {
    TestNetns.run(namespace, command.split(" "));
  }

  @Override
  public void close() {
    servers.values().forEach(NetSocket::close);
    driver.close();
    net.close();
  }
}
