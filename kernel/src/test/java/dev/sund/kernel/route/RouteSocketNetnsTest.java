package dev.sund.kernel.route;

import static dev.sund.kernel.testing.TestNetns.bridge;
import static dev.sund.kernel.testing.TestNetns.ip;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.testing.Json;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Prefix;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("netns")
class RouteSocketNetnsTest {
  private static final Mac NODE_MAC = Mac.parse("02:53:75:6e:64:01");
  private static final Mac POD_MAC = Mac.parse("02:00:00:00:00:17");

  private final TestNetns net = TestNetns.open();
  private NetNs node;
  private RouteSocket socket;

  @BeforeEach
  void open() throws KernelException {
    node = net.create("node");
    socket = RouteSocket.open(node);
  }

  @AfterEach
  void close() {
    socket.close();
    net.close();
  }

  @Test
  void aVethIsMadeWithItsPeerStraightInThePodsNamespace() throws KernelException {
    NetNs pod = net.create("pod");
    try (Fd podFd = pod.open();
        RouteSocket inPod = RouteSocket.open(pod);
        RouteMonitor podEvents = RouteMonitor.open(pod);
        RouteMonitor nodeEvents = RouteMonitor.open(node)) {
      Outcome outcome =
          socket.apply(
              new RouteRequest.CreateLink(
                  "sund0123456789a",
                  0,
                  new LinkKind.Veth("eth0", Optional.of(POD_MAC), 1430, 2, podFd.number()),
                  List.of(
                      new LinkSetting.Up(true),
                      new LinkSetting.Mtu(1430),
                      new LinkSetting.Address(NODE_MAC),
                      new LinkSetting.Group(0x53750001),
                      new LinkSetting.LinkLocal(false),
                      new LinkSetting.Alias("sund Pod:shop/web:uid-1:none:0"))));

      assertThat(outcome).isEqualTo(Outcome.DONE);
      Link made = socket.link("sund0123456789a").orElseThrow();
      assertThat(made.kind()).isEqualTo("veth");
      assertThat(made.isUp()).isTrue();
      assertThat(made.mtu()).isEqualTo(1430);
      assertThat(made.mac()).contains(NODE_MAC);
      assertThat(made.group()).isEqualTo(0x53750001);
      assertThat(made.alias()).isEqualTo("sund Pod:shop/web:uid-1:none:0");
      assertThat(made.lower()).isEqualTo(2);
      assertThat(made.peerNamespace()).isEqualTo(socket.namespaceId(podFd));

      Json seen = ip(node, "link", "show", "dev", "sund0123456789a").only();
      assertThat(seen.get("address").text()).isEqualTo(NODE_MAC.toString());
      assertThat(seen.get("mtu").number()).isEqualTo(1430);
      assertThat(seen.get("ifalias").text()).isEqualTo("sund Pod:shop/web:uid-1:none:0");
      assertThat(seen.get("group").text()).isEqualTo("1400176641");
      assertThat(seen.get("inet6_addr_gen_mode").text()).isEqualTo("none");

      Link peer = inPod.link("eth0").orElseThrow();
      assertThat(peer.index()).isEqualTo(2);
      assertThat(peer.mac()).contains(POD_MAC);
      assertThat(peer.mtu()).isEqualTo(1430);
      assertThat(peer.isUp()).isFalse();
      assertThat(ip(pod, "link", "show", "dev", "eth0").only().get("address").text())
          .isEqualTo(POD_MAC.toString());
      // One queue each way at once: the kernel waits for RCU to take others out of use again.
      for (Json end : List.of(seen, ip(pod, "link", "show", "dev", "eth0").only())) {
        assertThat(end.get("num_tx_queues").number()).isEqualTo(1);
        assertThat(end.get("num_rx_queues").number()).isEqualTo(1);
      }

      inPod.apply(RouteRequest.SetLink.of("eth0", new LinkSetting.Up(true)));
      assertThat(socket.link(made.index()).orElseThrow().hasCarrier()).isTrue();

      // The peer's name never stood on the node.
      List<String> names = new java.util.ArrayList<>();
      nodeEvents.poll(event -> {
        if (event instanceof RouteEvent.LinkChanged(Link link)) {
          names.add(link.name());
        }
      });
      assertThat(names).contains("sund0123456789a").doesNotContain("eth0");
      assertThat(podEvents.poll(event -> {})).isTrue();
    }
  }

