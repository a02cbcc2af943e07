package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.doctor.WholeFile;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * More faults made for real in a namespace, several in one scene: of files and devices, and of what
 * only traffic shows. The real command finds each, and no longer when it is mended.
 */
@Tag("netns")
class DoctorMoreFaultsTest {
  private static final Path BRIDGED = Path.of("/proc/sys/net/bridge/bridge-nf-call-iptables");
  private static final Path CONNECTIONS = Path.of("/proc/sys/net/netfilter/nf_conntrack_max");

  /** From so many on, filling half of the table takes more time and memory than a test should. */
  private static final long MANY_CONNECTIONS = 1_100_000;

  /** How often is looked again for what a busy machine does later. */
  private static final int LOOKS = 8;

  /** A node's network with room for five pods. */
  private static final String SMALL =
      """
      {"cniVersion": "0.4.0", "name": "dbnet", "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
         "ipam": {"type": "host-local", "dataDir": "DATA",
                  "ranges": [[{"subnet": "10.1.0.0/29"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": true}}]}
      """;

  @TempDir Path folder;
  private FaultyNode node;

  /** A finding. */
  private record Found(String severity, String object, String text, String remedy) {}

  @BeforeEach
  void aNode() throws Exception {
    node = FaultyNode.make(folder);
  }

  @AfterEach
  void removed() throws Exception {
    node.close();
  }

  @Test
  void ofFilesRulesAndDevices() throws Exception {
    // The plugin's files: one that is cut short, and one that names what is not there.
    node.configure("10-bridge.conflist", SMALL.replace("{\"type\": \"portmap\"", MISSING));
    node.configure(
        "20-late.conflist", "{\"cniVersion\": \"0.4.0\",\n\"name\": \"late\", \"plugins\"");
    // A runtime that was killed: the addresses of its pods are taken.
    for (String pod : List.of("a", "b", "c", "d", "e")) {
      node.pod(pod, SMALL);
    }
    for (String pod : List.of("b", "c", "d", "e")) {
      node.lose(pod);
    }
    assertThatThrownBy(() -> node.pod("f", SMALL))
        .hasMessageContaining("no IP addresses available");
    node.lose("f");
    // A tunnel in what looks like another one, narrower than the pods, with a strict filter.
    node.in("ip link set eth0 mtu 1450");
    node.in("ip link add vxlan7 type vxlan id 7 dstport 4789 local 192.168.11.11 dev eth0");
    node.in("ip link set vxlan7 addrgenmode none mtu 1400 up");
    node.in("sysctl -qw net.ipv4.conf.vxlan7.rp_filter=1");
    node.in("sysctl -qw net.ipv4.conf.eth0.forwarding=0");
    node.in("sysctl -qw net.ipv4.conf.all.route_localnet=1");
    bridged(0);
    // Rules in both of iptables' interfaces; two of kube-proxy's modes, and it says the third.
    node.in("iptables-legacy -A INPUT -s 192.0.2.7 -j ACCEPT");
    node.restore("*nat\n:KUBE-SERVICES - [0:0]\n-A PREROUTING -j KUBE-SERVICES\nCOMMIT\n");
    node.in("nft add table ip kube-proxy");
    Process proxy = node.traffic("proxy-ipvs");

    String port = "";
    for (int i = 0; i < 3000 && port.lines().count() != 1; i++) {
      Thread.sleep(20); // the kernel takes lost networks away by and by
      port = node.in("ip -br link show master cni0");
    }

    Set<String> asked =
        Set.of(
            "cni-addresses",
            "cni-config",
            "cni-masquerade",
            "cni-plugins",
            "iptables-both",
            "proxy-mode",
            "proxy-two",
            "pod-mtu",
            "bridge-netfilter",
            "reverse-path-filter",
            "sysctl-devices",
            "route-localnet",
            "double-encapsulation");
    Map<String, Found> found = found("0", asked);
    assertThat(found.keySet()).containsExactlyInAnyOrderElementsOf(asked);
    assertThat(found.get("cni-addresses").severity()).isEqualTo("error");
    assertThat(found.get("cni-addresses").text())
        .contains("dbnet: 5 of 5 addresses given, 4 of them to pods that are gone");
    Path addresses = folder.resolve("data/dbnet");
    assertThat(found.get("cni-addresses").object()).isEqualTo(addresses.toString());
    assertThat(found.get("cni-addresses").remedy())
        .startsWith("cd " + addresses + " && rm 10.1.0.3 10.1.0.4 10.1.0.5 10.1.0.6 after");
    assertThat(found.get("cni-config").text()).contains("20-late.conflist: line 2");
    assertThat(found.get("cni-plugins").object()).isEqualTo("no-such-plugin");
    assertThat(found.get("cni-masquerade").text()).contains("bridge has no ipMasq");
    assertThat(found.get("iptables-both").text())
        .contains("1 rules by iptables-legacy, 1 by iptables-nft");
    assertThat(found.get("proxy-mode").text())
        .contains("in mode ipvs, and the kernel has rules of mode iptables and nftables only");
    assertThat(found.get("proxy-two").text()).contains("mode iptables", "mode nftables");
    assertThat(found.get("pod-mtu").text())
        .contains("1 of 1 pods' devices have a larger MTU (1500) than vxlan7 (1400)");
    assertThat(found.get("bridge-netfilter").text()).contains("bridges here: cni0");
    assertThat(found.get("reverse-path-filter").object())
        .isEqualTo("net.ipv4.conf.vxlan7.rp_filter");
    assertThat(found.get("route-localnet").text()).contains("no chain KUBE-FIREWALL");
    assertThat(found.get("sysctl-devices").object()).isEqualTo("net.ipv4.conf.eth0.forwarding");
    assertThat(found.get("double-encapsulation").text())
        .contains("eth0 has MTU 1450", "vxlan7 (vxlan) goes within it");

    // Each by its remedy.
    node.remove("20-late.conflist");
    node.configure("10-bridge.conflist", SMALL.replace("\"ipMasq\": false", "\"ipMasq\": true"));
    for (int i = 3; i <= 6; i++) {
      Files.delete(addresses.resolve("10.1.0." + i));
    }
    node.in("ip link set eth0 mtu 1500");
    node.in("ip link set vxlan7 mtu 1450");
    node.in("ip link set " + port.replaceFirst("(?s)[@ ].*", "") + " mtu 1450");
    node.inPod("a", "ip link set eth0 mtu 1450");
    node.in("sysctl -qw net.ipv4.conf.vxlan7.rp_filter=2");
    node.in("sysctl -qw net.ipv4.conf.eth0.forwarding=1");
    bridged(1);
    node.in("iptables-legacy -F");
    node.in("nft delete table ip kube-proxy");
    node.in("iptables -N KUBE-FIREWALL"); // kubelet's
    FaultyTraffic.stop(proxy);
    node.traffic("proxy-iptables");

    found = found("0", asked);
    if (!Files.exists(BRIDGED)) {
      found.remove("bridge-netfilter"); // a module is the machine's, and no test loads it
    }
    assertThat(found).isEmpty();
  }

