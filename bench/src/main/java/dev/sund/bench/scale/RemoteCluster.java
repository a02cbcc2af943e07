package dev.sund.bench.scale;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.program.PacketProgram;
import dev.sund.engine.program.Tunnel;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteBatch;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kernel.route.Vxlan;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;

/**
 * A cluster of one family whose nodes are all on subnets of their own, seen from its first node.
 */
final class RemoteCluster {
  /** The device that carries the first node's address. */
  static final String UNDERLAY = "under0";

  static final NodeName SELF = new NodeName("node-0");

  private final Family family;
  private final List<ClusterEvent> before;
  private final List<ClusterEvent> remotes;

  RemoteCluster(Family family, int nodes) {
    this.family = family;
    InterfaceAddress own = underlayAddress();
    NodeFacts facts =
        new NodeFacts(List.of(new NodeFacts.Device(UNDERLAY, 1500, true, List.of(own))), List.of());
    this.before =
        List.of(
            new ClusterEvent.FactsSeen(facts),
            new ClusterEvent.NodeSeen(node(0)),
            new ClusterEvent.Synced());
    this.remotes = new ArrayList<>(nodes);
    for (int i = 1; i <= nodes; i++) {
      remotes.add(new ClusterEvent.NodeSeen(node(i)));
    }
  }

  /** The first node's address on its subnet. */
  InterfaceAddress underlayAddress() {
    return new InterfaceAddress(address(0), family == Family.V4 ? 24 : 64);
  }

  /** What is known before the other nodes come. */
  List<ClusterEvent> before() {
    return before;
  }

  /** The other nodes. */
  List<ClusterEvent> remotes() {
    return remotes;
  }

  /** The tunnel that leads to them. */
  String tunnel() {
    return family == Family.V4 ? Marks.VXLAN_V4 : Marks.VXLAN_V6;
  }

  /** The first node's program when all have come. */
  PacketProgram program() {
    ProgramCompiler compiler = new ProgramCompiler(SELF, FabricSettings.DEFAULT);
    compiler.apply(before);
    compiler.apply(remotes);
    return compiler.program();
  }

  /** Makes the tunnel's device by hand, as the tunnel's driver would. */
  void makeTunnel(RouteSocket socket) throws KernelException {
    Tunnel tunnel = program().tunnels().get(tunnel());
    if (tunnel == null || !(tunnel.wire() instanceof Tunnel.Wire.Vxlan wire)) {
      throw new IllegalStateException("the program has no " + tunnel());
    }
    int underlay = socket.link(UNDERLAY).orElseThrow().index();
    applyAll(
        socket,
        new RouteBatch()
            .createLink(
                tunnel.device(),
                Vxlan.fixed(wire.vni(), wire.port(), tunnel.local(), underlay),
                new LinkSetting.Address(wire.mac()),
                new LinkSetting.Mtu(tunnel.mtu()),
                new LinkSetting.LinkLocal(false),
                new LinkSetting.Up(true)));
    if (tunnel.address().isPresent()) {
      int index = socket.link(tunnel.device()).orElseThrow().index();
      Ip address = tunnel.address().get();
      applyAll(
          socket,
          new RouteBatch()
              .put(Address.alone(index, new InterfaceAddress(address, address.family().bits()))));
    }
  }

  /** Removes both tunnels' devices, and with them all that hangs on them. */
  static void deleteTunnels(RouteSocket socket) throws KernelException {
    applyAll(socket, new RouteBatch().deleteLink(Marks.VXLAN_V4).deleteLink(Marks.VXLAN_V6));
  }

  static void applyAll(RouteSocket socket, RouteBatch batch) throws KernelException {
    for (Outcome outcome : socket.apply(batch)) {
      outcome.orThrow();
    }
  }

  private Node node(int i) {
    return new Node(
        new NodeName("node-" + i),
        "00000000-0000-4000-8000-" + String.format("%012d", i),
        i,
        List.of(address(i)),
        List.of(podRange(i)));
  }

  private Ip address(int i) {
    return family == Family.V4
        ? Ip.v4((172 << 24) + (16 << 16) + (i << 8) + 10)
        : Ip.v6(0x2001_0db8_0000_0000L + i, 10);
  }

  private Prefix podRange(int i) {
    return family == Family.V4
        ? new Prefix(Ip.v4((10 << 24) + (i << 8)), 24)
        : new Prefix(Ip.v6(0xfd00_0010_0000_0000L + i, 0), 64);
  }
}
