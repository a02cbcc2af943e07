package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Faults that other people's programs make, one after another in one namespace, found by the real
 * command without Sund's agent.
 */
@Tag("netns")
class DoctorFaultsTest {
  /** What depends on the machine that the test runs on, and not on the namespace. */
  private static final Set<String> OF_THE_MACHINE =
      Set.of(
          "cpu-steal",
          "cpu-pressure",
          "memory-pressure",
          "io-pressure",
          "overlay-loss", // processors' queues are the machine's
          "clock-source",
          "virtualisation",
          "bridge-netfilter",
          "softnet-drops",
          "sysctl-files",
          "sysctl-pods",
          "swap",
          "module-lists",
          "networkd-routes",
          "interface-drops", // counts of its first second are no rate
          "conntrack-full",
          "conntrack-size",
          "conntrack-buckets");

  /** Debian's bridge plugin as a node has it. */
  private static final String HEALTHY =
      """
      {"cniVersion": "0.4.0", "name": "dbnet", "plugins": [
        {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
         "ipam": {"type": "host-local", "dataDir": "DATA",
                  "ranges": [[{"subnet": "10.1.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
        {"type": "portmap", "capabilities": {"portMappings": true}}]}
      """;

  /** As Debian's podman brings it. */
  private static final String PODMAN =
      """
      {"cniVersion": "0.4.0", "name": "podman", "plugins": [
        {"type": "bridge", "bridge": "cni-podman0", "isGateway": true, "ipMasq": true,
         "hairpinMode": true,
         "ipam": {"type": "host-local", "dataDir": "DATA", "routes": [{"dst": "0.0.0.0/0"}],
                  "ranges": [[{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}]]}},
        {"type": "portmap", "capabilities": {"portMappings": true}},
        {"type": "firewall"},
        {"type": "tuning"}]}
      """;

  @TempDir Path folder;
  private FaultyNode node;

  @BeforeEach
  void aNode() throws Exception {
    node = FaultyNode.make(folder);
  }

  @AfterEach
  void removed() throws Exception {
    node.close();
  }

  @Test
  void eachFaultIsFoundByItsOwnCheckAndAHealthyNodeHasNone() throws Exception {
    node.configure("10-bridge.conflist", HEALTHY);
    node.pod("a", HEALTHY);

    assertThat(found()).as("a healthy node").isEmpty();

    // The reference bridge without hairpin; a Service in the shape of kube-proxy's rules.
    node.configure("10-bridge.conflist", HEALTHY.replace("\"hairpinMode\": true", "\"mtu\": 1500"));
    node.pod("b", HEALTHY.replace("\"hairpinMode\": true", "\"mtu\": 1500"));
    node.restore(proxyRules(1_200));
    node.in("iptables -P FORWARD DROP");

    Map<String, String> found = found();
    assertThat(found.keySet())
        .containsExactly(
            "bridge-hairpin", "cni-hairpin", "forward-policy", "proxy-rules", "proxy-stale");
    assertThat(found.get("bridge-hairpin")).contains("1 of 2 ports");
    assertThat(found.get("proxy-rules")).contains("a new connection walks up to 1,200");
    assertThat(found.get("proxy-stale")).contains("mode iptables");
    assertThat(found.get("forward-policy")).contains("chain FORWARD of ip filter drops");

    // Mended, and the next ones: a VXLAN device by hand, podman's own network beside the cluster's.
    node.in("iptables -P FORWARD ACCEPT");
    node.in("iptables -t nat -F");
    node.in("iptables -t nat -X");
    node.in("iptables -t nat -A POSTROUTING -s 10.1.0.0/24 -j MASQUERADE");
    node.configure("10-bridge.conflist", HEALTHY);
    node.in("ip link add vxlan7 type vxlan id 7 dstport 4789 local 192.168.11.11");
    node.in("ip link set vxlan7 addrgenmode none up");
    node.configure("87-podman-bridge.conflist", PODMAN);
    node.pod("c", PODMAN);

    found = found();
    assertThat(found.keySet()).containsExactly("cni-two", "tunnel-mtu");
    assertThat(found.get("tunnel-mtu")).contains("vxlan7 (vxlan) has MTU 1500", "1450 fit");
    assertThat(found.get("cni-two")).contains("10-bridge.conflist, 87-podman-bridge.conflist");

    // Pods' own faults.
    node.in("ip link delete vxlan7");
    node.remove("87-podman-bridge.conflist");
    node.inPod("a", "ip route delete default");
    node.inPod("b", "ip link set eth0 down");
    node.in("ip rule add not from all fwmark 0xca6c lookup 51820 priority 32000");

    found = found();
    assertThat(found.keySet()).containsExactly("foreign-rules", "pod-device", "pod-route");
    assertThat(found.get("pod-route")).contains("no default route");
    assertThat(found.get("pod-device")).contains("its other end is down");
    assertThat(found.get("foreign-rules")).contains("to the routing table 51820");

    // Sizes that do not agree.
    node.in("ip rule delete not from all fwmark 0xca6c lookup 51820 priority 32000");
    node.inPod("a", "ip route add default via 10.1.0.1");
    node.inPod("b", "ip link set eth0 up");
    node.inPod("b", "ip route add default via 10.1.0.1");
    node.inPod("c", "ip link set eth0 mtu 1400");
    node.in("ip route add 10.77.0.0/24 via 192.168.11.1 mtu 9000");

    found = found();
    assertThat(found.keySet()).containsExactly("pair-mtu", "route-mtu");
    assertThat(found.get("pair-mtu")).contains("1 of 3 device pairs have two MTUs", "has 1400");
    assertThat(found.get("route-mtu")).contains("10.77.0.0/24 has 9000, eth0 carries 1500");
  }

