package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.AddressMethod;
import dev.sund.engine.cluster.AddressMethod.AsAnnotated;
import dev.sund.engine.cluster.AddressMethod.CanReach;
import dev.sund.engine.cluster.AddressMethod.FirstFound;
import dev.sund.engine.cluster.AddressMethod.InRanges;
import dev.sund.engine.cluster.AddressMethod.InternalIp;
import dev.sund.engine.cluster.AddressMethod.OnInterface;
import dev.sund.engine.cluster.AddressMethod.SkipInterface;
import dev.sund.engine.cluster.AddressNotice;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.FabricLayer;
import dev.sund.engine.cluster.FabricLayer.Rank;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.NodeFacts;
import dev.sund.engine.cluster.NodeFacts.Device;
import dev.sund.engine.cluster.NodeFacts.HostRoute;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which address a node has on a machine with several, and how nodes agree on it. */
class NodeAddressTest {
  private static final NodeName N1 = new NodeName("n1");
  private static final NodeName N2 = new NodeName("n2");

  /** A VPS: a public device with the default route, a private one, Docker's bridge, a VPN. */
  private static final NodeFacts MACHINE =
      new NodeFacts(
          List.of(
              device("docker0", 5, "172.17.0.1/16"),
              device("ens3", 2, "203.0.113.7/24", "2001:db8:1::7/64", "fe80::7/64"),
              device("ens4", 3, "10.0.0.7/24", "10.0.0.77/24", "fd00:a::7/64"),
              device("lo", 1, "127.0.0.1/8", "::1/128"),
              device("wg0", 4, "10.8.0.7/16")),
          List.of(
              route("0.0.0.0/0", "ens3", "203.0.113.1", null),
              route("10.0.0.0/24", "ens4", null, "10.0.0.7"),
              route("10.8.0.0/16", "wg0", null, "10.8.0.7"),
              route("198.51.100.0/24", "ens4", "10.0.0.1", null),
              route("::/0", "ens3", "fe80::1", null),
              route("fd00:b::/64", "ens4", "fd00:a::1", null)));

  private static Device device(String name, int index, String... addresses) {
    return new Device(
        name, 1500, true, Stream.of(addresses).map(InterfaceAddress::parse).toList(), index);
  }

  private static HostRoute route(
      String to,
      String device,
      @org.jspecify.annotations.Nullable String gateway,
      @org.jspecify.annotations.Nullable String source) {
    return new HostRoute(
        Prefix.parse(to),
        device,
        Optional.ofNullable(gateway).map(Ip::parse),
        Optional.ofNullable(source).map(Ip::parse),
        0);
  }

  private static Node node(NodeName name, AddressNotice notice, String... internal) {
    int number = Integer.parseInt(name.text().substring(1));
    return Node.told(
        name,
        "uid-" + name,
        number,
        Stream.of(internal).map(Ip::parse).toList(),
        notice,
        List.of(
            Prefix.parse("10.244." + number + ".0/24"),
            Prefix.parse("fd00:10:244:" + number + "::/64")),
        Map.of());
  }

  /** Others cannot see what a node's tunnels have taken from pools; ranges of its own they know. */
  @Test
  void whatTheTunnelsHaveTakenFromPoolsIsToldOnce() {
    FabricSettings pools =
        FabricSettings.DEFAULT.with(new AddressSettings(AddressSettings.Mode.POOLS, List.of()));
    List<Ip> taken = List.of(Ip.parse("10.64.0.3"), Ip.parse("fd02::3"));
    AddressNotice notice = new AddressNotice(new TreeMap<>(), taken);
    for (FabricSettings settings : List.of(pools, FabricSettings.DEFAULT)) {
      ProgramCompiler compiler = new ProgramCompiler(N1, settings);
      compiler.apply(
          List.of(
              new ClusterEvent.NodeSeen(node(N1, AddressNotice.NONE, "10.0.0.7")),
              new ClusterEvent.FactsSeen(MACHINE),
              new ClusterEvent.TunnelsAddressed(taken),
              new ClusterEvent.Synced()));
      assertThat(compiler.noticeToGive())
          .isEqualTo(settings == pools ? Optional.of(notice) : Optional.empty());
      compiler.apply(List.of(new ClusterEvent.NodeSeen(node(N1, notice, "10.0.0.7"))));
      assertThat(compiler.noticeToGive())
          .isEqualTo(settings == pools ? Optional.empty() : Optional.of(AddressNotice.NONE));
    }
  }

  private static AddressNotice says(Family family, String address) {
    return new AddressNotice(new TreeMap<>(Map.of(family, Ip.tryParse(address))));
  }

  private static Optional<String> found(AddressMethod method, Family family) {
    Node self = node(N1, AddressNotice.NONE, "10.0.0.7", "fd00:a::7");
    return OwnAddress.find(method, family, self, MACHINE).map(Ip::toString);
  }

