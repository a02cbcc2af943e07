package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.FakeRoutes;
import dev.sund.dataplane.testing.FakeRoutes.Call;
import dev.sund.dataplane.testing.Programs;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The drivers over a kernel in memory, mostly when it fails. */
class DriversTest {
  private static final Path POD_NAMESPACE = Path.of("/run/netns/pod");
  private static final PacketProgram EMPTY = PacketProgram.empty(new NodeName("n1"));

  private final FakeRoutes kernel = new FakeRoutes();
  private final SysctlDriver sysctls;
  private final PodDriver pods = new PodDriver(kernel);
  private final Dataplane dataplane;
  private PacketProgram wanted = EMPTY;

  DriversTest(@TempDir Path state) throws KernelException {
    sysctls = new SysctlDriver(kernel, state);
    TunnelDriver tunnels = new TunnelDriver(kernel);
    dataplane =
        new Dataplane(List.of(sysctls, tunnels, pods, new RouteDriver(kernel, tunnels::isForeign)));
    kernel.device("eth0");
    kernel.namespace(POD_NAMESPACE);
    dataplane.resync();
    dataplane.allowSweep();
  }

  private static ProgramCompiler compiler(int nodes) {
    ProgramCompiler compiler = new ProgramCompiler(new NodeName("n1"), FabricSettings.DEFAULT);
    List<ClusterEvent> events = new ArrayList<>();
    events.add(
        new ClusterEvent.FactsSeen(
            new NodeFacts(
                List.of(
                    new NodeFacts.Device(
                        "eth0", 1500, true, List.of(InterfaceAddress.parse("192.168.0.1/16")))),
                List.of())));
    events.add(
        new ClusterEvent.PoolSeen(
            new IpPool(
                "p", "pu", 1, Prefix.parse("10.0.0.0/8"), IpPool.VxlanMode.ALWAYS, true, false)));
    for (int i = 1; i <= nodes; i++) {
      events.add(node(i, i));
    }
    events.add(new ClusterEvent.Synced());
    compiler.apply(events);
    return compiler;
  }

  private static ClusterEvent node(int number, int address) {
    return new ClusterEvent.NodeSeen(
        new Node(
            new NodeName("n" + number),
            "uid-" + number,
            number,
            List.of(Ip.parse("192.168.0.0").plus(address)),
            List.of(Prefix.around(Ip.parse("10.0.0.0").plus(256L * number), 24))));
  }

  private void want(PacketProgram program) {
    dataplane.want(Programs.between(wanted, program));
    wanted = program;
  }