  @Test
  void aVxlanDeviceIsMadeAndReadBack() throws KernelException {
    int lower = bridgeDevice("under0", "192.0.2.11/24");
    Vxlan wanted = Vxlan.fixed(4096, 4789, Ip.parse("192.0.2.11"), lower);

    socket.apply(
        new RouteRequest.CreateLink(
            "sund-vxlan4",
            0,
            wanted,
            List.of(
                new LinkSetting.Mtu(1450),
                new LinkSetting.Address(NODE_MAC),
                new LinkSetting.Alias("sund tunnel"),
                new LinkSetting.Up(true))));

    Link made = socket.link("sund-vxlan4").orElseThrow();
    assertThat(made.vxlan()).contains(wanted);
    assertThat(made.mtu()).isEqualTo(1450);
    assertThat(made.isUp()).isTrue();
    Json seen = ip(node, "link", "show", "dev", "sund-vxlan4").only();
    Json data = seen.get("linkinfo").get("info_data");
    assertThat(data.get("id").number()).isEqualTo(4096);
    assertThat(data.get("port").number()).isEqualTo(4789);
    assertThat(data.get("local").text()).isEqualTo("192.0.2.11");
    assertThat(data.get("link").text()).isEqualTo("under0");
    assertThat(data.get("learning").text()).isEqualTo("false");
  }

  @Test
  void aVxlanDeviceOverIpv6IsMadeAndReadBack() throws KernelException {
    int lower = bridgeDevice("under0", "2001:db8::11/64");
    Vxlan wanted = Vxlan.fixed(4096, 4789, Ip.parse("2001:db8::11"), lower);

    socket.apply(
        new RouteRequest.CreateLink("sund-vxlan6", 0, wanted, List.of(new LinkSetting.Up(true))));

    assertThat(socket.link("sund-vxlan6").orElseThrow().vxlan()).contains(wanted);
    assertThat(
            ip(node, "link", "show", "dev", "sund-vxlan6")
                .only()
                .get("linkinfo")
                .get("info_data")
                .get("local6")
                .text())
        .isEqualTo("2001:db8::11");
  }

  @Test
  void addressesAreUsableAtOnceAndReadBack() throws KernelException {
    int device = bridgeDevice("br0");
    Address v4 = Address.of(device, InterfaceAddress.parse("10.244.1.5/24"));
    Address v6 = Address.of(device, InterfaceAddress.parse("2001:db8:1::5/64"));
    Address alone = Address.alone(device, InterfaceAddress.parse("2001:db8:2::5/64"));

    assertThat(socket.apply(new RouteBatch().put(v4).put(v6).put(alone)))
        .containsOnly(Outcome.DONE);

    assertThat(socket.addresses(device))
        .extracting(address -> address.address().toString())
        .contains("10.244.1.5/24", "2001:db8:1::5/64", "2001:db8:2::5/64");
    assertThat(socket.addresses(device))
        .filteredOn(a -> !a.ip().isLinkLocal())
        .noneMatch(Address::isTentative);
    List<Json> seen = ip(node, "addr", "show", "dev", "br0").only().get("addr_info").list();
    assertThat(seen)
        .extracting(a -> a.get("local").text())
        .contains("10.244.1.5", "2001:db8:1::5", "2001:db8:2::5");
    assertThat(seen)
        .filteredOn(a -> a.get("local").text().equals("2001:db8:1::5"))
        .allMatch(a -> a.has("nodad") && !a.has("tentative"));
    assertThat(socket.routes(RouteFilter.main(Family.V6)))
        .extracting(route -> route.destination().toString())
        .contains("2001:db8:1::/64")
        .doesNotContain("2001:db8:2::/64");

    assertThat(socket.apply(new RouteBatch().put(v4).delete(v4).delete(v4).delete(v6).delete(v6)))
        .containsExactly(
            Outcome.DONE, Outcome.DONE, Outcome.ALREADY_GONE, Outcome.DONE, Outcome.ALREADY_GONE);
  }