  private static final String MISSING = "{\"type\": \"no-such-plugin\"}, {\"type\": \"portmap\"";

  private void bridged(int calls) throws Exception {
    if (Files.exists(BRIDGED)) {
      node.in("sysctl -qw net.bridge.bridge-nf-call-iptables=" + calls);
    }
  }

  @Test
  void ofTraffic() throws Exception {
    node.pod("a", SMALL);
    node.in("ip link add eth1 type veth peer name far1");
    node.in("ip address add 192.168.12.11/24 dev eth1");
    node.in("ip address add fd00:12::1/64 dev eth1 nodad");
    node.in("ip link set eth1 up");
    node.in("ip link set far1 up");
    for (String neighbour : List.of("192.168.11.1 eth0", "192.168.12.1 eth1", "fd00:12::2 eth1")) {
      String[] at = neighbour.split(" ");
      node.in("ip neighbour add " + at[0] + " lladdr 02:00:00:00:00:01 dev " + at[1]);
    }
    node.in("ip route add 10.77.0.0/24 via 192.168.12.1 mtu lock 1300");
    node.in("tc qdisc add dev eth0 root tbf rate 8kbit burst 1540 limit 3000");
    node.in("nft add table inet loses");
    node.in("nft add chain inet loses in { type filter hook input priority 0; }");
    node.in("nft add rule inet loses in tcp sport 9002 tcp flags & (syn|ack) == (syn|ack) drop");
    node.in("nft add rule inet loses in tcp dport 9004 numgen random mod 4 == 0 drop");
    Process traffic =
        node.traffic("overflow", "begun", "broken", "again", "late", "crowd", "pieces", "pieces6");
    Process whole = node.trafficInPod("a", "whole");

    Set<String> asked =
        Set.of(
            "fragments",
            "retransmits",
            "resets",
            "listen-overflows",
            "syn-backlog",
            "udp-buffers",
            "queue-drops");
    Set<String> counted =
        Set.of(
            "Ip.FragFails",
            "Ip.FragCreates",
            "Ip6FragCreates",
            "Tcp.RetransSegs",
            "Tcp.EstabResets",
            "TcpExt.ListenOverflows",
            "TcpExt.TCPReqQFullDoCookies",
            "Udp.RcvbufErrors",
            "Udp.SndbufErrors", // the queue that drops, as the sender sees it
            "eth0");
    List<Found> all = all(asked);
    // Each kind has begun, and was let run in the second that the doctor looked at.
    for (int i = 0; i < LOOKS && !(wrong(all).equals(counted) && isBad(all)); i++) {
      all = all(asked);
    }
    assertThat(all).extracting(Found::object).containsExactlyInAnyOrderElementsOf(counted);
    assertThat(all).extracting(Found::severity).isSubsetOf("error", "warning");
    assertThat(all).extracting(Found::text).anyMatch(text -> text.contains("queue tbf of eth0"));

    FaultyTraffic.stop(traffic);
    FaultyTraffic.stop(whole);
    // What was counted stays counted: a note at most says so, once what was on its way has ended.
    all = all(asked);
    for (int i = 0; i < LOOKS && !all.stream().allMatch(DoctorMoreFaultsTest::isPast); i++) {
      all = all(asked);
    }
    assertThat(all)
        .allSatisfy(one -> {
          assertThat(one.severity()).isEqualTo("note");
          assertThat(one.text()).contains(": 0 in ");
        });
  }

