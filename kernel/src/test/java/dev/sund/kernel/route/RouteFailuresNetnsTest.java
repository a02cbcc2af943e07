package dev.sund.kernel.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Ack;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NetlinkSocket;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What happens when the kernel refuses, changes under a reader, or has more to say than fits. */
@Tag("netns")
class RouteFailuresNetnsTest {
  private final TestNetns net = TestNetns.open();
  private NetNs node;
  private RouteSocket socket;
  private int device;

  @BeforeEach
  void open() throws KernelException {
    node = net.create("node");
    socket = RouteSocket.open(node);
    socket.apply(
        new RouteBatch().createLink("br0", new LinkKind.Bridge(), new LinkSetting.Up(true)));
    device = socket.link("br0").orElseThrow().index();
    socket.apply(
        new RouteRequest.PutAddress(Address.of(device, InterfaceAddress.parse("10.0.0.1/24"))));
  }

  @AfterEach
  void close() {
    socket.close();
    net.close();
  }

  private RouteEntry hostRoute(int i) {
    return RouteEntry.to(Prefix.host(Ip.v4((10 << 24) + (1 << 20) + i)))
        .withDevice(device)
        .withProtocol(83);
  }

  @Test
  void refusalsCarryTheKernelsOwnText() {
    assertThatThrownBy(() ->
            socket.apply(
                new RouteRequest.CreateRoute(
                    RouteEntry.to(Prefix.parse("10.9.0.0/16"))
                        .withDevice(device)
                        .withGateway(Ip.parse("192.0.2.99"))
                        .withProtocol(83))))
        .isInstanceOf(KernelException.class)
        .hasMessage(
            "add route 10.9.0.0/16 via 192.0.2.99 dev #"
                + device
                + " proto 83: Refused (ENETUNREACH, kernel: \"Nexthop has invalid gateway\")");
    assertThatThrownBy(() ->
            socket.apply(
                new RouteRequest.PutNeighbour(
                    Neighbour.permanent(9999, Ip.parse("10.0.0.9"), new Mac(1)))))
        .isInstanceOf(KernelException.NotFound.class)
        .hasMessage(
            "add neighbour 10.0.0.9 lladdr 00:00:00:00:00:01 dev #9999 permanent: NotFound"
                + " (ENODEV, kernel: \"No such device\")");
    assertThatThrownBy(
            () -> socket.apply(RouteRequest.SetLink.of("nothing0", new LinkSetting.Up(true))))
        .isInstanceOf(KernelException.NotFound.class)
        .hasMessageContaining("set link nothing0 up: NotFound");
    assertThatThrownBy(() ->
            socket.apply(
                new RouteRequest.PutAddress(
                    Address.of(device, new InterfaceAddress(Ip.parse("ff02::1"), 64)))))
        .isInstanceOf(KernelException.NotFound.class)
        .hasMessageContaining("EADDRNOTAVAIL");
  }

  @Test
  void anUnknownKindOfDeviceIsSaidByTheKernel() throws KernelException {
    try (NetlinkSocket raw = NetlinkSocket.open(Netlink.NETLINK_ROUTE, node)) {
      NlWriter writer = new NlWriter();
      writer.message(16, Netlink.NLM_F_CREATE | Netlink.NLM_F_EXCL).putZeros(16);
      writer.string(3, "x0").nest(18).string(1, "no-such-kind").unnest().end();
      Ack answer = raw.request(writer).getFirst();
      assertThat(answer.exception("create link", "x0"))
          .isInstanceOf(KernelException.Unsupported.class)
          .hasMessage("create link x0: Unsupported (EOPNOTSUPP, kernel: \"Unknown device type\")");
    }
  }

  @Test
  void thousandsOfRequestsInOneBatchEachHaveTheirOwnOutcome() throws KernelException {
    RouteBatch batch = new RouteBatch();
    for (int i = 0; i < 5_000; i++) {
      batch.create(hostRoute(i % 1_000 == 999 ? 0 : i));
    }
    List<Outcome> outcomes = socket.apply(batch);
    for (int i = 0; i < 5_000; i++) {
      assertThat(outcomes.get(i))
          .as("request %d", i)
          .isEqualTo(i % 1_000 == 999 ? Outcome.ALREADY_THERE : Outcome.DONE);
    }
    assertThat(socket.routes(RouteFilter.main(Family.V4).withProtocol(83))).hasSize(4_995);
  }

  @Test
  void aBatchLargerThanTheSocketsBuffersIsSplit() throws KernelException {
    Buffers tiny = new Buffers(8 << 10, 8 << 10, 32 << 10);
    try (RouteSocket small = RouteSocket.open(node, tiny)) {
      RouteBatch batch = new RouteBatch();
      for (int i = 0; i < 2_000; i++) {
        batch.create(hostRoute(i));
      }
      assertThat(small.apply(batch)).containsOnly(Outcome.DONE);
      assertThat(small.apply(batch)).containsOnly(Outcome.ALREADY_THERE);
      assertThat(small.routes(RouteFilter.main(Family.V4).withProtocol(83))).hasSize(2_000);
    }
  }