  @Test
  void anAddressOfAVethIsUsableAtOnceWhereWithoutAskingItWouldBeTentative() throws KernelException {
    NetNs pod = net.create("pod");
    try (Fd podFd = pod.open();
        RouteSocket inPod = RouteSocket.open(pod)) {
      socket.apply(
          new RouteBatch()
              .createLink(
                  "v0",
                  new LinkKind.Veth("eth0", Optional.of(POD_MAC), 0, 2, podFd.number()),
                  new LinkSetting.Up(true)));
      TestNetns.run(pod, "sysctl", "-qw", "net.ipv6.conf.eth0.dad_transmits=100"); // seconds
      inPod.apply(
          new RouteBatch()
              .setLink("eth0", new LinkSetting.LinkLocal(false))
              .up("eth0")
              .put(Address.of(2, InterfaceAddress.parse("2001:db8::5/128")))
              .put(new Address(2, InterfaceAddress.parse("2001:db8::6/128"), 0, 0)));

      assertThat(inPod.addresses(2))
          .extracting(address -> address.ip().toString(), Address::isTentative)
          .containsExactlyInAnyOrder(
              org.assertj.core.groups.Tuple.tuple("2001:db8::5", false),
              org.assertj.core.groups.Tuple.tuple("2001:db8::6", true));
    }
  }

  @Test
  void aVirtualThreadIsRefused() throws InterruptedException {
    List<Throwable> thrown = new java.util.concurrent.CopyOnWriteArrayList<>();
    Thread.ofVirtual()
        .start(() -> {
          try {
            socket.links();
          } catch (KernelException | RuntimeException e) {
            thrown.add(e);
          }
        })
        .join();
    assertThat(thrown)
        .singleElement()
        .isInstanceOfSatisfying(
            IllegalStateException.class,
            e -> assertThat(e).hasMessageContaining("must run on a platform thread"));
  }