  private ApplyReport settle() {
    ApplyReport all = ApplyReport.NOTHING;
    for (int i = 0; i < 50; i++) {
      ApplyReport one = dataplane.apply(10_000);
      all = all.plus(one);
      if (dataplane.pending() == 0) {
        return all;
      }
    }
    throw new AssertionError("never settles");
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 5_000})
  void aNodesNewAddressTakesAsManyMessagesWhateverTheNumberOfNodes(int nodes) {
    ProgramCompiler compiler = compiler(nodes);
    want(compiler.program());
    settle();
    kernel.sent();

    dataplane.want(compiler.apply(List.of(node(7, 40_000))).delta());
    settle();

    assertThat(kernel.sent().stream().map(RouteRequest::operation))
        .containsExactly(
            "add fdb entry",
            "add neighbour",
            "replace route",
            "delete neighbour",
            "delete fdb entry");
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 5_000})
  void aNodeThatComesTakesThreeMessagesWhateverTheNumberOfNodes(int nodes) {
    ProgramCompiler compiler = compiler(nodes);
    want(compiler.program());
    settle();
    kernel.sent();

    dataplane.want(compiler.apply(List.of(node(nodes + 1, 41_000))).delta());
    settle();
    assertThat(kernel.sent().stream().map(RouteRequest::operation))
        .containsExactly("add fdb entry", "add neighbour", "add route");

    dataplane.want(
        compiler
            .apply(List.of(new ClusterEvent.NodeGone(new NodeName("n" + (nodes + 1)))))
            .delta());
    settle();
    assertThat(kernel.sent().stream().map(RouteRequest::operation))
        .containsExactly("delete route", "delete neighbour", "delete fdb entry");
  }

  @Test
  void aRefusedRouteIsSaidAndTheOthersAreWritten() {
    PacketProgram program = compiler(4).program();
    kernel.refuse(request -> request.object().startsWith("10.0.3.0/24"));
    want(program);

    ApplyReport report = settle();

    assertThat(report.failed()).hasSize(1);
    assertThat(report.failed().getFirst().condition().toString())
        .startsWith("route 10.0.3.0/24: add route 10.0.3.0/24 via 192.168.0.3 dev #")
        .endsWith(
            "Refused (EINVAL, kernel: \"Invalid argument\"). The change is tried again; look at"
                + " what the kernel says is wrong with it. [kernel-refused]");
    assertThat(kernel.sent()).filteredOn(RouteRequest.CreateRoute.class::isInstance).hasSize(4);

    assertThat(settle().messages()).as("held until something changes").isZero();
    kernel.heal();
    dataplane.retry();
    assertThat(settle().done()).singleElement().asString().startsWith("put 10.0.3.0/24");
    assertThat(dataplane.conditions()).isEmpty();
  }

  @Test
  void aForeignRouteIsNeverReplaced() {
    PacketProgram program = compiler(3).program();
    RouteEntry foreign =
        RouteEntry.to(Prefix.parse("10.0.2.0/24")).withDevice(2).withGateway(Ip.parse("1.2.3.4"));
    kernel.put(foreign);
    dataplane.othersChanged();
    want(program);

    ApplyReport report = settle();

    assertThat(report.failed())
        .extracting(failure -> failure.condition().toString())
        .containsExactly(
            "route 10.0.2.0/24: A route that Sund did not make is in its place: 10.0.2.0/24 via"
                + " 1.2.3.4 dev eth0 metric 0 proto 4. It is left alone. Remove that route, or"
                + " give the pods another range. [foreign-object]");
    assertThat(kernel.sent()).noneMatch(RouteRequest.PutRoute.class::isInstance);
  }

  @Test
  void aRouteOfOursThatWeDidNotKnowOfIsTakenOver() throws KernelException {
    PacketProgram program = compiler(3).program();
    want(program);
    settle();
    // A fresh agent that has not read the routes back.
    RouteDriver fresh = new RouteDriver(kernel);
    fresh.want(Programs.between(EMPTY, program));
    kernel.sent();

    ApplyReport report = fresh.apply(Driver.Step.PUT, 100);

    assertThat(report.failed()).isEmpty();
    assertThat(kernel.sent()).noneMatch(RouteRequest.PutRoute.class::isInstance);
    assertThat(fresh.pending()).isZero();
  }

  @Test
  void aMissingUplinkIsSaidAndTheTunnelComesWithIt() throws KernelException {
    FakeRoutes bare = new FakeRoutes();
    TunnelDriver driver = new TunnelDriver(bare);
    driver.want(Programs.between(EMPTY, compiler(2).program()));

    assertThat(driver.apply(Driver.Step.PUT, 100).conditions())
        .extracting(Object::toString)
        .contains(
            "tunnel sund-vxlan4 dev: The device eth0 does not exist. It is tried again when the"
                + " device appears. [kernel-refused]");
    bare.device("eth0");
    driver.resync();
    assertThat(driver.apply(Driver.Step.PUT, 100).conditions()).isEmpty();
  }

  @Test
  void aForeignTunnelDeviceIsLeftAloneWithAllThatWouldHangOnIt() throws KernelException {
    kernel.device("sund-vxlan4");
    dataplane.resync();
    want(compiler(3).program());

    settle();

    assertThat(kernel.sent()).noneMatch(request -> request.object().contains("sund-vxlan4"));
    assertThat(dataplane.conditions())
        .extracting(Object::toString)
        .contains(
            "tunnel sund-vxlan4: A device of this name is there that Sund did not make. It is left"
                + " alone, and nodes behind the tunnel cannot be reached. Remove or rename it: ip"
                + " link delete sund-vxlan4. [foreign-object]",
            "route 10.0.2.0/24 dev: The device sund-vxlan4 was not made by Sund, so no route leads"
                + " there. Remove or rename it: ip link delete sund-vxlan4. [foreign-object]");
  }

  @Test
  void aDeviceThatMustBeMadeAnewComesBackInOneSendWithItsPeers() {
    ProgramCompiler compiler = compiler(4);
    want(compiler.program());
    settle();
    kernel.sent();
    var tunnel = wanted.tunnels().get("sund-vxlan4");
    var other =
        new dev.sund.engine.program.Tunnel(
            tunnel.device(),
            new dev.sund.engine.program.Tunnel.Wire.Vxlan(4097, 4789, tunnel.mac().orElseThrow()),
            tunnel.local(),
            tunnel.underlayDevice(),
            tunnel.address(),
            tunnel.mtu(),
            tunnel.rule());
    var tunnels = new java.util.TreeMap<>(wanted.tunnels());
    tunnels.put(other.device(), other);
    want(
        new PacketProgram(
            wanted.node(),
            wanted.nodeAddresses(),
            wanted.facts(),
            wanted.localPods(),
            wanted.routes(),
            tunnels,
            wanted.tunnelPeers(),
            wanted.masquerade(),
            wanted.frontends(),
            wanted.endpoints()));

    settle();

    assertThat(kernel.sent().stream().map(RouteRequest::operation))
        .startsWith("delete link", "create link", "add address")
        .containsOnlyOnce("create link")
        .endsWith("add route", "add route", "add route");
  }

  /** Whatever call fails, with whatever error: it is said, and all is right once it is healed. */
  @ParameterizedTest
  @EnumSource(Call.class)
  void anyCallThatFailsIsSaidAndMadeUpFor(Call call) throws KernelException {
    LocalPod pod = Programs.pod(new Random(2), 5);
    pods.place(pod.device(), new PodDriver.Place(POD_NAMESPACE, "eth0"));
    PacketProgram program = compiler(3).program();
    var localPods = new java.util.TreeMap<>(program.localPods());
    localPods.put(pod.device(), pod);
    want(
        new PacketProgram(
            program.node(),
            program.nodeAddresses(),
            program.facts(),
            localPods,
            program.routes(),
            program.tunnels(),
            program.tunnelPeers(),
            program.masquerade(),
            program.frontends(),
            program.endpoints()));

    for (Errno errno : List.of(Errno.EPERM, Errno.EINVAL, Errno.EBUSY, Errno.ENOMEM)) {
      kernel.fail(call, errno);
      settle();
      try {
        dataplane.resync();
      } catch (KernelException e) {
        assertThat(e.operation()).isEqualTo(call.name().toLowerCase(java.util.Locale.ROOT));
      }
      settle();
    }
    kernel.heal();
    dataplane.resync();
    ApplyReport report = settle();

    assertThat(report.failed()).isEmpty();
    assertThat(dataplane.conditions()).isEmpty();
    assertThat(dataplane.settled(pod)).isTrue();
    assertThat(kernel.sysctl("net/ipv4/ip_forward")).isEqualTo("1");
    dataplane.resync();
    assertThat(dataplane.pending()).isZero();
  }

  @Test
  void aLackingCapabilityIsNamed() {
    want(compiler(2).program());
    kernel.fail(Call.APPLY, Errno.EPERM);

    assertThat(settle().failed())
        .extracting(failure -> failure.condition().toString())
        .contains(
            "route 10.0.2.0/24 dev: The device sund-vxlan4 does not exist. It is tried again when"
                + " the device appears. [kernel-refused]",
            "tunnel sund-vxlan4: apply: Denied, needs CAP_NET_ADMIN (EPERM, kernel: \"Operation not"
                + " permitted\"). Run as root or grant CAP_NET_ADMIN. Grant CAP_NET_ADMIN to the"
                + " agent. [capability-missing]");
  }

  @Test
  void aPodOfUnknownWhereaboutsIsSaid() {
    LocalPod pod = Programs.pod(new Random(2), 5);
    dataplane.want(
        new dev.sund.engine.program.ProgramDelta(
            List.of(new dev.sund.engine.program.Change.Put<>(pod.device(), pod, Optional.empty())),
            List.of(),
            List.of(),
            List.of(),
            List.of()));

    settle();

    assertThat(dataplane.problem(pod))
        .map(Object::toString)
        .contains(
            "pod-link "
                + pod.device()
                + " netns: The pod has no link, and nobody said where its network namespace is."
                + " Have the runtime attach it again: delete the pod. [drift-missing]");
  }

  /** An end that is up while the other is down has no carrier, and the kernel waits to say so. */
  @Test
  void theNodesEndOfALinkStaysDownUntilThePodsEndIsUp() throws KernelException {
    FakeRoutes inside = kernel.namespace(POD_NAMESPACE);
    inside.refuse(RouteRequest.SetLink.class::isInstance);
    LocalPod pod = Programs.pod(new Random(2), 5);
    pods.place(pod.device(), new PodDriver.Place(POD_NAMESPACE, "eth0"));
    dataplane.want(
        new dev.sund.engine.program.ProgramDelta(
            List.of(new dev.sund.engine.program.Change.Put<>(pod.device(), pod, Optional.empty())),
            List.of(),
            List.of(),
            List.of(),
            List.of()));

    dataplane.apply(10);
    assertThat(kernel.link(pod.device()).orElseThrow().isUp()).isFalse();

    inside.heal();
    dataplane.retry();
    settle();
    assertThat(kernel.link(pod.device()).orElseThrow().isUp()).isTrue();
    assertThat(dataplane.problem(pod)).isEmpty();
  }

  @Test
  void oldValuesOfSettingsAreRecordedBeforeTheyAreChanged(@TempDir Path state) throws Exception {
    FakeRoutes node = new FakeRoutes();
    node.device("eth0");
    node.sysctl("net/ipv4/conf/all/rp_filter", "1");
    node.sysctl("net/ipv4/conf/eth0/rp_filter", "1");
    SysctlDriver driver = new SysctlDriver(node, state);
    driver.want(Programs.between(EMPTY, compiler(2).program()));
    node.fail(Call.WRITE_SYSCTLS, Errno.EPERM);
    driver.resync();
    driver.apply(Driver.Step.PUT, 10);

    assertThat(SysctlRecord.read(state).entries())
        .containsEntry(
            new dev.sund.kernel.Sysctl("net/ipv4/ip_forward"), new SysctlRecord.Entry("0", "1"))
        .containsEntry(
            new dev.sund.kernel.Sysctl("net/ipv4/conf/eth0/rp_filter"),
            new SysctlRecord.Entry("1", "2"));
    node.heal();
    driver.resync();
    driver.apply(Driver.Step.PUT, 10);
    assertThat(node.sysctl("net/ipv4/conf/eth0/rp_filter")).isEqualTo("2");
    assertThat(driver.pending()).isZero();
  }
}
