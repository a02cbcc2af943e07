package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestNode;
import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Every column of every lowered table is changed with {@code ip}, {@code bridge} and {@code
 * sysctl}; verify names exactly that, and a resync puts it right.
 */
@Tag("netns")
class VerifyNetnsTest {
  /** Of the route to n2's range, whose last ten bits are 2. */
  private static final String METRIC = " metric 3";

  private static Testbed tunnels;
  private static Testbed direct;
  private static TestPod pod;

  private final SoftAssertions softly = new SoftAssertions();

  @BeforeAll
  static void build() {
    tunnels = Testbed.of(2, IpPool.VxlanMode.ALWAYS);
    pod = tunnels.pod(1, "a");
    tunnels.pod(2, "b");
    direct = Testbed.of(2, IpPool.VxlanMode.NEVER);
  }

  @AfterAll
  static void remove() {
    if (direct != null) {
      direct.close();
    }
    if (tunnels != null) {
      tunnels.close();
    }
  }

  @Test
  void whatWasWrittenIsRightAndLiftsToTheProgram() throws KernelException {
    for (Testbed bed : List.of(tunnels, direct)) {
      for (TestNode node : bed.nodes()) {
        VerifyReport report = Verify.node(node.ns(), node.program());
        assertThat(report.drift()).isEmpty();
        assertThat(report.unread()).isEmpty();
        assertThat(Lift.node(node.ns(), node.program())).isEqualTo(node.program());
      }
    }
  }

  @Test
  void columnsOfRoutesThroughTunnels() {
    String way = "10.244.2.0/24 via 192.168.77.2 dev sund-vxlan4 onlink proto 83 src 10.244.1.0";
    String good = way + METRIC;
    String mtu = " mtu " + route(tunnels, "10.244.2.0/24").mtu();
    String r = "route 10.244.2.0/24";

    check(tunnels, "ip route del 10.244.2.0/24", "drift-missing " + r);
    check(tunnels, "ip route change " + good + " mtu 1000", "drift-changed " + r + " mtu");
    check(
        tunnels,
        "ip route change " + good.replace(" src 10.244.1.0", "") + mtu,
        "drift-changed " + r + " src");
    check(
        tunnels,
        "ip route change " + good.replace("77.2", "77.9") + mtu,
        "drift-changed " + r + " via");
    check(
        tunnels, "ip route change " + good + mtu + " advmss 900", "drift-changed " + r + " other");
    check(
        tunnels,
        "ip route del 10.244.2.0/24; ip route add " + way + mtu + " metric 50",
        "drift-changed " + r + " metric");
    check(
        tunnels,
        "ip route replace unreachable 10.244.2.0/24 proto 83" + METRIC + mtu,
        "drift-changed " + r + " dev",
        "drift-changed " + r + " onlink",
        "drift-changed " + r + " src",
        "drift-changed " + r + " type",
        "drift-changed " + r + " via");
    // As an agent made it that gave ranges no metric of their own.
    check(tunnels, "ip route add " + way + mtu, "stray-object " + r + " metric 0");
    check(
        tunnels, "ip route add 10.99.0.0/16 dev eth0 proto 83", "stray-object route 10.99.0.0/16");
    softly.assertAll();
  }

  @Test
  void columnsOfRoutesInIpv6() {
    TunnelPeer peer = peer(Family.V6);
    String r = "route fd00:244:2::/64";
    String good =
        "fd00:244:2::/64 via " + peer.nextHop() + " dev sund-vxlan6 proto 83 src fd00:244:1:: mtu ";
    int mtu = route(tunnels, "fd00:244:2::/64").mtu();

    check(tunnels, "ip -6 route del fd00:244:2::/64", "drift-missing " + r);
    check(tunnels, "ip -6 route change " + good + "1300", "drift-changed " + r + " mtu");
    check(
        tunnels,
        "ip -6 route change " + good.replace(peer.nextHop().toString(), "fe80::77") + mtu,
        "drift-changed " + r + " via");
    check(
        tunnels,
        "ip -6 route del fd00:244:2::/64; ip -6 route add " + good + mtu + " metric 7",
        "drift-changed " + r + " metric");
    softly.assertAll();
  }