  @Test
  void routesOfEverySortAreReadBackAsWritten() throws KernelException {
    int device = bridgeDevice("br0", "10.0.0.1/24", "2001:db8::1/64");
    List<RouteEntry> wanted =
        List.of(
            RouteEntry.to(Prefix.parse("10.244.1.5/32"))
                .withDevice(device)
                .withProtocol(83)
                .withSource(Ip.parse("10.0.0.1")),
            RouteEntry.to(Prefix.parse("10.244.2.0/24"))
                .withDevice(device)
                .withGateway(Ip.parse("10.0.0.2"))
                .withProtocol(83)
                .withMtu(1450),
            RouteEntry.to(Prefix.parse("10.244.3.0/24"))
                .withDevice(device)
                .withGateway(Ip.parse("192.0.2.99"))
                .withOnlink()
                .withProtocol(83)
                .withMetric(7),
            RouteEntry.to(Prefix.parse("10.244.4.0/24"))
                .withDevice(device)
                .withGateway(Ip.parse("2001:db8::2"))
                .withProtocol(83),
            RouteEntry.to(Prefix.parse("10.244.0.0/16"))
                .withType(RouteType.UNREACHABLE)
                .withProtocol(83),
            RouteEntry.to(Prefix.parse("10.244.0.0/16"))
                .withType(RouteType.BLACKHOLE)
                .withTable(1000)
                .withProtocol(83),
            RouteEntry.to(Prefix.parse("2001:db8:1::5/128"))
                .withDevice(device)
                .withProtocol(83)
                .withSource(Ip.parse("2001:db8::1")),
            RouteEntry.to(Prefix.parse("2001:db8:2::/64"))
                .withDevice(device)
                .withGateway(Ip.parse("fe80::2"))
                .withOnlink()
                .withProtocol(83)
                .withMtu(1430),
            RouteEntry.to(Prefix.parse("2001:db8:3::/48"))
                .withType(RouteType.UNREACHABLE)
                .withProtocol(83));

    RouteBatch batch = new RouteBatch();
    wanted.forEach(batch::create);
    assertThat(socket.apply(batch)).containsOnly(Outcome.DONE);

    List<RouteEntry> seen =
        new java.util.ArrayList<>(socket.routes(RouteFilter.all(Family.V4).withProtocol(83)));
    seen.addAll(socket.routes(RouteFilter.all(Family.V6).withProtocol(83)));
    // A bridge without ports has no carrier, which the kernel says of each way.
    assertThat(seen).map(RouteEntry::withoutState).containsExactlyInAnyOrderElementsOf(wanted);

    Json two = ip(node, "route", "show", "10.244.2.0/24").only();
    assertThat(two.get("gateway").text()).isEqualTo("10.0.0.2");
    assertThat(two.get("protocol").text()).isEqualTo("83");
    assertThat(two.get("metrics").only().get("mtu").number()).isEqualTo(1450);
    assertThat(ip(node, "route", "show", "10.244.3.0/24").only().get("flags").toString())
        .contains("onlink");
    assertThat(ip(node, "route", "show", "10.244.4.0/24").only().get("via").get("host").text())
        .isEqualTo("2001:db8::2");
    assertThat(ip(node, "-6", "route", "show", "2001:db8:3::/48").only().get("type").text())
        .isEqualTo("unreachable");

    assertThat(socket.apply(batch)).containsOnly(Outcome.ALREADY_THERE);
    RouteBatch removal = new RouteBatch();
    wanted.forEach(removal::delete);
    assertThat(socket.apply(removal)).containsOnly(Outcome.DONE);
    assertThat(socket.apply(removal)).containsOnly(Outcome.ALREADY_GONE);
    assertThat(socket.routes(RouteFilter.all(Family.V4).withProtocol(83))).isEmpty();
  }

  @Test
  void aRouteIsReplacedInOneStep() throws KernelException {
    int device = bridgeDevice("br0", "10.0.0.1/24");
    RouteEntry before =
        RouteEntry.to(Prefix.parse("10.244.2.0/24"))
            .withDevice(device)
            .withGateway(Ip.parse("10.0.0.2"))
            .withProtocol(83);
    socket.apply(new RouteRequest.CreateRoute(before));
    try (RouteMonitor monitor = RouteMonitor.open(node)) {
      socket.apply(new RouteRequest.PutRoute(before.withGateway(Ip.parse("10.0.0.3"))));
      List<RouteEvent> events = new java.util.ArrayList<>();
      monitor.poll(events::add);
      assertThat(events)
          .filteredOn(event -> !isOfTheDevicesOwnAddress(event))
          .singleElement()
          .isInstanceOfSatisfying(
              RouteEvent.RouteChanged.class,
              changed -> {
                assertThat(changed.replaced()).isTrue();
                assertThat(changed.route().gateway()).contains(Ip.parse("10.0.0.3"));
              });
    }
  }

  @Test
  void foreignRoutesWithSeveralWaysAreNotMistakenForOurs() throws KernelException {
    int device = bridgeDevice("br0", "10.0.0.1/24", "2001:db8::1/64");
    TestNetns.run(
        node,
        "ip",
        "route",
        "add",
        "10.9.0.0/16",
        "proto",
        "83",
        "nexthop",
        "via",
        "10.0.0.2",
        "weight",
        "3",
        "nexthop",
        "via",
        "10.0.0.3");
    TestNetns.run(
        node,
        "ip",
        "route",
        "add",
        "10.8.0.0/16",
        "via",
        "10.0.0.2",
        "advmss",
        "1400",
        "tos",
        "0x10");

    RouteEntry several = socket.routes(RouteFilter.main(Family.V4).withProtocol(83)).getFirst();
    assertThat(several.device()).isZero();
    assertThat(several.nextHops())
        .extracting(NextHop::device, hop -> hop.gateway().orElseThrow().toString(), NextHop::weight)
        .containsExactly(
            org.assertj.core.groups.Tuple.tuple(device, "10.0.0.2", 3),
            org.assertj.core.groups.Tuple.tuple(device, "10.0.0.3", 1));
    assertThat(socket.routes(RouteFilter.main(Family.V4)))
        .filteredOn(route -> route.destination().equals(Prefix.parse("10.8.0.0/16")))
        .singleElement()
        .extracting(RouteEntry::other)
        .isEqualTo("tos 16 metric#8");
  }

