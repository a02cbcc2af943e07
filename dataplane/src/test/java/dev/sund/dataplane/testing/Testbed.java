package dev.sund.dataplane.testing;

import dev.sund.dataplane.FailPoint;
import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.kernel.Fd;
import dev.sund.kernel.NetNs;
import dev.sund.model.Ip;
import dev.sund.model.LabelExpression;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/**
 * A cluster of namespaces: nodes on one bridge, pods on nodes, each node with the real compiler and
 * drivers. {@link #close} removes all and fails the test when a descriptor was left open.
 */
public final class Testbed implements AutoCloseable {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  /** The kernel notes that a link is up, and gives it its own address, when it comes to it. */
  private static final String AWAIT_UPLINK =
      "for i in $(seq 1500); do"
          + " ip -o link show dev eth0 | grep -q 'state UP'"
          + " && ip -6 -o addr show dev eth0 scope link -tentative | grep -q fe80"
          + " && exit 0; sleep 0.02; done; ip addr show dev eth0; exit 1";

  private final Set<String> descriptorsBefore = new HashSet<>(Fd.openDescriptors());
  private final String prefix =
      "sundt-" + ProcessHandle.current().pid() + "-" + NUMBER.incrementAndGet() + "-";
  private final List<NetNs> namespaces = new ArrayList<>();
  private final List<TestNode> nodes = new ArrayList<>();
  private final List<ClusterEvent> told = new ArrayList<>();
  private final List<Path> directories = new ArrayList<>();
  private NetNs underlay;
  private int pods;

  /** A cluster of {@code count} nodes whose pools are of this mode, IPv4 and IPv6, synced. */
  public static Testbed of(int count, IpPool.VxlanMode mode) {
    return of(count, pool("v4", "10.244.0.0/16", mode), pool("v6", "fd00:244::/32", mode));
  }

  /** A cluster of {@code count} nodes with these pools, synced. */
  public static Testbed of(int count, IpPool... pools) {
    Testbed bed = new Testbed();
    try {
      bed.build(count, List.of(pools));
      return bed;
    } catch (IOException | RuntimeException | Error e) {
      bed.close();
      throw e instanceof IOException io ? new UncheckedIOException(io) : unchecked(e);
    }
  }

  private static RuntimeException unchecked(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return (RuntimeException) e;
  }

  private void build(int count, List<IpPool> pools) throws IOException {
    underlay = namespace("ul");
    run(underlay, "ip", "link", "add", "br0", "type", "bridge");
    run(underlay, "ip", "link", "set", "br0", "up");
    for (int i = 0; i < count; i++) {
      addNode();
    }
    pools.forEach(pool -> told.add(new ClusterEvent.PoolSeen(pool)));
    told.add(new ClusterEvent.Synced());
    nodes.forEach(this::start);
  }