  @Test
  void eachMethodFindsItsAddressInEachFamilyApart() {
    assertThat(found(new InternalIp(), Family.V4)).contains("10.0.0.7");
    assertThat(found(new InternalIp(), Family.V6)).contains("fd00:a::7");
    assertThat(found(new FirstFound(), Family.V4)).contains("203.0.113.7");
    assertThat(found(new FirstFound(), Family.V6)).contains("2001:db8:1::7");
    assertThat(found(new OnInterface(List.of("ens4")), Family.V4)).contains("10.0.0.7");
    assertThat(found(new OnInterface(List.of("^wg", "ens.*")), Family.V4)).contains("10.8.0.7");
    assertThat(found(new OnInterface(List.of("^wg", "ens.*")), Family.V6))
        .contains("2001:db8:1::7");
    assertThat(found(new OnInterface(List.of("eth0")), Family.V4)).isEmpty();
    assertThat(found(new SkipInterface(List.of("ens3")), Family.V4)).contains("10.0.0.7");
    assertThat(found(new SkipInterface(List.of("ens.*", "wg0")), Family.V4)).isEmpty();
    assertThat(found(new InRanges(List.of(Prefix.parse("10.8.0.0/16"))), Family.V4))
        .contains("10.8.0.7");
    assertThat(found(new InRanges(List.of(Prefix.parse("172.16.0.0/12"))), Family.V4))
        .as("whatever the device's name")
        .contains("172.17.0.1");
    assertThat(found(new InRanges(List.of(Prefix.parse("192.168.0.0/16"))), Family.V4)).isEmpty();
  }

  @Test
  void whatCanReachAnAddressIsFoundAsTheKernelChoosesItsSource() {
    assertThat(found(new CanReach(Ip.parse("8.8.8.8")), Family.V4)).contains("203.0.113.7");
    assertThat(found(new CanReach(Ip.parse("10.0.0.99")), Family.V4)).contains("10.0.0.7");
    assertThat(found(new CanReach(Ip.parse("198.51.100.1")), Family.V4)).contains("10.0.0.7");
    assertThat(found(new CanReach(Ip.parse("2001:4860:4860::8888")), Family.V6))
        .as("by a link-local gateway")
        .contains("2001:db8:1::7");
    assertThat(found(new CanReach(Ip.parse("fd00:b::1")), Family.V6)).contains("fd00:a::7");
    assertThat(found(new CanReach(Ip.parse("10.0.0.77")), Family.V4)).contains("10.0.0.77");
  }

  @Test
  void deviceThatCarriesNothingComesAfterThoseThatDo() {
    List<Device> devices = new ArrayList<>(MACHINE.devices());
    Device ens3 = MACHINE.device("ens3").orElseThrow();
    devices.set(devices.indexOf(ens3), new Device("ens3", ens3.mtu(), false, ens3.addresses(), 2));
    Node self = node(N1, AddressNotice.NONE, "10.0.0.7");
    assertThat(
            OwnAddress.find(
                new FirstFound(), Family.V4, self, new NodeFacts(devices, MACHINE.routes())))
        .hasToString("Optional[10.0.0.7]");
  }

  private static FabricLayer layer(Map<Family, AddressMethod> methods) {
    return new FabricLayer(
        new ObjectRef("Installation", "default"),
        Rank.INSTALLATION,
        OptionalInt.empty(),
        OptionalInt.empty(),
        List.of(),
        List.of(),
        List.of(),
        methods,
        List.of());
  }

  private static ProgramCompiler compiler(FabricSettings settings) {
    ProgramCompiler compiler = new ProgramCompiler(N1, settings);
    compiler.apply(
        List.of(
            new ClusterEvent.NodeSeen(node(N1, AddressNotice.NONE, "10.0.0.7", "fd00:a::7")),
            new ClusterEvent.NodeSeen(node(N2, AddressNotice.NONE, "10.0.0.8", "fd00:a::8")),
            new ClusterEvent.FactsSeen(MACHINE),
            new ClusterEvent.Synced()));
    return compiler;
  }

  private static String way(ProgramCompiler compiler, String range) {
    var route = compiler.program().routes().get(Prefix.parse(range));
    return route == null ? "none" : route.way() + " from " + route.source().orElseThrow();
  }

