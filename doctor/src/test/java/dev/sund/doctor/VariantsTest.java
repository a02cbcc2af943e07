package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Other shapes of a fault than the one that each check's case has. */
class VariantsTest {
  private static final String LINKS = FACTS + Facts.LINKS;
  private static final String RELEASE = "6.1.0-18-amd64";

  @TempDir Path root;

  private String found(RecordedNode node, String id) throws Exception {
    List<Check<?>> checks = List.of(Catalogue.named(id).orElseThrow());
    Result result = Examination.of(node.host(), checks).results().getFirst();
    assertThat(result.outcome()).isInstanceOf(Result.Judged.class);
    return result.findings().isEmpty() ? "nothing" : result.findings().getFirst().text();
  }

  private static Finding finding(RecordedNode node, String id) throws Exception {
    List<Check<?>> checks = List.of(Catalogue.named(id).orElseThrow());
    return Examination.of(node.host(), checks).results().getFirst().findings().getFirst();
  }

  private RecordedNode node() {
    return new RecordedNode(root);
  }

  @Test
  void aTunnelOverIpv6NeedsTwentyBytesMore() throws Exception {
    assertThat(found(node().with(LINKS, "port=8472", "port=8472 outer=ipv6"), "tunnel-mtu"))
        .contains("with 70 bytes of headers at most 1430 fit");
  }

  @Test
  void aTunnelIsComparedWithTheDeviceThatItNames() throws Exception {
    RecordedNode node =
        node()
            .with("sys/class/net/eth1/mtu", "1400")
            .with(LINKS, "port=8472", "port=8472 below=eth1");
    assertThat(found(node, "tunnel-mtu")).contains("and eth1 below it 1400");
  }

  @Test
  void withoutATunnelPodsAreComparedWithTheNodesOwnDevice() throws Exception {
    RecordedNode node =
        node().without("sys/class/net/flannel.1").with("sys/class/net/eth0/mtu", "1400");
    assertThat(found(node, "pod-mtu")).contains("a larger MTU (1450) than eth0 (1400)");
  }

  @Test
  void piecesOfIpv6AreCountedToo() throws Exception {
    RecordedNode node =
        node()
            .with(
                "proc/net/snmp6",
                "Ip6FragFails                    \t0",
                "Ip6FragFails                    \t6");
    assertThat(found(node, "fragments")).contains("larger than the way they take: 6 in 1.0 s");
  }

  @Test
  void whatADeviceLostLongAgoIsANoteWhenItWasMuch() throws Exception {
    String devices = "  eth0: 5000 500000 0 2000 0 0 0 0 5000 50 0 0 0 0 0 0";
    assertThat(
            found(node().with("proc/net/dev", "Inter-|\n face |\n" + devices), "interface-drops"))
        .contains("has counted rx drops: 2,000, beside 500,000 packets");
  }

  @Test
  void theSchedulerThatKubeProxyWasToldIsWhatItNeeds() throws Exception {
    RecordedNode node =
        node()
            .with(
                RecordedNode.PROXY_CONFIG,
                "kind: KubeProxyConfiguration\nipvs:\n  scheduler: wrr\nmode: ipvs")
            .with(
                "proc/modules", "nf_conntrack 1 1 - Live 0x0\nip_vs 1 1 - Live 0x0\nip_vs_rr 1 1");
    assertThat(found(node, "proxy-ipvs")).contains("has not loaded: ip_vs_wrr.");
  }

  @Test
  void scriptsThatLoadWhatIsGoneAreLists() throws Exception {
    RecordedNode node =
        node()
            .with(
                "etc/sysconfig/modules/ipvs.modules",
                "#!/bin/bash\n# nf_conntrack_ipv6 is gone\nmodprobe -- ip_vs\nmodprobe -- nf_conntrack_ipv4");
    assertThat(found(node, "module-lists"))
        .contains("/etc/sysconfig/modules/ipvs.modules: nf_conntrack_ipv4")
        .doesNotContain("ipv6");
  }

  @Test
  void theKernelsOwnConfigurationIsReadWhereNoFileHasIt() throws Exception {
    Files.createDirectories(root.resolve("proc"));
    try (OutputStream out =
        new GZIPOutputStream(Files.newOutputStream(root.resolve("proc/config.gz")))) {
      out.write(
          "# CONFIG_NETFILTER_XT_MATCH_STATISTIC is not set\n".getBytes(StandardCharsets.UTF_8));
    }
    assertThat(found(node(), "kernel-needs"))
        .contains("The kernel " + RELEASE + " was built without", "XT_MATCH_STATISTIC");
  }