  @Test
  void rulesAreMadeReadBackAndRemoved() throws KernelException {
    Rule rule =
        Rule.lookup(Family.V4, 100, 1000, 83)
            .withFrom(Prefix.parse("10.244.0.0/16"))
            .withMark(0x100, 0xff00)
            .withInDevice("lo");
    Rule rule6 = Rule.lookup(Family.V6, 100, 1000, 83).withTo(Prefix.parse("2001:db8::/32"));

    assertThat(socket.apply(new RouteBatch().create(rule).create(rule6).create(rule)))
        .containsExactly(Outcome.DONE, Outcome.DONE, Outcome.ALREADY_THERE);

    assertThat(socket.rules(Family.V4)).contains(rule);
    assertThat(socket.rules(Family.V6)).contains(rule6);
    Json seen =
        ip(node, "rule", "show").list().stream()
            .filter(entry -> entry.get("priority").number() == 100)
            .findFirst()
            .orElseThrow();
    assertThat(seen.get("src").text()).isEqualTo("10.244.0.0");
    assertThat(seen.get("table").text()).isEqualTo("1000");
    assertThat(seen.get("fwmark").text()).isEqualTo("0x100");

    assertThat(socket.apply(new RouteBatch().delete(rule).delete(rule6).delete(rule)))
        .containsExactly(Outcome.DONE, Outcome.DONE, Outcome.ALREADY_GONE);
  }

  @Test
  void neighboursAndFdbEntriesAreMadeReadBackAndRemoved() throws KernelException {
    int lower = bridgeDevice("under0", "192.0.2.11/24");
    socket.apply(
        new RouteBatch()
            .createLink(
                "vx0",
                Vxlan.fixed(7, 4789, Ip.parse("192.0.2.11"), lower),
                new LinkSetting.Up(true)));
    int device = socket.link("vx0").orElseThrow().index();
    Neighbour v4 = Neighbour.permanent(device, Ip.parse("192.0.2.12"), POD_MAC);
    Neighbour v6 = Neighbour.permanent(device, POD_MAC.linkLocal(), POD_MAC);
    FdbEntry entry = FdbEntry.permanent(device, POD_MAC, Ip.parse("192.0.2.12"));
    RouteBatch batch = new RouteBatch().put(v4).put(v6).put(entry);

    assertThat(socket.apply(batch)).containsOnly(Outcome.DONE);
    assertThat(socket.apply(batch)).containsOnly(Outcome.DONE);

    assertThat(socket.neighbours(Family.V4, device)).containsExactly(v4);
    assertThat(socket.neighbours(Family.V6, device)).contains(v6);
    assertThat(socket.fdb(device)).containsExactly(entry);
    Json neighbour = ip(node, "neigh", "show", "dev", "vx0", "to", "192.0.2.12").only();
    assertThat(neighbour.get("lladdr").text()).isEqualTo(POD_MAC.toString());
    assertThat(neighbour.get("state").toString()).contains("PERMANENT");
    Json fdb = bridge(node, "fdb", "show", "dev", "vx0").only();
    assertThat(fdb.get("mac").text()).isEqualTo(POD_MAC.toString());
    assertThat(fdb.get("dst").text()).isEqualTo("192.0.2.12");
    assertThat(fdb.get("state").text()).isEqualTo("permanent");

    FdbEntry moved = FdbEntry.permanent(device, POD_MAC, Ip.parse("192.0.2.13"));
    assertThat(socket.apply(new RouteBatch().put(moved))).containsOnly(Outcome.DONE);
    assertThat(socket.fdb(device)).containsExactly(moved);

    RouteBatch removal = new RouteBatch().delete(v4).delete(v6).delete(moved);
    assertThat(socket.apply(removal)).containsOnly(Outcome.DONE);
    assertThat(socket.apply(removal)).containsOnly(Outcome.ALREADY_GONE);
  }

