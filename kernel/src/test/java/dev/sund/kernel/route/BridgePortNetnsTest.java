package dev.sund.kernel.route;

import static dev.sund.kernel.testing.TestNetns.ip;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class BridgePortNetnsTest {
  private final TestNetns net = TestNetns.open();
  private NetNs node;
  private RouteSocket socket;
  private int bridge;
  private int port;

  @BeforeEach
  void open() throws KernelException {
    node = net.create("node");
    socket = RouteSocket.open(node);
    RouteBatch batch =
        new RouteBatch()
            .createLink("br0", new LinkKind.Bridge(), new LinkSetting.Up(true))
            .createLink(
                "port0",
                new LinkKind.Veth("far0", Optional.empty(), 0, 0, -1),
                new LinkSetting.Up(true));
    for (Outcome outcome : socket.apply(batch)) {
      outcome.orThrow();
    }
    bridge = socket.link("br0").orElseThrow().index();
    port = socket.link("port0").orElseThrow().index();
  }

  @AfterEach
  void close() {
    socket.close();
    net.close();
  }

  @Test
  void aDeviceWithoutBridgeIsNoPort() throws KernelException {
    assertThat(socket.bridgePort(port)).isEmpty();
    assertThat(socket.bridgePort(4711)).isEmpty();
  }

  @Test
  void aPortSendsFramesBackWhenTold() throws KernelException {
    socket.apply(RouteRequest.SetLink.of(port, new LinkSetting.Master(bridge)));
    assertThat(socket.bridgePort(port).orElseThrow().bridge()).isEqualTo(bridge);
    assertThat(socket.bridgePort(port).orElseThrow().hairpin()).isFalse();

    socket.apply(new RouteRequest.SetHairpin(port, "port0", true));

    assertThat(socket.bridgePort(port).orElseThrow().hairpin()).isTrue();
    assertThat(TestNetns.run(node, "bridge", "-d", "link", "show", "dev", "port0"))
        .contains("hairpin on");

    socket.apply(new RouteRequest.SetHairpin(port, "port0", false));

    assertThat(socket.bridgePort(port).orElseThrow().hairpin()).isFalse();
  }

  @Test
  void aBridgeShowsRulesWhatItForwardsWhenTold() throws KernelException {
    assertThat(socket.bridgeFilter(bridge)).contains(new BridgeFilter(false, false));
    assertThat(socket.bridgeFilter(port)).isEmpty();
    assertThat(socket.bridgeFilter(4711)).isEmpty();

    socket
        .apply(new RouteRequest.SetBridgeFilter(bridge, "br0", new BridgeFilter(false, true)))
        .orThrow();
    assertThat(socket.bridgeFilter(bridge)).contains(new BridgeFilter(false, true));
    assertThat(TestNetns.run(node, "ip", "-d", "link", "show", "br0"))
        .contains("nf_call_iptables 0", "nf_call_ip6tables 1");

    socket
        .apply(new RouteBatch().createLink("br1", new LinkKind.Bridge(true)))
        .getFirst()
        .orThrow();
    int other = socket.link("br1").orElseThrow().index();
    assertThat(socket.bridgeFilter(other)).contains(BridgeFilter.ON);
    assertThat(socket.link("br1").orElseThrow().isUp()).isFalse();
  }

  @Test
  void aDeviceIsMadePromiscuousAndUpByOneMessage() throws KernelException {
    socket.apply(
        RouteRequest.SetLink.of(
            bridge, new LinkSetting.Up(false), new LinkSetting.Promiscuous(true)));

    Link link = socket.link("br0").orElseThrow();
    assertThat(link.isPromiscuous()).isTrue();
    assertThat(link.isUp()).isFalse();

    socket.apply(
        RouteRequest.SetLink.of(
            bridge, new LinkSetting.Up(true), new LinkSetting.Promiscuous(false)));

    link = socket.link("br0").orElseThrow();
    assertThat(link.isPromiscuous()).isFalse();
    assertThat(link.isUp()).isTrue();
  }

  @Test
  void anIpv4AddressGetsTheBroadcastAddressOfItsSubnet() throws KernelException {
    socket.apply(
        new RouteRequest.PutBroadcastAddress(
            Address.of(bridge, InterfaceAddress.parse("10.1.2.3/22"))));
    socket.apply(
        new RouteRequest.PutBroadcastAddress(
            Address.of(bridge, InterfaceAddress.parse("10.9.0.2/31"))));
    socket.apply(
        new RouteRequest.PutBroadcastAddress(
            Address.of(bridge, InterfaceAddress.parse("fd00:9::1/64"))));

    String seen = TestNetns.run(node, "ip", "address", "show", "dev", "br0");
    assertThat(seen).contains("inet 10.1.2.3/22 brd 10.1.3.255 scope global br0");
    assertThat(seen).contains("inet 10.9.0.2/31 scope global br0");
    assertThat(seen).contains("inet6 fd00:9::1/64 scope global");
    assertThat(ip(node, "address", "show", "dev", "br0").only().get("ifname").text())
        .isEqualTo("br0");
  }

  @Test
  void aRouteIsAddedBesideAnotherOfItsDestinationButNotTwice() throws KernelException {
    socket.apply(
        new RouteRequest.PutAddress(Address.of(bridge, InterfaceAddress.parse("10.1.0.1/24"))));
    RouteEntry one = RouteEntry.to(Prefix.parse("192.0.2.0/24")).withDevice(bridge);
    RouteEntry first = one.withGateway(Ip.parse("10.1.0.5"));
    RouteEntry second = one.withGateway(Ip.parse("10.1.0.6"));
    socket.apply(new RouteRequest.AddRoute(first));
    socket.apply(new RouteRequest.AddRoute(second));

    Outcome again = socket.apply(new RouteBatch().add(new RouteRequest.AddRoute(first))).getFirst();

    assertThat(again)
        .isInstanceOfSatisfying(
            Outcome.Failed.class,
            failed -> assertThat(failed.cause()).isInstanceOf(KernelException.AlreadyExists.class));
    assertThat(TestNetns.run(node, "ip", "route", "show", "192.0.2.0/24").lines())
        .hasSize(2)
        .first()
        .asString()
        .contains("10.1.0.6");
  }
}