  @Test
  void columnsOfRoutesToPodsAndNextHops() {
    Ip ip = pod.ip(Family.V4);
    String r = "route " + ip + "/32";
    String good = ip + "/32 dev " + pod.device() + " proto 83 src 192.168.77.1";

    check(tunnels, "ip route change " + good + " scope global", "drift-changed " + r + " scope");
    check(
        tunnels,
        "ip route change " + good.replace(pod.device(), "eth0") + " scope link",
        "drift-changed " + r + " dev");
    check(
        direct,
        "ip route change 10.244.2.0/24 via 192.168.77.2 dev eth0 proto 83 onlink"
            + METRIC
            + route(direct, "10.244.2.0/24").source().map(source -> " src " + source).orElse("")
            + (route(direct, "10.244.2.0/24").mtu() == 0
                ? ""
                : " mtu " + route(direct, "10.244.2.0/24").mtu()),
        "drift-changed route 10.244.2.0/24 onlink");
    softly.assertAll();
  }

  @Test
  void aForeignRouteInOurPlaceIsNamedAndLeftAlone() {
    String route = "10.244.2.0/24 via 192.168.77.2 dev sund-vxlan4 onlink proto static";
    TestNode node = tunnels.node(1);
    sh(tunnels, "ip route replace " + route);

    assertThat(found(tunnels)).containsExactly("foreign-object route 10.244.2.0/24");
    node.repair();
    assertThat(node.run("ip", "route", "show", "10.244.2.0/24")).contains("proto static");
    assertThat(node.dataplane().conditions())
        .extracting(condition -> condition.reason().code())
        .containsExactly("foreign-object");

    sh(tunnels, "ip route del 10.244.2.0/24");
    node.repair();
    assertThat(node.dataplane().conditions()).isEmpty();
    assertThat(found(tunnels)).isEmpty();
  }

  @Test
  void columnsOfNeighboursAndForwardingEntries() {
    TunnelPeer peer = peer(Family.V4);
    String neighbour = "neighbour 192.168.77.2 dev sund-vxlan4";
    String fdb = "fdb " + peer.mac() + " dev sund-vxlan4";
    String neigh = "ip neigh replace 192.168.77.2 dev sund-vxlan4 lladdr ";
    String entry = "bridge fdb replace " + peer.mac() + " dev sund-vxlan4 self dst ";

    check(
        tunnels,
        neigh + "02:00:00:00:00:01 nud permanent",
        "drift-changed " + neighbour + " lladdr");
    check(tunnels, neigh + peer.mac() + " nud noarp", "drift-changed " + neighbour + " permanent");
    check(tunnels, "ip neigh del 192.168.77.2 dev sund-vxlan4", "drift-missing " + neighbour);
    check(
        tunnels,
        "ip neigh add 192.168.77.99 lladdr 02:00:00:00:00:01 dev sund-vxlan4 nud permanent",
        "stray-object neighbour 192.168.77.99 dev sund-vxlan4");

    check(tunnels, entry + "192.168.77.9 permanent", "drift-changed " + fdb + " dst");
    check(tunnels, entry + "192.168.77.2 static", "drift-changed " + fdb + " permanent");
    check(tunnels, entry + "192.168.77.2 permanent port 4790", "drift-changed " + fdb + " other");
    check(
        tunnels, "bridge fdb del " + peer.mac() + " dev sund-vxlan4 self", "drift-missing " + fdb);
    check(
        tunnels,
        "bridge fdb append 00:00:00:00:00:00 dev sund-vxlan4 dst 192.168.77.2 self permanent",
        "stray-object fdb 00:00:00:00:00:00 dev sund-vxlan4");
    softly.assertAll();
  }

