package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.nft.PolicyScene.Peerage;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.PeerPort;
import dev.sund.engine.cluster.Policy.PortRange;
import dev.sund.engine.program.BridgePort;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.PolicyDelta;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nflog.LoggedPacket;
import dev.sund.kernel.nflog.PacketHead;
import dev.sund.kernel.nflog.PacketLog;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.Protocol;
import dev.sund.model.RuleId;
import dev.sund.model.RuleId.Direction;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Two pods on one bridge, by real frames: what no rule has seen, and who says whom he is. */
@Tag("netns")
@Timeout(120)
class BridgePacketsNetnsTest {
  private static final int UDP = 17;

  private final Shown shown = new Shown();
  private PolicyScene scene;
  private PacketLog log;
  private BridgeTableDriver frames;

  @BeforeEach
  void open() throws Exception {
    scene = new PolicyScene();
    PolicyScene.run(
        scene.node,
        "sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0");
    frames = driver();
    frames.resync();
    frames.allowSweep();
    assertThat(frames.pending()).as("no table before the first container").isZero();
    tell(ports());
    log = PacketLog.open(scene.node, Marks.DROP_LOG_GROUP, 128);
  }

  @AfterEach
  void close() {
    log.close();
    frames.close();
    scene.close();
  }

  private BridgeTableDriver driver() throws Exception {
    return new BridgeTableDriver(
        NftPort.ofBridges(NftSocket.open(scene.node)), FailPoint.NONE, new OwnCommits());
  }

  private ProgramDelta ports() {
    return ports(List.of(port("port-left", scene.left), port("port-right", scene.right)));
  }

  private static ProgramDelta ports(List<Change<String, BridgePort>> changes) {
    return new ProgramDelta(
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        PolicyDelta.NONE,
        changes);
  }

  private static Change<String, BridgePort> port(String device, Peerage pod) {
    return new Change.Put<>(device, row(device, pod), Optional.empty());
  }

  private static BridgePort row(String device, Peerage pod) {
    return new BridgePort(
        device, "cni0", List.of(pod.v4(), pod.v6()), RuleId.of(RuleId.CONTAINER, device, ""));
  }

  /** What is counted, as {@code DEVICE WAY REASON}, of what is counted by device. */
  private String drops() throws Exception {
    return PolicyDrops.read(scene.node).stream()
        .filter(count -> count.pod().isEmpty())
        .map(PolicyDrops.Count::key)
        .sorted()
        .toList()
        .toString();
  }