  @Test
  void aGroupOfDevicesIsDeletedAtOnce() throws KernelException {
    RouteBatch batch = new RouteBatch();
    for (int i = 0; i < 50; i++) {
      batch.createLink(
          "v" + i,
          new LinkKind.Veth("p" + i, Optional.empty(), 0, 0, -1),
          new LinkSetting.Group(0x53750002));
    }
    batch.createLink("keep", new LinkKind.Bridge());
    assertThat(socket.apply(batch)).containsOnly(Outcome.DONE);
    assertThat(socket.links()).hasSize(102);

    assertThat(socket.apply(new RouteBatch().deleteGroup(0x53750002).deleteGroup(0x53750002)))
        .containsExactly(Outcome.DONE, Outcome.ALREADY_GONE);
    assertThat(socket.links()).extracting(Link::name).containsExactlyInAnyOrder("lo", "keep");
  }

  @Test
  void linksAreChangedAndRemoved() throws KernelException {
    int bridge = bridgeDevice("br0");
    socket.apply(
        new RouteBatch().createLink("v0", new LinkKind.Veth("v1", Optional.empty(), 0, 0, -1)));
    int index = socket.link("v0").orElseThrow().index();

    assertThat(
            socket.apply(
                new RouteBatch()
                    .setLink(
                        index,
                        new LinkSetting.Mtu(1280),
                        new LinkSetting.Address(POD_MAC),
                        new LinkSetting.Master(bridge),
                        new LinkSetting.Name("renamed"),
                        new LinkSetting.Alias("a text"))
                    .up("renamed")))
        .containsOnly(Outcome.DONE);
    Link changed = socket.link(index).orElseThrow();
    assertThat(changed.name()).isEqualTo("renamed");
    assertThat(changed.mtu()).isEqualTo(1280);
    assertThat(changed.mac()).contains(POD_MAC);
    assertThat(changed.master()).isEqualTo(bridge);
    assertThat(changed.alias()).isEqualTo("a text");
    assertThat(changed.isUp()).isTrue();

    NetNs other = net.create("other");
    try (Fd otherFd = other.open()) {
      socket.apply(RouteRequest.SetLink.of("v1", new LinkSetting.Namespace(otherFd.number())));
    }
    assertThat(socket.link("v1")).isEmpty();
    assertThat(ip(other, "link", "show", "dev", "v1").only().get("ifname").text()).isEqualTo("v1");

    socket.apply(
        new RouteBatch().setLink(index, new LinkSetting.Alias(""), new LinkSetting.Up(false)));
    assertThat(socket.link(index).orElseThrow().alias()).isEmpty();
    assertThat(socket.apply(new RouteBatch().deleteLink("renamed").deleteLink("renamed")))
        .containsExactly(Outcome.DONE, Outcome.ALREADY_GONE);
  }

  /** The kernel gives a device its own IPv6 address when it has asked whether another has it. */
  private static boolean isOfTheDevicesOwnAddress(RouteEvent event) {
    return switch (event) {
      case RouteEvent.AddressChanged(var address) -> address.ip().family() == Family.V6;
      case RouteEvent.RouteChanged(var route, _) -> route.family() == Family.V6;
      default -> false;
    };
  }

  /** A bridge stands in for an Ethernet device. */
  private int bridgeDevice(String name, String... addresses) throws KernelException {
    socket.apply(
        new RouteBatch().createLink(name, new LinkKind.Bridge(), new LinkSetting.Up(true)));
    int index = socket.link(name).orElseThrow().index();
    for (String address : addresses) {
      socket.apply(new RouteRequest.PutAddress(Address.of(index, InterfaceAddress.parse(address))));
    }
    return index;
  }
}
