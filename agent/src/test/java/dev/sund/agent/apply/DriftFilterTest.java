package dev.sund.agent.apply;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.apply.DriftFilter.Verdict;
import dev.sund.dataplane.rows.Lowering;
import dev.sund.engine.PodDevices;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteEvent;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Marks;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DriftFilterTest {
  private static final int UP = 1;
  private static final int ETH0 = 2;
  private static final int VXLAN = 3;
  private static final int VETH = 4;
  private static final String POD_DEVICE = PodDevices.device("uid-1", "eth0");
  private static final Mac POD_MAC = PodDevices.mac("uid-1", "eth0");
  private static final Mac OUR_MAC = Mac.parse("02:00:00:00:00:01");
  private static final Mac PEER_MAC = Mac.parse("02:00:00:00:00:02");
  private static final Ip PEER = Ip.parse("192.168.2.13");
  private static final Prefix THERE = Prefix.parse("10.1.3.0/24");
  private static final RuleId RULE = RuleId.of("Node", "n3", "uid-n3");
  private static final Verdict PODS = new Verdict(Set.of("pods"), false);
  private static final Verdict ROUTES = new Verdict(Set.of("routes"), false);
  private static final Verdict TUNNELS = new Verdict(Set.of("tunnels"), false);
  private static final Verdict FACTS = new Verdict(Set.of(), true);

  private final DriftFilter filter = new DriftFilter();

  @BeforeEach
  void wantAPodARouteAndATunnel() {
    filter.devices(
        List.of(
            link(ETH0, "eth0", UP, 1500, OUR_MAC, ""),
            link(VXLAN, Marks.VXLAN_V4, UP, 1450, OUR_MAC, "sund"),
            link(VETH, POD_DEVICE, UP, 1450, Marks.GATEWAY_MAC, "sund Pod:shop/web:uid-1:none:0")));
    filter.want(
        new ProgramDelta(
            List.of(new Change.Put<>(POD_DEVICE, pod(), Optional.empty())),
            List.of(new Change.Put<>(THERE, route(), Optional.empty())),
            List.of(new Change.Put<>(Marks.VXLAN_V4, tunnel(), Optional.empty())),
            List.of(new Change.Put<>(peer().key(), peer(), Optional.empty())),
            List.of()));
  }

  @Test
  void theEchoOfWhatWeWroteIsNothing() {
    assertNothing(new RouteEvent.RouteChanged(entry(), true));
    assertNothing(new RouteEvent.NeighbourChanged(Neighbour.permanent(VXLAN, PEER, PEER_MAC)));
    assertNothing(
        new RouteEvent.NeighbourChanged(Neighbour.permanent(VETH, Ip.parse("10.1.1.5"), POD_MAC)));
    assertNothing(new RouteEvent.FdbChanged(FdbEntry.permanent(VXLAN, PEER_MAC, PEER)));
    assertNothing(
        new RouteEvent.AddressChanged(Address.of(VXLAN, InterfaceAddress.parse("10.1.1.0/32"))));
    assertNothing(
        new RouteEvent.LinkChanged(link(VXLAN, Marks.VXLAN_V4, UP, 1450, OUR_MAC, "sund")));
    assertNothing(
        new RouteEvent.LinkChanged(
            link(VETH, POD_DEVICE, UP, 1450, Marks.GATEWAY_MAC, "sund Pod:shop/web:uid-1:none:0")));
  }

  @Test
  void whatWeRemovedOurselvesIsNothing() {
    filter.want(
        new ProgramDelta(
            List.of(new Change.Remove<>(POD_DEVICE, pod())),
            List.of(new Change.Remove<>(THERE, route())),
            List.of(),
            List.of(new Change.Remove<>(peer().key(), peer())),
            List.of()));
    assertNothing(new RouteEvent.RouteGone(entry()));
    assertNothing(new RouteEvent.NeighbourGone(Neighbour.permanent(VXLAN, PEER, PEER_MAC)));
    assertNothing(new RouteEvent.FdbGone(FdbEntry.permanent(VXLAN, PEER_MAC, PEER)));
    assertNothing(new RouteEvent.LinkGone(link(VETH, POD_DEVICE, UP, 1450, Marks.GATEWAY_MAC, "")));
  }

  @Test
  void aRouteOfOursThatGoesOrChangesIsDrift() {
    assertThat(filter.judge(new RouteEvent.RouteGone(entry()))).isEqualTo(ROUTES);
    assertThat(filter.judge(new RouteEvent.RouteChanged(entry().withMtu(1300), true)))
        .isEqualTo(ROUTES);
    assertThat(
            filter.judge(
                new RouteEvent.RouteChanged(
                    RouteEntry.to(Prefix.parse("10.9.0.0/24"))
                        .withDevice(VXLAN)
                        .withProtocol(Marks.ROUTE_PROTOCOL),
                    false)))
        .as("a stray with our number")
        .isEqualTo(ROUTES);
  }

  @Test
  void aForeignRouteIsAFactAndInOurPlaceAQuestion() {
    RouteEntry foreign =
        RouteEntry.to(Prefix.parse("172.16.0.0/24")).withDevice(ETH0).withProtocol(4);
    assertThat(filter.judge(new RouteEvent.RouteChanged(foreign, false))).isEqualTo(FACTS);
    assertThat(filter.judge(new RouteEvent.RouteGone(foreign))).isEqualTo(FACTS);
    assertThat(
            filter.judge(
                new RouteEvent.RouteChanged(
                    RouteEntry.to(THERE).withDevice(ETH0).withProtocol(4), true)))
        .as("with metric 0, so before ours")
        .isEqualTo(new Verdict(Set.of("routes"), true));
    assertThat(
            filter.judge(
                new RouteEvent.RouteChanged(
                    RouteEntry.to(THERE).withDevice(ETH0).withProtocol(4).withMetric(5000), false)))
        .as("behind ours")
        .isEqualTo(FACTS);
    assertThat(
            filter.judge(
                new RouteEvent.RouteGone(RouteEntry.to(THERE).withDevice(ETH0).withProtocol(4))))
        .as("out of the way of ours")
        .isEqualTo(new Verdict(Set.of("routes"), true));
    assertNothing(
        new RouteEvent.RouteChanged(
            RouteEntry.to(Prefix.parse("fe80::/64")).withDevice(VXLAN).withProtocol(2), false));
    assertNothing(new RouteEvent.RouteChanged(foreign.withTable(255), false));
  }

  @Test
  void halfAPairOfATunnelIsDrift() {
    assertThat(
            filter.judge(new RouteEvent.NeighbourGone(Neighbour.permanent(VXLAN, PEER, PEER_MAC))))
        .isEqualTo(TUNNELS);
    assertThat(
            filter.judge(
                new RouteEvent.NeighbourChanged(Neighbour.permanent(VXLAN, PEER, OUR_MAC))))
        .isEqualTo(TUNNELS);
    assertThat(filter.judge(new RouteEvent.FdbGone(FdbEntry.permanent(VXLAN, PEER_MAC, PEER))))
        .isEqualTo(TUNNELS);
    assertThat(
            filter.judge(
                new RouteEvent.FdbChanged(
                    FdbEntry.permanent(VXLAN, PEER_MAC, Ip.parse("192.168.2.99")))))
        .isEqualTo(TUNNELS);
    assertThat(
            filter.judge(
                new RouteEvent.LinkChanged(
                    link(VXLAN, Marks.VXLAN_V4, UP, 1450, PEER_MAC, "sund"))))
        .isEqualTo(TUNNELS);
    assertThat(
            filter.judge(
                new RouteEvent.NeighbourGone(
                    Neighbour.permanent(VETH, Ip.parse("10.1.1.5"), POD_MAC))))
        .isEqualTo(PODS);
  }

  @Test
  void aLinkThatGoesDownTakesItsRoutesWithItWithoutAWord() {
    Verdict all = new Verdict(Set.of("pods", "routes", "tunnels"), true);
    assertThat(filter.judge(new RouteEvent.LinkChanged(link(ETH0, "eth0", 0, 1500, OUR_MAC, ""))))
        .isEqualTo(all);
    assertThat(
            filter.judge(
                new RouteEvent.LinkChanged(link(VETH, POD_DEVICE, 0, 1450, Marks.GATEWAY_MAC, ""))))
        .isEqualTo(all);
    assertThat(
            filter.judge(
                new RouteEvent.LinkGone(link(VXLAN, Marks.VXLAN_V4, UP, 1450, OUR_MAC, "sund"))))
        .isEqualTo(new Verdict(Set.of("routes", "tunnels"), false));
  }

  @Test
  void aPodsLinkThatWePutDownIsNoDriftOnceThePodIsNotWanted() {
    Link doomed = link(VETH, POD_DEVICE, 0, 1450, Marks.GATEWAY_MAC, "", Marks.GROUP_DOOMED);
    assertThat(filter.judge(new RouteEvent.LinkChanged(doomed)))
        .as("wanted, so somebody else did it")
        .isEqualTo(new Verdict(Set.of("pods", "routes", "tunnels"), true));

    filter.want(
        new ProgramDelta(
            List.of(new Change.Remove<>(POD_DEVICE, pod())),
            List.of(),
            List.of(),
            List.of(),
            List.of()));
    filter.devices(List.of(link(VETH, POD_DEVICE, UP, 1450, Marks.GATEWAY_MAC, "")));
    assertNothing(new RouteEvent.LinkChanged(doomed));
    assertNothing(
        new RouteEvent.LinkChanged(
            link(VETH, "sundd7", 0, 1450, Marks.GATEWAY_MAC, "", Marks.GROUP_DOOMED)));
  }

  @Test
  void theNodesOwnMtuAndAddressesAreFacts() {
    assertThat(filter.judge(new RouteEvent.LinkChanged(link(ETH0, "eth0", UP, 1400, OUR_MAC, ""))))
        .isEqualTo(FACTS);
    assertNothing(new RouteEvent.LinkChanged(link(ETH0, "eth0", UP, 1400, OUR_MAC, "")));
    Address address = Address.of(ETH0, InterfaceAddress.parse("192.168.1.11/24"));
    assertThat(filter.judge(new RouteEvent.AddressChanged(address))).isEqualTo(FACTS);
    assertThat(filter.judge(new RouteEvent.AddressGone(address)))
        .as("routes that prefer it went with it")
        .isEqualTo(new Verdict(Set.of("routes"), true));
  }

  @Test
  void lostEventsMeanThatEverythingIsReadAgain() {
    assertThat(filter.judge(new RouteEvent.Resync("overflow")))
        .isEqualTo(new Verdict(Set.of("pods", "routes", "tunnels"), true));
  }

  private void assertNothing(RouteEvent event) {
    assertThat(filter.judge(event)).as("%s", event).isEqualTo(Verdict.NOTHING);
  }

  private static Link link(int index, String name, int flags, int mtu, Mac mac, String alias) {
    return link(
        index, name, flags, mtu, mac, alias, name.equals(POD_DEVICE) ? Marks.GROUP_PODS : 0);
  }

  private static Link link(
      int index, String name, int flags, int mtu, Mac mac, String alias, int group) {
    return new Link(
        index,
        name,
        flags,
        mtu,
        Optional.of(mac),
        6,
        group,
        alias,
        0,
        0,
        OptionalInt.empty(),
        "",
        Optional.empty(),
        Optional.empty());
  }

  private static LocalPod pod() {
    return new LocalPod(
        POD_DEVICE,
        new PodKey("shop", "web"),
        "uid-1",
        List.of(Ip.parse("10.1.1.5")),
        POD_MAC,
        1450,
        0,
        RuleId.of("Pod", "shop/web", "uid-1"));
  }

  private static Route route() {
    return new Route(
        THERE,
        new Route.ByTunnel(PEER, Marks.VXLAN_V4),
        Optional.of(Ip.parse("10.1.1.0")),
        1450,
        RULE);
  }

  private static RouteEntry entry() {
    return RouteEntry.to(THERE)
        .withDevice(VXLAN)
        .withGateway(PEER)
        .withSource(Ip.parse("10.1.1.0"))
        .withOnlink()
        .withMetric(Lowering.metric(THERE))
        .withMtu(1450)
        .withProtocol(Marks.ROUTE_PROTOCOL);
  }

  private static Tunnel tunnel() {
    return new Tunnel(
        Marks.VXLAN_V4,
        new Tunnel.Wire.Vxlan(4096, 4789, OUR_MAC),
        Ip.parse("192.168.1.11"),
        "eth0",
        Optional.of(Ip.parse("10.1.1.0")),
        1450,
        RULE);
  }

  private static TunnelPeer peer() {
    return new TunnelPeer(Marks.VXLAN_V4, PEER, PEER_MAC, PEER, RULE);
  }
}