  @Test
  void theKernelFiltersRoutesByTableProtocolAndDevice() throws KernelException {
    RouteBatch batch = new RouteBatch();
    for (int i = 0; i < 100; i++) {
      batch.create(hostRoute(i));
      batch.create(hostRoute(i).withTable(500));
      batch.create(hostRoute(1_000 + i).withProtocol(99));
    }
    batch.create(RouteEntry.to(Prefix.parse("10.7.0.0/16")).withDevice(1).withProtocol(83));
    socket.apply(batch);

    assertThat(socket.routes(RouteFilter.main(Family.V4).withProtocol(83))).hasSize(101);
    assertThat(socket.routes(RouteFilter.main(Family.V4).withProtocol(83).withDevice(device)))
        .hasSize(100);
    assertThat(socket.routes(new RouteFilter(Family.V4, 500, 0, 0))).hasSize(100);
    assertThat(socket.routes(new RouteFilter(Family.V4, 77_777, 0, 0))).isEmpty();
    assertThat(socket.routes(new RouteFilter(Family.V6, 77_777, 0, 0))).isEmpty();
  }

  @Test
  void aListingThatChangesWhileItIsReadIsReadAgainAndNeverInPart() throws KernelException {
    addAddresses(2_000);
    Set<String> seen = new HashSet<>();
    List<Integer> begins = new ArrayList<>();
    try (NetlinkSocket raw = NetlinkSocket.open(Netlink.NETLINK_ROUTE, node)) {
      raw.dump(
          "list addresses",
          addressRequest(),
          new NetlinkSocket.DumpSink() {
            private int entries;

            @Override
            public void begin() {
              begins.add(seen.size());
              seen.clear();
              entries = 0;
            }

            @Override
            public void accept(int type, NlReader body) throws KernelException {
              Address address = Address.read(body).orElseThrow();
              assertThat(seen.add(address.toString())).as("twice: %s", address).isTrue();
              if (begins.size() <= 3 && ++entries == 5) {
                // The kernel has handed over the first part and has more: change what follows.
                change(begins.size());
              }
            }
          });
    }
    assertThat(begins).as("the listing began again after each change").hasSize(4);
    assertThat(seen).hasSize(2_003 + 2);
  }

  @Test
  void aListingThatChangesAtEveryTryIsGivenUpWithAnError() throws KernelException {
    addAddresses(2_000);
    List<Integer> begins = new ArrayList<>();
    try (NetlinkSocket raw = NetlinkSocket.open(Netlink.NETLINK_ROUTE, node)) {
      assertThatThrownBy(() ->
              raw.dump(
                  "list addresses",
                  addressRequest(),
                  new NetlinkSocket.DumpSink() {
                    private boolean changed;

                    @Override
                    public void begin() {
                      begins.add(0);
                      changed = false;
                    }

                    @Override
                    public void accept(int type, NlReader body) throws KernelException {
                      if (!changed) {
                        changed = true;
                        change(begins.size());
                      }
                    }
                  }))
          .isInstanceOf(KernelException.DumpInterrupted.class)
          .hasMessageContaining("list addresses");
      assertThat(begins).hasSize(NetlinkSocket.DUMP_TRIES);
      raw.dump("list addresses", addressRequest(), (type, body) -> {}); // the socket still works
    }
  }

  @Test
  void aSinkThatFailsLeavesTheSocketUsable() throws KernelException {
    addAddresses(2_000);
    try (NetlinkSocket raw = NetlinkSocket.open(Netlink.NETLINK_ROUTE, node)) {
      assertThatThrownBy(() ->
              raw.dump(
                  "list addresses",
                  addressRequest(),
                  (type, body) -> {
                    throw new KernelException.Malformed("address", "as the test says");
                  }))
          .hasMessageContaining("as the test says");
      List<Integer> seen = new ArrayList<>();
      raw.dump("list addresses", addressRequest(), (type, body) -> seen.add(type));
      assertThat(seen).hasSize(2_002);
      assertThatThrownBy(() ->
              raw.dump(
                  "list addresses",
                  addressRequest(),
                  (type, body) -> raw.dump("inside", addressRequest(), (t, b) -> {})))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("inside its own sink");
    }
  }