  @Test
  void columnsOfTunnels() {
    String t = "drift-changed tunnel sund-vxlan4 ";

    // The kernel forgets the neighbours of a device that gets another address.
    check(
        tunnels,
        "ip link set sund-vxlan4 address 02:00:00:00:00:02",
        t + "address",
        "drift-missing neighbour 192.168.77.2 dev sund-vxlan4");
    check(tunnels, "ip link set sund-vxlan4 mtu 1300", t + "mtu");
    check(tunnels, "ip link set sund-vxlan4 alias ''", t + "alias");
    check(tunnels, "ip link set sund-vxlan4 alias 'sund other'", t + "alias");
    check(tunnels, "ip addr add 10.9.9.9/32 dev sund-vxlan4", t + "addresses");
    check(tunnels, "ip link set sund-vxlan4 type vxlan learning", t + "learning");
    check(tunnels, rebuilt("id 4096", "id 4097"), t + "vni");
    check(tunnels, rebuilt("dstport 4789", "dstport 4790"), t + "port");
    check(tunnels, rebuilt("local 192.168.77.1", ""), t + "local");
    check(tunnels, rebuilt("dev eth0", ""), t + "dev");
    check(tunnels, rebuilt("df unset", "df set"), t + "df");
    check(
        tunnels,
        rebuilt("nolearning", "nolearning remote 192.168.77.8"),
        "stray-object fdb 00:00:00:00:00:00 dev sund-vxlan4",
        t + "remote");
    softly.assertAll();
  }

  @Test
  void aForeignDeviceInATunnelsPlaceIsNamedAndLeftAlone() {
    TestNode node = tunnels.node(1);
    sh(tunnels, "ip link del sund-vxlan4; ip link add sund-vxlan4 up type bridge");

    assertThat(found(tunnels))
        .containsExactlyInAnyOrder(
            "foreign-object tunnel sund-vxlan4", "drift-missing route 10.244.2.0/24");
    node.repair();
    assertThat(node.run("ip", "-d", "link", "show", "sund-vxlan4")).contains("bridge");
    assertThat(node.run("ip", "route", "show", "dev", "sund-vxlan4")).isEmpty();
    assertThat(node.run("ip", "neigh", "show", "dev", "sund-vxlan4")).isEmpty();
    assertThat(node.dataplane().conditions())
        .extracting(condition -> condition.object().toString())
        .contains("tunnel sund-vxlan4");

    sh(tunnels, "ip link del sund-vxlan4");
    node.repair();
    assertThat(found(tunnels)).isEmpty();
    assertThat(node.dataplane().conditions()).isEmpty();
  }

  @Test
  void columnsOfPods() {
    String d = pod.device();
    String link = "drift-changed pod-link " + d + " ";
    String device = "drift-changed pod-device " + d + " ";
    String in = " in pod of " + d;
    Ip ip = pod.ip(Family.V4);
    int mtu = tunnels.node(1).program().localPods().get(d).mtu(Family.V4);

    check(tunnels, "ip link set " + d + " mtu 1300", link + "mtu");
    check(tunnels, "ip link set " + d + " group 7", link + "group");
    check(tunnels, "ip link set " + d + " alias 'sund x'", link + "alias");
    check(
        tunnels,
        "ip link set " + d + " address 02:00:00:00:00:03",
        link + "address",
        "drift-missing neighbour " + ip + " dev " + d,
        "drift-missing neighbour " + pod.ip(Family.V6) + " dev " + d);
    check(
        tunnels,
        "ip neigh replace " + ip + " lladdr 02:00:00:00:00:03 nud permanent dev " + d,
        "drift-changed neighbour " + ip + " dev " + d + " lladdr");
    check(
        tunnels, "ip neigh del " + ip + " dev " + d, "drift-missing neighbour " + ip + " dev " + d);
    check(
        tunnels,
        "ip neigh add 10.1.1.1 lladdr 02:00:00:00:00:03 nud permanent dev " + d,
        "stray-object neighbour 10.1.1.1 dev " + d);
    // The kernel lowers IPv6 routes' MTU with their device's.
    inPod(
        "ip link set eth0 mtu 1300", device + "mtu", "drift-changed pod-route ::/0" + in + " mtu");
    inPod(
        "ip link set eth0 address 02:00:00:00:00:03",
        device + "address",
        "drift-missing pod-neighbour 169.254.1.1" + in,
        "drift-missing pod-neighbour fe80::1" + in);
    inPod("ip link set eth0 name eth7", device + "name");
    inPod("ip addr add 10.1.1.1/32 dev eth0", "stray-object pod-address 10.1.1.1/32" + in);
    inPod(
        "ip route change default via 169.254.1.1 dev eth0 proto 83 mtu 900",
        "drift-changed pod-route 0.0.0.0/0" + in + " mtu");
    inPod("ip route del 0.0.0.0/0", "drift-missing pod-route 0.0.0.0/0" + in);
    inPod(
        "ip -6 route change default via fe80::9 dev eth0 proto 83 mtu "
            + tunnels.node(1).program().localPods().get(d).mtu(Family.V6),
        "drift-changed pod-route ::/0" + in + " via");
    inPod(
        "ip route replace default via 169.254.1.1 dev eth0 mtu " + mtu,
        "drift-missing pod-route 0.0.0.0/0" + in);
    inPod(
        "ip route add 10.7.0.0/16 via 169.254.1.1 dev eth0 proto 83",
        "stray-object pod-route 10.7.0.0/16" + in);
    inPod(
        "ip neigh replace 169.254.1.1 lladdr 02:00:00:00:00:03 nud permanent dev eth0",
        "drift-changed pod-neighbour 169.254.1.1" + in + " lladdr");
    inPod("ip neigh del fe80::1 dev eth0", "drift-missing pod-neighbour fe80::1" + in);
    softly.assertAll();
  }

