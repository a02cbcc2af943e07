package dev.sund.engine.trace;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.NodeFacts.Device;
import dev.sund.engine.cluster.NodeFacts.HostRoute;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.PortOnBridge;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Trace.AtPod;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.LabelSelector;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import dev.sund.model.Reason;
import dev.sund.model.RuleId.Direction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ways of pods on a bridge: to their neighbours over it, to all others by their node. */
class BridgeTraceTest {
  private static final NodeName SELF = new NodeName("n1");
  private static final Ip LEFT = Ip.parse("10.88.0.2");
  private static final Ip RIGHT = Ip.parse("10.88.0.3");
  private static final Ip GATEWAY = Ip.parse("10.88.0.1");

  private final ProgramCompiler compiler = new ProgramCompiler(SELF, FabricSettings.DEFAULT);

  @BeforeEach
  void standing() {
    Prefix subnet = Prefix.parse("10.88.0.0/24");
    tell(
        new ClusterEvent.NodeSeen(
            new Node(
                SELF,
                "n1",
                1,
                List.of(Ip.parse("192.168.1.11")),
                List.of(Prefix.parse("10.244.1.0/24")))),
        new ClusterEvent.FactsSeen(
            new NodeFacts(
                List.of(
                    device("cni0", 1400, "10.88.0.1/24"), device("eth0", 1500, "192.168.1.11/24")),
                List.of(new HostRoute(subnet, "cni0", Optional.empty(), Optional.of(GATEWAY), 0)))),
        new ClusterEvent.Synced(),
        pod("shop/left", LEFT),
        pod("shop/right", RIGHT),
        joined("c1/eth0", "port-left", Optional.of(PodKey.parse("shop/left")), LEFT),
        joined("c2/eth0", "port-right", Optional.of(PodKey.parse("shop/right")), RIGHT),
        joined("c3/eth0", "port-none", Optional.empty(), Ip.parse("10.88.0.4")));
  }

  @Test
  void neighboursAreReachedOverTheBridgeAndTheNodeByIt() {
    Trace trace = tcp(left(), RIGHT);
    assertThat(trace.answered()).isTrue();
    assertThat(trace.arrival()).contains(new AtPod(SELF, PodKey.parse("shop/right")));
    assertThat(trace.pathMtu()).isEqualTo(1400);
    assertThat(trace.there())
        .extracting(Trace.Hop::text)
        .contains(
            "from pod shop/left as 10.88.0.2 by port-left on bridge cni0",
            "over bridge cni0 to port-right");
    assertThat(trace.there()).noneMatch(Trace.Hop::decrements);

    assertThat(tcp(left(), GATEWAY).answered()).isTrue();
    Trace probe = tcp(new FromNode(SELF), RIGHT);
    assertThat(probe.answered()).isTrue();
    assertThat(probe.there().getLast().text()).endsWith("takes it at 10.88.0.3, from 10.88.0.1");
  }

  /** N1, N15, N16, N23: both ends are asked, their own node is not, nor a pod that asks itself. */
  @Test
  void policiesAreAskedBetweenNeighbours() {
    tell(isolating("closed-in", Direction.INGRESS));
    assertThat(tcp(left(), RIGHT).outcome()).isEqualTo(Reason.POLICY_INGRESS);
    assertThat(tcp(new FromNode(SELF), RIGHT).answered()).isTrue();
    assertThat(tcp(left(), LEFT).answered()).isTrue();
    tell(isolating("closed-out", Direction.EGRESS));
    assertThat(tcp(left(), RIGHT).outcome()).isEqualTo(Reason.POLICY_EGRESS);
    assertThat(tcp(left(), GATEWAY).outcome()).isEqualTo(Reason.POLICY_EGRESS);
  }

  @Test
  void whoIsNotThereOrIsNoPodIsNotReached() {
    assertThat(tcp(left(), Ip.parse("10.88.0.99")).outcome()).isEqualTo(Reason.ADDRESS_UNUSED);
    Trace container = tcp(left(), Ip.parse("10.88.0.4"));
    assertThat(container.outcome()).isEqualTo(Reason.NO_NEIGHBOUR);
    assertThat(container.there().getLast().text()).contains("c3/eth0 is no pod");
    assertThat(tcp(left(), Ip.parse("203.0.113.9")).outcome()).isEqualTo(Reason.NO_ROUTE);
    assertThat(tcp(left(), Ip.parse("fd00::9")).outcome()).isEqualTo(Reason.NO_SOURCE_ADDRESS);
  }

  private static Origin left() {
    return new FromPod(PodKey.parse("shop/left"));
  }

  private Trace tcp(Origin from, Ip to) {
    return new PathTracer(Map.of(SELF, compiler.program()), new Underlay(List.of(), false))
        .trace(Packet.small(from, to, Protocol.TCP, 80));
  }

  private void tell(ClusterEvent... events) {
    compiler.apply(new ArrayList<>(Arrays.asList(events)));
  }

  private static Device device(String name, int mtu, String address) {
    return new Device(name, mtu, true, List.of(InterfaceAddress.parse(address)));
  }

  private static ClusterEvent joined(String key, String device, Optional<PodKey> pod, Ip address) {
    return new ClusterEvent.BridgeJoined(
        new PortOnBridge(key, device, "cni0", pod, "", List.of(address), false));
  }

  private static ClusterEvent pod(String name, Ip ip) {
    return new ClusterEvent.PodSeen(
        new Pod(
            PodKey.parse(name),
            "u-" + name,
            1,
            Optional.of(SELF),
            false,
            false,
            List.of(ip),
            List.of(),
            List.of(),
            Map.of()));
  }

  private static ClusterEvent isolating(String name, Direction direction) {
    return new ClusterEvent.PolicySeen(
        new Policy(
            new ObjectRef(Policy.NETWORK_POLICY, "shop/" + name),
            "uid-" + name,
            1,
            1,
            Policy.Tier.NAMESPACE,
            0,
            Policy.Pods.in("shop", LabelSelector.ALL),
            Set.of(direction),
            List.of()),
        List.of());
  }
}