  @Test
  void aSlowListenerIsToldToReadEverythingAgain() throws KernelException {
    Buffers small = new Buffers(8 << 10, 8 << 10, 32 << 10);
    try (RouteMonitor monitor = RouteMonitor.open(node, small)) {
      RouteBatch batch = new RouteBatch();
      for (int i = 0; i < 1_000; i++) {
        batch.create(hostRoute(i));
      }
      socket.apply(batch); // nobody listens meanwhile
      List<RouteEvent> events = new ArrayList<>();
      while (monitor.poll(events::add)) {
        // until nothing waits
      }
      assertThat(events).anyMatch(event -> event instanceof RouteEvent.Resync);
      assertThat(events).hasSizeLessThan(1_000);

      socket.apply(new RouteRequest.CreateRoute(hostRoute(2_000)));
      List<RouteEvent> later = new ArrayList<>();
      monitor.poll(later::add);
      assertThat(later)
          .as("it goes on after the loss")
          .filteredOn(event -> !isOfTheDevicesOwnAddress(event))
          .singleElement()
          .isInstanceOfSatisfying(
              RouteEvent.RouteChanged.class,
              changed -> assertThat(changed.route().withoutState()).isEqualTo(hostRoute(2_000)));
    }
  }

  /** The kernel gives a device its own IPv6 address when it has asked whether another has it. */
  private static boolean isOfTheDevicesOwnAddress(RouteEvent event) {
    return switch (event) {
      case RouteEvent.AddressChanged(var address) -> address.ip().family() == Family.V6;
      case RouteEvent.RouteChanged(var route, _) -> route.family() == Family.V6;
      default -> false;
    };
  }

  @Test
  void aMonitorsThreadDeliversEachSortOfChangeAndEndsWhenClosed() throws Exception {
    LinkedBlockingQueue<RouteEvent> events = new LinkedBlockingQueue<>();
    Thread thread;
    try (RouteMonitor monitor = RouteMonitor.open(node)) {
      thread = monitor.start("sund-test-monitor", events::add);
      Address address = Address.of(device, InterfaceAddress.parse("10.3.0.1/24"));
      Rule rule = Rule.lookup(Family.V6, 7, 8, 83);
      Neighbour neighbour = Neighbour.permanent(device, Ip.parse("10.0.0.7"), new Mac(2));
      socket.apply(
          new RouteBatch()
              .put(address)
              .create(hostRoute(1))
              .create(rule)
              .put(neighbour)
              .delete(neighbour)
              .delete(rule)
              .delete(hostRoute(1))
              .delete(address)
              .createLink("v0", new LinkKind.Veth("v1", Optional.empty(), 0, 0, -1))
              .deleteLink("v0"));
      Set<String> sorts = new HashSet<>();
      Set<String> wanted =
          Set.of(
              "AddressChanged",
              "AddressGone",
              "RouteChanged",
              "RouteGone",
              "RuleChanged",
              "RuleGone",
              "NeighbourChanged",
              "NeighbourGone",
              "LinkChanged",
              "LinkGone");
      while (!sorts.containsAll(wanted)) {
        RouteEvent event = events.poll(30, TimeUnit.SECONDS);
        assertThat(event).as("seen only %s", sorts).isNotNull();
        sorts.add(event.getClass().getSimpleName());
      }
    }
    assertThat(thread.join(java.time.Duration.ofSeconds(30))).isTrue();
    assertThat(events).noneMatch(event -> event instanceof RouteEvent.Resync);
  }

  @Test
  void aSocketKeepsTheNamespaceItWasOpenedIn() throws KernelException {
    NetNs other = net.create("other");
    try (RouteSocket there = RouteSocket.open(other)) {
      assertThat(there.link("br0")).isEmpty();
      assertThat(socket.link("br0")).isPresent();
      assertThat(NetNs.call(other.path(), () -> socket.link("br0"))).isPresent();
    }
    assertThatThrownBy(() -> RouteSocket.open(NetNs.named("sundt-nowhere")))
        .isInstanceOf(KernelException.NotFound.class)
        .hasMessageContaining("open namespace /run/netns/sundt-nowhere: NotFound");
  }

  @Test
  void whatWasNotClosedIsFound() throws KernelException {
    List<String> before = Fd.openDescriptors();
    RouteSocket leaked = RouteSocket.open(node);
    assertThat(Fd.openDescriptors())
        .filteredOn(line -> !before.contains(line))
        .singleElement()
        .asString()
        .contains("netlink socket 0 of " + node)
        .contains("RouteSocket.open");
    leaked.close();
    leaked.close();
    assertThat(Fd.openDescriptors()).isEqualTo(before);
  }

  private void addAddresses(int count) throws KernelException {
    RouteBatch batch = new RouteBatch();
    for (int i = 0; i < count; i++) {
      batch.put(Address.alone(device, new InterfaceAddress(Ip.v4((10 << 24) + (2 << 16) + i), 32)));
    }
    assertThat(socket.apply(batch)).containsOnly(Outcome.DONE);
  }

  private void change(int i) throws KernelException {
    socket.apply(
        new RouteRequest.PutAddress(
            Address.alone(device, new InterfaceAddress(Ip.v4((10 << 24) + (200 << 16) + i), 32))));
  }

  private static NlWriter addressRequest() {
    return new NlWriter().message(Rtnl.RTM_GETADDR, 0).putU8(2).putZeros(7).end();
  }
}
