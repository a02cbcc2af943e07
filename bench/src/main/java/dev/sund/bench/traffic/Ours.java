package dev.sund.bench.traffic;

import dev.sund.engine.cluster.Attachment;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.ClusterEvent.NodeSeen;
import dev.sund.engine.cluster.ClusterEvent.PoolSeen;
import dev.sund.engine.cluster.ClusterEvent.Synced;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.kernel.NetNs;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Two nodes joined by a link as those of {@link HandMade}, and pods on them, set up by Sund: VXLAN
 * for all that goes from node to node, natOutgoing on.
 */
public final class Ours implements AutoCloseable {
  private static final Prefix PODS = Prefix.parse("10.244.0.0/16");

  private final OurNode first;
  private final OurNode second;
  private final Path state;

  /**
   * Sets the nodes up.
   *
   * @param underlayMtu of the link between the nodes
   */
  public Ours(int underlayMtu) throws IOException {
    state = Files.createTempDirectory("sund-bench");
    Programs.run("ip netns add our-n1");
    Programs.run("ip netns add our-n2");
    Programs.run(
        "ip link add u0 netns our-n1 mtu %d type veth peer name u0 netns our-n2 mtu %d"
            .formatted(underlayMtu, underlayMtu));
    List<ClusterEvent> events =
        List.of(
            new NodeSeen(node(1)),
            new NodeSeen(node(2)),
            new PoolSeen(new IpPool("pods", "pool", 1, PODS, IpPool.VxlanMode.ALWAYS, true, false)),
            new Synced());
    first = start(1, events);
    second = start(2, events);
  }

  private static Node node(int number) {
    return new Node(
        name(number),
        "node-" + number,
        number,
        List.of(Ip.parse("192.0.2." + number)),
        List.of(Prefix.parse("10.244.%d.0/24".formatted(number))));
  }

  private static NodeName name(int number) {
    return new NodeName("n" + number);
  }

  private OurNode start(int number, List<ClusterEvent> events) throws IOException {
    String inside = "nsenter --net=/run/netns/our-n%d ".formatted(number);
    Programs.run(inside + "ip link set lo up");
    Programs.run(inside + "ip address add 192.0.2.%d/24 dev u0".formatted(number));
    Programs.run(inside + "ip link set u0 up");
    OurNode node =
        new OurNode(
            name(number),
            NetNs.named("our-n" + number),
            Files.createDirectory(state.resolve("n" + number)));
    node.tell(events);
    node.settle();
    return node;
  }

  private static NetNs pod(OurNode node, int nodeNumber, int address) throws IOException {
    String name = "our-p%d-%d".formatted(nodeNumber, address);
    Programs.run("ip netns add " + name);
    NetNs namespace = NetNs.named(name);
    node.attach(
        new Attachment(
            name,
            "eth0",
            namespace.path().toString(),
            new PodKey("bench", name),
            name,
            List.of(Ip.parse("10.244.%d.%d".formatted(nodeNumber, address)))));
    return namespace;
  }

  /** Two new pods on one node. */
  public Ends sameNode() throws IOException {
    return new Ends(pod(first, 1, 11), pod(first, 1, 12), Ip.parse("10.244.1.12"));
  }

  /** A new pod on each node. */
  public Ends acrossNodes() throws IOException {
    return new Ends(pod(first, 1, 21), pod(second, 2, 22), Ip.parse("10.244.2.22"));
  }

  @Override
  public void close() {
    second.close();
    first.close();
  }
}