  @Test
  void ipvsThatKeepsConnectionsToEndpointsThatAreGoneIsFound() throws Exception {
    RecordedNode node =
        node()
            .with(LINKS, "link=cni0", "link=kube-ipvs0 index=9 kind=dummy\nlink=cni0")
            .with("proc/sys/net/ipv4/vs/conntrack", "1")
            .with("proc/sys/net/ipv4/vs/expire_nodest_conn", "0");
    assertThat(found(node, "sysctl-ipvs")).contains("keeps connections to endpoints that are gone");
  }

  @Test
  void addressesAreInTheFolderThatTheConfigurationNames() throws Exception {
    RecordedNode node =
        node()
            .with(
                RecordedNode.CNI,
                """
                {"cniVersion": "0.4.0", "name": "dbnet", "type": "bridge", "ipMasq": true,
                 "ipam": {"type": "host-local", "subnet": "10.1.0.0/24", "dataDir": "/run/given"}}
                """);
    for (int i = 2; i < 5; i++) {
      node = node.with("run/given/dbnet/10.1.0." + i, "0123abcd\r\neth0");
    }
    Finding finding = finding(node, "cni-addresses");
    assertThat(finding.object()).isEqualTo("/run/given/dbnet");
    assertThat(finding.remedy()).startsWith("cd /run/given/dbnet && rm 10.1.0.2");
  }

  @Test
  void datagramsThatWereLostLongAgoAreANote() throws Exception {
    Finding finding =
        finding(node().with("proc/net/snmp6", "Udp6RcvbufErrors 9000"), "udp-buffers");
    assertThat(finding.text()).contains("0 in 1.0 s, 9,000 since the start");
    assertThat(finding.severity()).isEqualTo(Severity.NOTE);
  }

  @Test
  void whatTheKernelForgetsTooEarlyIsSaid() throws Exception {
    String table = "proc/sys/net/netfilter/nf_conntrack_";
    assertThat(found(node().with(table + "udp_timeout", "5"), "sysctl-values"))
        .contains("A UDP question is forgotten after 5 s");
    RecordedNode streams =
        node().with(table + "udp_timeout", "30").with(table + "udp_timeout_stream", "20");
    assertThat(found(streams, "sysctl-values"))
        .contains("UDP that was answered is forgotten after 20 s, a single question after 30 s");
    RecordedNode half =
        streams
            .with(table + "udp_timeout_stream", "30")
            .with(table + "tcp_timeout_close_wait", "10");
    assertThat(found(half, "sysctl-values")).contains("one end has closed is forgotten after 10 s");
    RecordedNode usual =
        node()
            .with(table + "udp_timeout", "30")
            .with(table + "udp_timeout_stream", "120")
            .with(table + "tcp_timeout_close_wait", "3600")
            .with(table + "tcp_be_liberal", "1");
    assertThat(found(usual, "sysctl-values")).isEqualTo("nothing");
  }

  @Test
  void whatCalicosAndCiliumsDevicesNeedIsSaidWhereTheyAre() throws Exception {
    String conf = "proc/sys/net/ipv4/conf/";
    String delay = "proc/sys/net/ipv4/neigh/cali12ab/proxy_delay";
    RecordedNode calico = node().with(conf + "cali12ab/proxy_arp", "1").with(delay, "80");
    assertThat(finding(calico, "sysctl-devices").why())
        .contains("up to 80 hundredths of a second", "the first packet of each pod");
    assertThat(found(calico.with(delay, "0"), "sysctl-devices")).isEqualTo("nothing");

    RecordedNode cilium =
        node()
            .with(conf + "cilium_host/rp_filter", "0")
            .with("proc/sys/kernel/unprivileged_bpf_disabled", "0")
            .with("proc/sys/net/ipv4/fib_multipath_use_neigh", "0");
    assertThat(found(cilium, "sysctl-devices")).contains("kernel.unprivileged_bpf_disabled is 0");
    RecordedNode neighbours = cilium.with("proc/sys/kernel/unprivileged_bpf_disabled", "2");
    assertThat(finding(neighbours, "sysctl-devices").severity()).isEqualTo(Severity.NOTE);
    assertThat(
            found(
                neighbours.with("proc/sys/net/ipv4/fib_multipath_use_neigh", "1"),
                "sysctl-devices"))
        .isEqualTo("nothing");
    RecordedNode other = cilium.without("proc/sys/net/ipv4/conf/cilium_host");
    assertThat(found(other, "sysctl-devices")).as("without Cilium").isEqualTo("nothing");
  }
}