  private List<Found> all(Set<String> asked) throws Exception {
    return findings("1", asked).values().stream().flatMap(List::stream).toList();
  }

  private static Set<String> wrong(List<Found> all) {
    return all.stream().map(Found::object).collect(Collectors.toSet());
  }

  private static boolean isBad(List<Found> all) {
    return all.stream().noneMatch(one -> one.severity().equals("note"));
  }

  private static boolean isPast(Found one) {
    return one.severity().equals("note") && one.text().contains(": 0 in ");
  }

  @Test
  void ofATableOfConnectionsThatOneFills() throws Exception {
    Assumptions.assumeTrue(
        Files.exists(CONNECTIONS)
            && Long.parseLong(WholeFile.text(CONNECTIONS).strip()) < MANY_CONNECTIONS,
        "the machine's table of connections is too large to be filled by half");
    node.in("ip neighbour add 192.168.11.1 lladdr 02:00:00:00:00:01 dev eth0");
    node.in("nft add table ip seen");
    node.in("nft add chain ip seen out { type filter hook output priority 0; }");
    node.in("nft add rule ip seen out ct state new accept");
    node.in("sysctl -qw net.netfilter.nf_conntrack_udp_timeout=300");
    node.in("sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=432000");
    Process traffic = node.traffic("connections");

    Set<String> asked = Set.of("conntrack-talkers", "conntrack-growth", "conntrack-timeouts");
    Map<String, Found> found = found("1", asked);
    for (int i = 0; i < LOOKS && !found.keySet().equals(asked); i++) {
      found = found("1", asked); // in a second in which the traffic was let run
    }
    assertThat(found.keySet()).containsExactlyInAnyOrderElementsOf(asked);
    assertThat(found.get("conntrack-talkers").object()).isEqualTo("192.168.11.11");
    assertThat(found.get("conntrack-talkers").text())
        .contains("192.168.11.11 has ", " % of the connections in a table that is 5");
    assertThat(found.get("conntrack-growth").text())
        .contains("the table of connections is full in");
    assertThat(found.get("conntrack-timeouts").text())
        .contains("remembered for 120 hours", "the table is 5");

    FaultyTraffic.stop(traffic);
    node.in("sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=86400");
    node.in("conntrack -F");
    assertThat(found("1", asked)).isEmpty();
  }

  @Test
  void ofAPodThatTakesItsConnectionsTooLate() throws Exception {
    try (DnsBed bed = new DnsBed(folder.resolve("bed"))) {
      Process late = FaultyTraffic.in(bed.pod, folder.resolve("traffic"), "some");
      FaultyTraffic.stop(late);
      assertThat(listens(bed)).contains("shop/web-0 lets connections wait until its queue is full");

      FaultyTraffic.stop(FaultyTraffic.in(bed.pod, folder.resolve("traffic"), "taken"));
      assertThat(listens(bed)).contains("nothing wrong").doesNotContain("until its queue is full");
    }
  }

  private static String listens(DnsBed bed) throws Exception {
    return bed.doctor("shop/web-0", "--only", "inside-listen").out();
  }

  private Map<String, Found> found(String window, Set<String> asked) throws Exception {
    Map<String, Found> first = new TreeMap<>();
    findings(window, asked).forEach((check, all) -> first.put(check, all.getFirst()));
    return first;
  }

  /** What these checks find; all ran, and none lacked what it reads. */
  private Map<String, List<Found>> findings(String window, Set<String> asked) throws Exception {
    String printed =
        node.doctor("-o", "json", "--window", window, "--only", String.join(",", asked));
    Tree.Mapping whole = (Tree.Mapping) JsonTrees.parse(printed);
    Set<String> ran = new java.util.TreeSet<>();
    for (Tree item : ((Tree.Sequence) whole.get("checks").orElseThrow()).items()) {
      Tree.Mapping check = (Tree.Mapping) item;
      ran.add(check.text("id").orElseThrow());
      assertThat(check.text("outcome").orElseThrow()).as(printed).isNotEqualTo("unread");
    }
    assertThat(ran).containsExactlyInAnyOrderElementsOf(asked);
    Map<String, List<Found>> found = new TreeMap<>();
    for (Tree item : ((Tree.Sequence) whole.get("findings").orElseThrow()).items()) {
      Tree.Mapping one = (Tree.Mapping) item;
      found
          .computeIfAbsent(one.text("check").orElseThrow(), _ -> new ArrayList<>())
          .add(
              new Found(
                  one.text("severity").orElseThrow(),
                  one.text("object").orElseThrow(),
                  one.text("text").orElseThrow(),
                  one.text("remedy").orElseThrow()));
    }
    return found;
  }
}