  @Test
  void methodOfAnotherNetworksConfigurationCountsAtOnceAndSundsOwnBeforeIt() {
    ProgramCompiler compiler = compiler(FabricSettings.DEFAULT);
    assertThat(way(compiler, "10.244.2.0/24")).contains("10.0.0.8", "ens4", "from 10.0.0.7");
    assertThat(compiler.noticeToGive()).isEmpty();
    var wireguard = layer(Map.of(Family.V4, new OnInterface(List.of("wg0"))));
    compiler.apply(List.of(new ClusterEvent.LayerSeen(wireguard)));
    assertThat(compiler.noticeToGive()).contains(says(Family.V4, "10.8.0.7"));
    assertThat(compiler.program().nodeAddresses())
        .extracting(Ip::toString)
        .containsExactly("10.8.0.7", "fd00:a::7");
    ProgramCompiler own =
        compiler(FabricSettings.DEFAULT.with(Map.of(Family.V4, new InternalIp())));
    own.apply(List.of(new ClusterEvent.LayerSeen(wireguard)));
    assertThat(own.noticeToGive()).isEmpty();
    compiler.apply(List.of(new ClusterEvent.LayerGone(wireguard.source())));
    assertThat(way(compiler, "10.244.2.0/24")).contains("10.0.0.8", "ens4", "from 10.0.0.7");
  }

  @Test
  void otherNodeIsReachedByWhatItSaysAndByItsInternalIpBeforeItSaysAnything() {
    ProgramCompiler compiler =
        compiler(FabricSettings.DEFAULT.with(Map.of(Family.V4, new OnInterface(List.of("wg0")))));
    assertThat(way(compiler, "10.244.2.0/24"))
        .as("its agent is not there yet, or older")
        .contains("10.0.0.8", "from");
    compiler.apply(
        List.of(
            new ClusterEvent.NodeSeen(
                node(N2, says(Family.V4, "10.8.0.8"), "10.0.0.8", "fd00:a::8"))));
    assertThat(way(compiler, "10.244.2.0/24")).contains("10.8.0.8", "wg0", "from 10.8.0.7");
    assertThat(way(compiler, "fd00:10:244:2::/64")).contains("fd00:a::8", "ens4");
    compiler.apply(
        List.of(
            new ClusterEvent.NodeSeen(node(N2, says(Family.V4, "none"), "10.0.0.8", "fd00:a::8"))));
    assertThat(way(compiler, "10.244.2.0/24"))
        .as("it has none, and no other way was asked for")
        .isEqualTo("none");
  }

  @Test
  void noticeIsGivenUntilTheObjectSaysSoAndTakenBackWhenItIsNoLongerTrue() {
    ProgramCompiler compiler =
        compiler(FabricSettings.DEFAULT.with(Map.of(Family.V4, new FirstFound())));
    AddressNotice right = says(Family.V4, "203.0.113.7");
    assertThat(compiler.noticeToGive()).contains(right);
    compiler.apply(List.of(new ClusterEvent.NodeSeen(node(N1, right, "10.0.0.7", "fd00:a::7"))));
    assertThat(compiler.noticeToGive()).isEmpty();
    compiler.apply(
        List.of(
            new ClusterEvent.FactsSeen(
                new NodeFacts(List.of(device("ens3", 2, "203.0.113.9/24")), MACHINE.routes()))));
    assertThat(compiler.noticeToGive()).contains(says(Family.V4, "203.0.113.9"));
    ProgramCompiler internal = compiler(FabricSettings.DEFAULT);
    internal.apply(List.of(new ClusterEvent.NodeSeen(node(N1, right, "10.0.0.7", "fd00:a::7"))));
    assertThat(internal.noticeToGive()).contains(AddressNotice.NONE);
    assertThat(way(internal, "10.244.2.0/24")).contains("from 10.0.0.7");
    ProgramCompiler annotated =
        compiler(FabricSettings.DEFAULT.with(Map.of(Family.V4, new AsAnnotated())));
    annotated.apply(
        List.of(
            new ClusterEvent.NodeSeen(
                node(N1, says(Family.V4, "10.8.0.7"), "10.0.0.7", "fd00:a::7"))));
    assertThat(annotated.noticeToGive()).as("written by hand").isEmpty();
    assertThat(annotated.program().nodeAddresses()).contains(Ip.parse("10.8.0.7"));
  }

  @Test
  void nothingThatFitsIsSaidAndNoOtherAddressTaken() {
    ProgramCompiler compiler =
        compiler(FabricSettings.DEFAULT.with(Map.of(Family.V4, new OnInterface(List.of("wg7")))));
    assertThat(compiler.noticeToGive()).contains(says(Family.V4, "none"));
    assertThat(way(compiler, "10.244.2.0/24")).isEqualTo("none");
    assertThat(compiler.apply(List.of()).conditions())
        .extracting(Condition::toString)
        .contains(
            "Node n1 IPv4 address: this machine has none by 'interface=wg7': no IPv4 packets go"
                + " between its pods and other nodes. Look at 'ip -br addr' on the node, then give"
                + " it such an address or change how nodes find theirs. [node-address-not-found]");
    assertThat(way(compiler, "fd00:10:244:2::/64")).contains("fd00:a::8");
  }
}