  /** A further node on the bridge, without an agent yet. */
  public TestNode addNode() {
    int i = nodes.size() + 1;
    NetNs ns = namespace("n" + i);
    run(
        underlay,
        "ip",
        "link",
        "add",
        "p" + i,
        "type",
        "veth",
        "peer",
        "name",
        "eth0",
        "netns",
        ns.toString());
    run(underlay, "ip", "link", "set", "p" + i, "master", "br0", "up");
    // No test waits for duplicate address detection.
    run(ns, "sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad");
    String v4 = "192.168.77." + i;
    String v6 = "2001:db8:77::" + i;
    run(ns, "ip", "addr", "add", v4 + "/24", "dev", "eth0");
    run(ns, "ip", "addr", "add", v6 + "/64", "dev", "eth0", "nodad");
    run(ns, "ip", "link", "set", "eth0", "up");
    run(ns, "sh", "-c", AWAIT_UPLINK);
    NodeName name = new NodeName("n" + i);
    told.add(
        new ClusterEvent.NodeSeen(
            new Node(
                name,
                "node-uid-" + i,
                i,
                List.of(Ip.parse(v4), Ip.parse(v6)),
                List.of(
                    Prefix.parse("10.244." + i + ".0/24"),
                    Prefix.parse("fd00:244:" + i + "::/64")))));
    try {
      Path state = Files.createTempDirectory("sundt-state");
      directories.add(state);
      TestNode node = new TestNode(name, ns, state);
      nodes.add(node);
      return node;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Starts a node's agent. */
  public void start(TestNode node) {
    node.start(FailPoint.NONE);
    node.tell(told);
    node.settle();
  }

  /** A pool whose packets may be wrapped in VXLAN. */
  public static IpPool pool(String name, String cidr, IpPool.VxlanMode mode) {
    return new IpPool(name, "pool-" + name, 1, Prefix.parse(cidr), mode, true, false);
  }

  /** The pool of the nodes' IPv4 ranges, wrapped in IPIP. */
  public static IpPool ipip(IpPool.IpipMode mode) {
    return new IpPool(
        "v4",
        "pool-v4",
        1,
        Prefix.parse("10.244.0.0/16"),
        IpPool.VxlanMode.NEVER,
        mode,
        true,
        false,
        26,
        LabelExpression.ALL,
        LabelExpression.ALL,
        IpPool.USUAL,
        true);
  }

  /** The namespace of the bridge between the nodes: their devices' other ends are p1, p2. */
  public NetNs underlay() {
    return underlay;
  }

  /** The node of this number, from 1. */
  public TestNode node(int number) {
    return nodes.get(number - 1);
  }

  /** All nodes. */
  public List<TestNode> nodes() {
    return nodes;
  }

  /** Starts a pod on a node, attaches it and tells all nodes. */
  public TestPod pod(int node, String name) {
    TestPod pod = newPod(node, name);
    attach(pod);
    return pod;
  }

  /** A pod with its namespace and nothing in it. */
  public TestPod newPod(int node, String name) {
    NetNs ns = namespace(name);
    run(ns, "ip", "link", "set", "lo", "up");
    int number = 10 + pods++;
    return new TestPod(
        node(node),
        new Attachment(
            "container-" + name,
            "eth0",
            ns.path().toString(),
            new PodKey("default", name),
            "uid-" + name,
            List.of(
                Ip.parse("10.244." + node + "." + number),
                Ip.parse("fd00:244:" + node + "::" + Integer.toHexString(number)))),
        ns);
  }

  /** Attaches a pod to its node and tells all nodes of it. */
  public void attach(TestPod pod) {
    pod.node().attach(pod.attachment());
    Attachment attachment = pod.attachment();
    tell(
        new ClusterEvent.PodSeen(
            new Pod(
                attachment.pod(),
                attachment.uid(),
                1,
                Optional.of(pod.node().name()),
                false,
                false,
                attachment.addresses(),
                List.of())));
  }

  /** Tells all nodes, and lets them do what follows. */
  public void tell(ClusterEvent... events) {
    told.addAll(List.of(events));
    for (TestNode node : nodes) {
      node.tell(List.of(events));
      node.settle();
    }
  }

  /** All that was told of the cluster. */
  public List<ClusterEvent> told() {
    return List.copyOf(told);
  }

  /** A new namespace. */
  public NetNs namespace(String label) {
    try {
      NetNs made = NetNs.create(prefix + label);
      namespaces.add(made);
      run(made, "ip", "link", "set", "lo", "up");
      return made;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs a program in a namespace and returns what it printed; it must succeed. */
  public static String run(NetNs namespace, String... command) {
    List<String> whole = new ArrayList<>(List.of("nsenter", "--net=" + namespace.path(), "--"));
    whole.addAll(List.of(command));
    try {
      Process process =
          new ProcessBuilder(whole)
              .redirectErrorStream(true)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .start();
      String out = new String(process.getInputStream().readAllBytes());
      if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
        process.destroyForcibly();
        throw new AssertionError(String.join(" ", command) + ": " + out);
      }
      return out;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    nodes.forEach(TestNode::stop);
    for (NetNs namespace : namespaces) {
      try {
        namespace.delete();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    for (Path directory : directories) {
      try (Stream<Path> files = Files.list(directory)) {
        for (Path file : files.toList()) {
          Files.delete(file);
        }
        Files.delete(directory);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    List<String> left =
        Fd.openDescriptors().stream().filter(line -> !descriptorsBefore.contains(line)).toList();
    if (!left.isEmpty()) {
      throw new AssertionError("left open: " + left);
    }
  }
}
