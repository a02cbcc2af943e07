package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;

import java.util.stream.Stream;

/** The cases of the kernel's settings, and of its table of connections over time. */
final class SysctlCases {
  private static final String NET = "proc/sys/net/";
  private static final String CONNTRACK = NET + "netfilter/nf_conntrack_";
  private static final String FILE = "etc/sysctl.d/k8s.conf";
  private static final String LOCALNET = NET + "ipv4/conf/all/route_localnet";
  private static final String LINKS = FACTS + Facts.LINKS;
  private static final String PODS = FACTS + Facts.PODS;
  private static final String CONNECTIONS = FACTS + Facts.CONNECTIONS;

  private SysctlCases() {}

  private static RecordedNode ipvs(RecordedNode node) {
    return node.with(LINKS, "link=kube-ipvs0 index=9 kind=dummy")
        .with(NET + "ipv4/vs/conn_reuse_mode", "1");
  }

  static Stream<CheckCase> all() {
    return Stream.of(
        new CheckCase(
            "sysctl-files",
            node ->
                node.with(FILE, "net.netfilter.nf_conntrack_max = 1000000")
                    .with("usr/lib/sysctl.d/50-default.conf", "net/ipv4/ip_forward=0"),
            Severity.WARNING,
            "net.ipv4.ip_forward is 1, and /usr/lib/sysctl.d/50-default.conf sets 0",
            node ->
                node.with(CONNTRACK + "max", "1000000")
                    .with("etc/sysctl.d/50-default.conf", "net.ipv4.ip_forward=1"),
            NET + "ipv4/ip_forward",
            node -> // the administrator's own wins over the distribution's, as it should
            node.with("usr/lib/sysctl.d/10-default.conf", "net.ipv4.ip_forward=0")),
        new CheckCase(
            "sysctl-values",
            node -> node.with(NET + "ipv4/ip_local_port_range", "1024 65535"),
            Severity.WARNING,
            "ports from 1024 to 65535, and so do node ports",
            node -> node.with(NET + "ipv4/ip_local_reserved_ports", "30000-32767"),
            NET + "ipv4/ip_local_port_range",
            node -> // what lists tell and what is right as it is
            node.with("proc/sys/vm/swappiness", "0").with(NET + "ipv4/tcp_tw_reuse", "1")),
        new CheckCase(
            "sysctl-devices",
            node -> node.with(NET + "ipv4/conf/eth0/forwarding", "0"),
            Severity.ERROR,
            "net.ipv4.conf.eth0.forwarding is 0",
            node -> node.with(NET + "ipv4/conf/eth0/forwarding", "1"),
            NET + "ipv4/conf/eth0/forwarding",
            node -> // only Calico's devices answer for others
            node.with(NET + "ipv4/conf/eth0/proxy_arp", "0")),
        new CheckCase(
            "route-localnet",
            node -> node.with(LOCALNET, "1"),
            Severity.WARNING,
            "route_localnet is 1, and no chain KUBE-FIREWALL keeps others out",
            node -> node.with(LOCALNET, "0"),
            LOCALNET,
            node -> // as kube-proxy of mode iptables and kubelet leave it
            node.with(LOCALNET, "1")
                    .with(
                        FACTS + Facts.RULES,
                        "tool=nft family=ip table=filter chain=KUBE-FIREWALL rules=1")),
        new CheckCase(
            "sysctl-ipvs",
            node -> ipvs(node).with(NET + "ipv4/vs/conntrack", "0"),
            Severity.ERROR,
            "net.ipv4.vs.conntrack",
            node -> node.with(NET + "ipv4/vs/conntrack", "1"),
            LINKS,
            node -> node.with(NET + "ipv4/vs/conntrack", "0")), // keepalived's own IPVS
        new CheckCase(
            "sysctl-pods",
            node ->
                node.with(FILE, "net.core.somaxconn=32768").with(NET + "core/somaxconn", "32768"),
            Severity.NOTE,
            "1 pods have another value, 4,096",
            node -> node.with(PODS, "value=4096", "value=32768"),
            PODS,
            node -> node.with(NET + "core/somaxconn", "8192")), // no file says so
        new CheckCase(
            "swap",
            node ->
                node.with("var/lib/kubelet/config.yaml", "kind: KubeletConfiguration")
                    .with("proc/swaps", "Filename Type\n/swapfile file 1 0 -2"),
            Severity.WARNING,
            "1 areas",
            node -> node.with("var/lib/kubelet/config.yaml", "failSwapOn: false"),
            "proc/swaps",
            node -> node.with("proc/swaps", "Filename Type\n/dev/dm-1 partition 1 0 -2")),
        new CheckCase(
            "conntrack-talkers",
            node ->
                node.with(CONNTRACK + "count", "100000")
                    .with(
                        CONNECTIONS,
                        "all=100000 unanswered=80000\nzone=0 count=100000\n"
                            + "source=10.0.0.5 count=90000\nsource=10.0.0.6 count=10000"),
            Severity.WARNING,
            "10.0.0.5 has 90 % of the connections in a table that is 76 % full",
            node -> node.with(CONNTRACK + "count", "10000"),
            CONNTRACK + "count",
            node -> // full by the work of many
            node.with(CONNTRACK + "count", "100000")
                    .with(CONNECTIONS, "all=100000 unanswered=0\nsource=10.0.0.5 count=900")),
        new CheckCase(
            "conntrack-growth",
            node -> node.with(CONNTRACK + "count", "1024", "61024"),
            Severity.WARNING,
            "is full in 1 s",
            node -> node.with(CONNTRACK + "count", "61024", "1030"),
            CONNTRACK + "count",
            node -> node.with(CONNTRACK + "count", "1024", "9024")), // a burst in an empty table
        new CheckCase(
            "conntrack-timeouts",
            node ->
                node.with(CONNTRACK + "count", "100000")
                    .with(CONNTRACK + "tcp_timeout_established", "432000"),
            Severity.WARNING,
            "remembered for 120 hours",
            node -> node.with(CONNTRACK + "tcp_timeout_established", "86400"),
            CONNTRACK + "tcp_timeout_established",
            node -> // the kernel's own value, and room
            node.with(CONNTRACK + "tcp_timeout_established", "432000")));
  }
}