  @Test
  void settings() {
    check(
        tunnels,
        "echo 0 > /proc/sys/net/ipv4/ip_forward",
        "drift-changed sysctl net/ipv4/ip_forward value");
    check(
        tunnels,
        "echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter",
        "drift-changed sysctl net/ipv4/conf/eth0/rp_filter value");
    softly.assertAll();
  }

  /** The tunnel's device made anew by hand, all as it was but one thing. */
  private static String rebuilt(String what, String instead) {
    TestNode node = tunnels.node(1);
    var tunnel = node.program().tunnels().get("sund-vxlan4");
    TunnelPeer peer = peer(Family.V4);
    return ("ip link del sund-vxlan4; ip link add sund-vxlan4 address "
                + tunnel.mac().orElseThrow()
                + " mtu "
                + tunnel.mtu()
                + " type vxlan id 4096 dstport 4789 local 192.168.77.1 dev eth0 df unset nolearning;")
            .replace(what, instead)
        + " ip link set sund-vxlan4 alias '"
        + dev.sund.dataplane.rows.Lowering.alias(tunnel.rule())
        + "'; ip link set sund-vxlan4 addrgenmode none up;"
        + " ip addr add "
        + tunnel.address().orElseThrow()
        + "/32 dev sund-vxlan4; ip neigh add 192.168.77.2 dev sund-vxlan4 nud permanent lladdr "
        + peer.mac()
        + "; bridge fdb add dev sund-vxlan4 self permanent dst 192.168.77.2 "
        + peer.mac()
        + "; ip route add 10.244.2.0/24 via 192.168.77.2 dev sund-vxlan4 onlink proto 83"
        + " src 10.244.1.0 mtu "
        + route(tunnels, "10.244.2.0/24").mtu()
        + METRIC;
  }

  private void check(Testbed bed, String script, String... expected) {
    sh(bed, script);
    expect(bed, script, expected);
  }

  private void inPod(String script, String... expected) {
    Testbed.run(pod.ns(), "sh", "-ec", script);
    expect(tunnels, script, expected);
  }

  private void expect(Testbed bed, String script, String... expected) {
    softly.assertThat(found(bed)).as(script).containsExactlyInAnyOrder(expected);
    bed.node(1).repair();
    softly.assertThat(found(bed)).as("repaired after: " + script).isEmpty();
  }

  private static List<String> found(Testbed bed) {
    try {
      List<String> found = new ArrayList<>();
      for (Condition condition : Verify.node(bed.node(1).ns(), bed.node(1).program()).drift()) {
        found.add(
            condition.reason().code()
                + " "
                + condition.object()
                + (condition.field().isEmpty() ? "" : " " + condition.field()));
      }
      return found;
    } catch (KernelException e) {
      throw new AssertionError(e);
    }
  }

  private static void sh(Testbed bed, String script) {
    bed.node(1).run("sh", "-ec", script);
  }

  private static dev.sund.engine.program.Route route(Testbed bed, String prefix) {
    return bed.node(1).program().routes().get(dev.sund.model.Prefix.parse(prefix));
  }

  private static TunnelPeer peer(Family family) {
    return tunnels.node(1).program().tunnelPeers().values().stream()
        .filter(peer -> peer.underlay().family() == family)
        .findFirst()
        .orElseThrow();
  }
}