  /** The first packet that a place's rules have shown to the log, and that carries this. */
  private LoggedPacket logged(DropSite site, int protocol) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(10).toNanos();
    while (System.nanoTime() < end) {
      while (log.poll(shown)) {
        // all that waits
      }
      for (LoggedPacket packet : shown.packets) {
        if (packet.prefix().equals(site.label())
            && packet.head().map(PacketHead::protocol).orElse(-1) == protocol) {
          return packet;
        }
      }
      Thread.sleep(5);
    }
    throw new AssertionError("nothing of " + site + " among " + shown.packets);
  }

  /** A frame of VLAN 5 with a packet from the pod's own address to its neighbour. */
  private static void sendTagged(Peerage pod) throws Exception {
    byte[] frame =
        HexFormat.of()
            .parseHex(
                "ffffffffffff020000000009" // to all, from anybody
                    + "810000050800"
                    + "4500001c0000000040110000"
                    + "0a5800020a580003"
                    + "0035003500080000");
    int device = index(pod.ns(), "eth0");
    MessageBuffer buffer = new MessageBuffer(frame.length);
    buffer.data().put(0, frame);
    try (NetSocket socket = pod.ns().call(() -> NetSocket.capture(device))) {
      assertThat(buffer.send(socket, frame.length)).isGreaterThan(0);
    }
  }

  private int index(String device) {
    return index(scene.node, device);
  }

  private static int index(NetNs namespace, String device) {
    String link = TestNetns.run(namespace, "ip", "-o", "link", "show", "dev", device);
    return Integer.parseInt(link.substring(0, link.indexOf(':')));
  }

  /** What the log has shown. */
  private static final class Shown implements PacketLog.Sink {
    final List<LoggedPacket> packets = new ArrayList<>();

    @Override
    public void packet(LoggedPacket packet) {
      packets.add(packet);
    }

    @Override
    public void lost(long number) {}

    @Override
    public void drained() {}

    @Override
    public void failed(String why) {
      throw new AssertionError(why);
    }
  }

  /** Both drivers, as an agent has them. */
  private void tell(ProgramDelta delta) {
    scene.driver.want(delta);
    frames.want(delta);
    assertThat(scene.driver.apply(Step.PUT, 512).failed()).isEmpty();
    assertThat(frames.apply(Step.PUT, 512).failed()).isEmpty();
    assertThat(frames.apply(Step.REMOVE, 512).failed()).isEmpty();
    assertThat(frames.pending()).isZero();
  }

  private void compile() {
    tell(PolicyScene.delta(List.of(), scene.compiler.compile()));
  }

  private void show(boolean on) {
    String value = on ? "1" : "0";
    PolicyScene.run(
        scene.node,
        "ip link set cni0 type bridge nf_call_iptables " + value + " nf_call_ip6tables " + value);
  }

  private boolean reaches(Peerage from, Peerage to, Family family, Protocol protocol, int port)
      throws Exception {
    return scene.reaches(from, to, family, protocol, port);
  }

  private boolean soon(Family family, Protocol protocol, int port) throws Exception {
    return soon(scene.left, scene.right, family, protocol, port);
  }

  /** What is to arrive may take its time; a neighbour is asked again only after a second. */
  private boolean soon(Peerage from, Peerage to, Family family, Protocol protocol, int port)
      throws Exception {
    return soon(() -> reaches(from, to, family, protocol, port));
  }

  /** From the left pod, by one of its addresses, to one of the right's. */
  private boolean soonFrom(Ip source, Ip to) throws Exception {
    return soon(
        () -> scene.reaches(scene.left.ns(), source, scene.right.ns(), to, Protocol.UDP, 53));
  }

  private static boolean soon(Callable<Boolean> asked) throws Exception {
    long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    boolean reached = asked.call();
    while (!reached && System.nanoTime() < end) {
      reached = asked.call();
    }
    return reached;
  }

  private static PeerPort tcp(int port) {
    return new PortRange(Protocol.TCP, port, port);
  }

  /** N1, N14, N18, N23: whatever the namespace's settings say; and closed where nobody looks. */
  @Test
  void policiesHoldOnABridgeWhateverTheMachineIsSetTo() throws Exception {
    for (Family family : Family.values()) {
      assertThat(soon(family, Protocol.UDP, 53)).isTrue();
    }
    show(false);
    for (Family family : Family.values()) {
      assertThat(soon(family, Protocol.TCP, 81)).as("pods without policies").isTrue();
    }
    show(true);
    scene
        .allow(
            Direction.INGRESS,
            List.of(Policy.Pods.in("shop", PolicyScene.app("left"))),
            List.of(tcp(80)))
        .isolating("right", PolicyScene.app("right"), Direction.INGRESS);
    compile();
    for (Family family : Family.values()) {
      assertThat(soon(family, Protocol.TCP, 80)).isTrue();
      assertThat(reaches(scene.left, scene.right, family, Protocol.TCP, 81)).isFalse();
      assertThat(reaches(scene.left, scene.right, family, Protocol.UDP, 80)).isFalse();
      assertThat(reaches(scene.left, scene.right, family, Protocol.ICMP, 0)).isFalse();
      assertThat(soonBack(family)).as("no policy is about left").isTrue();
    }

    show(false);
    for (Family family : Family.values()) {
      assertThat(reaches(scene.left, scene.right, family, Protocol.TCP, 80)).isFalse();
      assertThat(reaches(scene.left, scene.right, family, Protocol.UDP, 80)).isFalse();
    }
    LoggedPacket unseen = logged(DropSite.UNSEEN_IN, UDP);
    assertThat(drops()).contains("port-right in policy-unseen").doesNotContain("port-left");
    assertThat(unseen.outPort()).isEqualTo(index("port-right"));
    assertThat(unseen.head().orElseThrow().destinationPort()).isEqualTo(80);
    show(true);
    for (Family family : Family.values()) {
      assertThat(soon(family, Protocol.TCP, 80)).isTrue();
    }
    scene.remove("right");
    scene.isolating("left", PolicyScene.app("left"), Direction.EGRESS);
    compile();
    show(false);
    assertThat(reaches(scene.left, scene.right, Family.V6, Protocol.UDP, 80)).isFalse();
    assertThat(logged(DropSite.UNSEEN_OUT, UDP).inPort()).isEqualTo(index("port-left"));
    assertThat(drops()).contains("port-left out policy-unseen");
    show(true);
    for (Family family : Family.values()) {
      assertThat(reaches(scene.left, scene.right, family, Protocol.TCP, 80)).isFalse();
      assertThat(soonBack(family)).isTrue();
      assertThat(soon(scene.left, scene.left, family, Protocol.TCP, 80)).as("N16").isTrue();
    }
    assertThat(frames.verify()).isEmpty();
    assertThat(scene.nft("list", "ruleset")).contains("table bridge sund-policy");
  }

  private boolean soonBack(Family family) throws Exception {
    return soon(scene.right, scene.left, family, Protocol.UDP, 80);
  }

  /** A pod on a bridge sends from its own addresses alone, and says that it has no others. */
  @Test
  void aPodOnABridgeSendsFromItsOwnAddressesAlone() throws Exception {
    for (Family family : Family.values()) {
      assertThat(soon(family, Protocol.UDP, 53)).isTrue();
      Ip taken = Ip.parse(family == Family.V4 ? "10.88.0.77" : "fd00:88::77");
      PolicyScene.run(
          scene.left.ns(),
          "ip addr add " + taken + (family == Family.V4 ? "/24 dev eth0" : "/64 dev eth0 nodad"));
      Ip to = scene.right.ip(family);
      assertThat(scene.reaches(scene.left.ns(), taken, scene.right.ns(), to, Protocol.UDP, 53))
          .isFalse();
      assertThat(soonFrom(scene.left.ip(family), to)).isTrue();
      // Whoever asks for that address gets no answer: it is not this pod's.
      assertThat(
              scene.reaches(
                  scene.right.ns(), Ip.any(family), scene.left.ns(), taken, Protocol.UDP, 53))
          .isFalse();
      assertThat(
              scene.reaches(scene.node, Ip.any(family), scene.left.ns(), taken, Protocol.UDP, 53))
          .isFalse();
    }
    LoggedPacket lie = logged(DropSite.SOURCE, UDP);
    assertThat(drops()).isEqualTo("[port-left out source-not-own]");
    assertThat(lie.inPort()).isEqualTo(index("port-left"));
    assertThat(lie.head().orElseThrow().source()).isEqualTo(Ip.parse("10.88.0.77"));
    assertThat(logged(DropSite.SOURCE, PacketHead.ARP).head().orElseThrow().source())
        .as("who says that it has an address that is not its own")
        .isEqualTo(Ip.parse("10.88.0.77"));

    sendTagged(scene.left);
    PacketHead hidden = logged(DropSite.TAGGED, UDP).head().orElseThrow();
    assertThat(drops()).contains("port-left out tagged-frame");
    assertThat(hidden.destination()).isEqualTo(Ip.parse("10.88.0.3"));

    // What was counted of a container goes with it.
    tell(ports(List.of(new Change.Remove<>("port-left", row("port-left", scene.left)))));
    assertThat(drops()).isEqualTo("[]");
  }

  /** N20's other side: what a restart finds is right, and what others change is put right. */
  @Test
  void aRestartWritesNothingAndDriftIsRepaired() throws Exception {
    scene.isolating("right", PolicyScene.app("right"), Direction.INGRESS);
    compile();
    try (BridgeTableDriver next = driver()) {
      next.resync();
      next.want(ports());
      next.want(scene.everything());
      next.allowSweep();
      assertThat(next.pending()).isZero();
    }
    scene.nft("delete", "element", "bridge", "sund-policy", "judged", "{ port-right }");
    assertThat(frames.resync().conditions()).isNotEmpty();
    assertThat(frames.apply(Step.PUT, 512).failed()).isEmpty();
    scene.nft("insert", "rule", "bridge", "sund-policy", "forward", "accept");
    frames.resync();
    assertThat(frames.apply(Step.PUT, 512).failed()).isEmpty();
    assertThat(frames.verify()).isEmpty();

    scene.nft("delete", "table", "inet", "sund-policy");
    show(true);
    assertThat(reaches(scene.left, scene.right, Family.V4, Protocol.TCP, 80))
        .as("nobody says that policies have seen it")
        .isFalse();
    assertThat(frames.removeAll()).isTrue();
    assertThat(scene.nft("list", "tables")).isEmpty();
  }
}