  @Test
  void aTunnelOnADeviceThatIsATunnelsSizeIsFoundToGoWithinAnother() throws Exception {
    node.in("ip link set eth0 mtu 1450");
    node.in("ip link set far0 mtu 1450");
    node.in("ip link add vxlan7 type vxlan id 7 dstport 4789 local 192.168.11.11");
    node.in("ip link set vxlan7 mtu 1400 addrgenmode none up");
    Map<String, String> found = found();
    assertThat(found.keySet()).containsExactly("double-encapsulation");
    assertThat(found.get("double-encapsulation")).contains("eth0 has MTU 1450", "vxlan7 (vxlan)");

    node.in("ip link set eth0 mtu 1500");
    node.in("ip link set far0 mtu 1500");
    assertThat(found()).isEmpty();
  }

  @Test
  void aContainerThatHasTheNodesProcSeesTheSame() throws Exception {
    node.configure("10-bridge.conflist", HEALTHY);
    node.pod("a", HEALTHY);
    Path stale = NetNs.DIRECTORY.resolve("sundt-doctor-stale-" + ProcessHandle.current().pid());
    Files.createFile(stale); // a name of no namespace, as from before the node's last start
    try {
      assertThat(found(node::doctorInContainer)).as("a healthy node").isEmpty();
    } finally {
      Files.delete(stale);
    }

    node.in("sysctl -qw net.ipv4.ip_forward=0");
    node.inPod("a", "ip link set eth0 mtu 1400");
    node.in("ip route add 10.77.0.0/24 via 192.168.11.1 mtu 9000");
    assertThat(found(node::doctorInContainer)).isEqualTo(found());
    assertThat(found().keySet()).containsExactly("forwarding-off", "pair-mtu", "route-mtu");
  }

  @Test
  void aDisksWritesAreTimedWhenThatIsAskedForAndLeaveNothing() throws Exception {
    Path disk = Files.createDirectories(folder.resolve("disk"));
    String said = node.doctor("--explain", "fsync", "--fsync=" + disk);
    assertThat(said).contains("writes of 2,300 bytes in " + disk, "99 of 100 within");
    assertThat(disk).isEmptyDirectory();
    assertThat(node.doctor("--only", "fsync", "--fsync", "-o", "json"))
        .as("no etcd runs here")
        .contains("no etcd is here");
  }

  /** How the doctor is run. */
  @FunctionalInterface
  private interface Look {
    String print(String... arguments) throws Exception;
  }

  private Map<String, String> found() throws Exception {
    return found(node::doctor);
  }

  /** What the doctor finds, by check; all checks ran, and none lacked what it reads. */
  private static Map<String, String> found(Look look) throws Exception {
    List<String> asked =
        Catalogue.node().stream()
            .<String>map(Check::id)
            .filter(id -> !OF_THE_MACHINE.contains(id))
            .toList();
    Tree.Mapping whole =
        (Tree.Mapping) JsonTrees.parse(look.print("-o", "json", "--only", String.join(",", asked)));
    Map<String, String> outcomes = new TreeMap<>();
    for (Tree item : ((Tree.Sequence) whole.get("checks").orElseThrow()).items()) {
      Tree.Mapping check = (Tree.Mapping) item;
      outcomes.put(check.text("id").orElseThrow(), check.text("outcome").orElseThrow());
    }
    assertThat(outcomes.keySet()).containsExactlyInAnyOrderElementsOf(asked);
    assertThat(outcomes).as("%s", whole).doesNotContainValue("unread");
    Map<String, String> found = new TreeMap<>();
    for (Tree item : ((Tree.Sequence) whole.get("findings").orElseThrow()).items()) {
      Tree.Mapping finding = (Tree.Mapping) item;
      found.put(finding.text("check").orElseThrow(), finding.text("text").orElseThrow());
    }
    return found;
  }

  /** iptables-restore's input as kube-proxy writes it: one endpoint each. */
  private static String proxyRules(int services) {
    StringBuilder chains = new StringBuilder("*nat\n:KUBE-SERVICES - [0:0]\n");
    StringBuilder rules = new StringBuilder("-A PREROUTING -j KUBE-SERVICES\n");
    for (int i = 0; i < services; i++) {
      String hash = hash(i);
      chains.append(":KUBE-SVC-%s - [0:0]%n:KUBE-SEP-%s - [0:0]%n".formatted(hash, hash));
      String address = "10.96.%d.%d".formatted(i / 250, i % 250 + 1);
      rules.append(
          "-A KUBE-SERVICES -d %s/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-%s%n"
              .formatted(address, hash));
      rules.append("-A KUBE-SVC-%s -j KUBE-SEP-%s%n".formatted(hash, hash));
      rules.append(
          "-A KUBE-SEP-%s -p tcp -m tcp -j DNAT --to-destination 10.1.0.2:8080%n".formatted(hash));
    }
    return chains.append(rules).append("COMMIT\n").toString();
  }

  /** 16 characters of base 32. */
  private static String hash(int i) {
    StringBuilder hash = new StringBuilder();
    for (int k = 0; k < 16; k++) {
      hash.append("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".charAt((i >> (5 * (k % 4))) & 31));
    }
    return hash.toString();
  }
}
