package dev.sund.doctor;

import java.util.stream.Stream;

/** The cases of the checks that read files alone: MTU, node, connections, traffic, machine. */
final class FileCases {
  private static final String CONNTRACK = "proc/sys/net/netfilter/nf_conntrack_";
  private static final String STAT = "proc/net/stat/nf_conntrack";
  private static final String CLOCK = "sys/devices/system/clocksource/clocksource0/";

  private FileCases() {}

  static Stream<CheckCase> all() {
    return Stream.of(
        new CheckCase(
            "tunnel-mtu",
            node -> node.with("sys/class/net/flannel.1/mtu", "1500"),
            Severity.ERROR,
            "at most 1450 fit",
            node -> node.with("sys/class/net/flannel.1/mtu", "1450"),
            "proc/net/route",
            node -> // jumbo frames below carry it
            node.with("sys/class/net/flannel.1/mtu", "1500")
                    .with("sys/class/net/eth0/mtu", "1550")),
        new CheckCase(
            "pod-mtu",
            node -> node.with("sys/class/net/veth12ab/mtu", "1500"),
            Severity.WARNING,
            "1 of 1 pods' devices have a larger MTU (1500) than flannel.1 (1450)",
            node -> node.with("sys/class/net/veth12ab/mtu", "1450"),
            "sys/class/net/flannel.1/mtu",
            node -> node.with("sys/class/net/veth12ab/mtu", "1400")),
        new CheckCase(
            "forwarding-off",
            node -> node.with("proc/sys/net/ipv4/ip_forward", "0"),
            Severity.ERROR,
            "IPv4 is not forwarded",
            node -> node.with("proc/sys/net/ipv4/ip_forward", "1"),
            "proc/sys/net/ipv4/ip_forward",
            node -> node.without("proc/sys/net/ipv6")),
        new CheckCase(
            "reverse-path-filter",
            node -> node.with("proc/sys/net/ipv4/conf/all/rp_filter", "1"),
            Severity.WARNING,
            "flannel.1",
            node -> node.with("proc/sys/net/ipv4/conf/all/rp_filter", "0"),
            "proc/sys/net/ipv4/conf/all/rp_filter",
            node -> node.with("proc/sys/net/ipv4/conf/all/rp_filter", "2")), // loose
        new CheckCase(
            "bridge-netfilter",
            node -> node.without("proc/sys/net/bridge"),
            Severity.WARNING,
            "br_netfilter is not loaded",
            node -> node.with("proc/sys/net/bridge/bridge-nf-call-iptables", "1"),
            "proc/sys/net/bridge/bridge-nf-call-iptables",
            node -> node.without("proc/sys/net/bridge").without("sys/class/net/cni0")),
        new CheckCase(
            "default-route",
            node ->
                node.with("proc/net/route", "eth0\t00000000\t0100A8C0", "eth0\t0000000A\t0100A8C0"),
            Severity.ERROR,
            "no default route",
            node -> node.with("proc/net/route", "0000000A", "00000000"),
            "proc/net/route",
            node -> // only by IPv6
            node.with("proc/net/route", "eth0\t00000000\t0100A8C0", "eth0\t0000000A\t0100A8C0")
                    .with(
                        "proc/net/ipv6_route",
                        "0".repeat(32)
                            + " 00 "
                            + "0".repeat(32)
                            + " 00 fe800000000000000000000000000001 00000400 00000001 00000000"
                            + " 00000003     eth0")),
        new CheckCase(
            "neighbours-full",
            node ->
                node.with(
                    "proc/net/stat/arp_cache",
                    "00000010  00000000 00000000",
                    "00000400  00000000 00000002"),
            Severity.ERROR,
            "ipv4 1,024 of 1,024",
            node ->
                node.with("proc/sys/net/ipv4/neigh/default/gc_thresh3", "16384")
                    .with("proc/net/stat/arp_cache", "00000002", "00000000"),
            "proc/net/stat/arp_cache",
            node -> node.with("proc/net/stat/arp_cache", "00000010", "00000100")),
        new CheckCase(
            "conntrack-full",
            node -> node.with(CONNTRACK + "count", "130000"),
            Severity.ERROR,
            "130,000 of 131,072",
            node -> node.with(CONNTRACK + "max", "262144"),
            CONNTRACK + "count",
            node -> node.without("proc/sys/net/netfilter")),
        new CheckCase(
            "conntrack-losses",
            node ->
                node.with(
                    STAT,
                    "00000400  00000000 00000000 00000000 00000000 00000000\n",
                    "00000400  00000000 00000000 00000005 00000000 00000000\n"),
            Severity.ERROR,
            "5 in 1.0 s",
            node -> node.with(STAT, "00000005", "00000000"),
            STAT,
            node -> // three times in the machine's life
            node.with(
                    STAT,
                    "entries  drop early_drop insert_failed\n00000400 00000000 00000000 00000003")),
        new CheckCase(
            "conntrack-size",
            node -> node.with(CONNTRACK + "max", "65536"),
            Severity.NOTE,
            "suited: 131,072",
            node -> node.with(CONNTRACK + "max", "131072"),
            "proc/meminfo",
            node -> node.with(CONNTRACK + "max", "1000000")), // 8 GB bear it
        new CheckCase(
            "conntrack-buckets",
            node -> node.with(CONNTRACK + "max", "1000000"),
            Severity.WARNING,
            "30 connections share a bucket",
            node -> node.with(CONNTRACK + "buckets", "250000"),
            CONNTRACK + "buckets",
            node -> node.with(CONNTRACK + "max", "262144")),
        new CheckCase(
            "listen-overflows",
            node -> node.with("proc/net/netstat", "TcpExt: 3 0", "TcpExt: 9 0"),
            Severity.ERROR,
            "6 in 1.0 s, 9 since the start",
            node -> node.with("proc/net/netstat", "TcpExt: 9 0", "TcpExt: 3 0"),
            "proc/net/netstat",
            node -> node.with("proc/net/netstat", "TcpExt: Other\nTcpExt: 5")),
        new CheckCase(
            "retransmits",
            node -> node.with("proc/net/snmp", "Tcp: 100000 50", "Tcp: 101000 110"),
            Severity.ERROR,
            "60 of 1,000 segments",
            node -> node.with("proc/net/snmp", "Tcp: 101000 110", "Tcp: 101000 55"),
            "proc/net/snmp",
            node ->
                node.with("proc/net/snmp", "Tcp: 100000 50", "Tcp: 100010 55")), // too few to say
        new CheckCase(
            "fragments",
            node -> node.with("proc/net/snmp", "Ip: 1 0 0 0", "Ip: 1 0 4 0"),
            Severity.ERROR,
            "4 in 1.0 s",
            node -> node.with("proc/net/snmp", "Ip: 1 0 4 0", "Ip: 1 0 0 0"),
            "proc/net/snmp",
            node -> // long ago
            node.with(
                    "proc/net/snmp",
                    "Ip: Forwarding FragCreates FragFails ReasmFails\nIp: 1 9 9 9")),
        new CheckCase(
            "softnet-drops",
            node -> node.with("proc/net/softnet_stat", "00000200 00000000", "00000200 00000010"),
            Severity.ERROR,
            "16 in 1.0 s, 16 since the start; by processor 1: 16, with 0 of 0 packets",
            node -> node.with("proc/net/softnet_stat", "00000200 00000010", "00000200 00000000"),
            "proc/net/softnet_stat",
            node ->
                node.with(
                    "proc/net/softnet_stat",
                    "00000100 00000000 00000001",
                    "00000100 00000000 00000005")),
        new CheckCase(
            "interface-drops",
            node -> node.with("proc/net/dev", "5000 50 0 7 0", "5000 50 0 7 40"),
            Severity.WARNING,
            "rx overruns: 40 in 1.0 s",
            node -> node.with("proc/net/dev", "5000 50 0 7 40", "5000 50 0 7 0"),
            "proc/net/dev",
            node -> node.with("proc/net/dev", "5000 50 0 7 0", "5000 50 0 9 0")), // foreign frames
        new CheckCase(
            "cpu-steal",
            node ->
                node.with(
                    "proc/stat",
                    "cpu 1000 0 500 90000 10 0 20 0",
                    "cpu 1050 0 500 90100 10 0 20 50"),
            Severity.ERROR,
            "25.0 %",
            node -> node.with("proc/stat", "20 50 0 0", "20 0 0 0"),
            "proc/stat",
            node -> // others work here, nobody steals
            node.with(
                    "proc/stat",
                    "cpu 1000 0 500 90000 10 0 20 0",
                    "cpu 1200 0 500 90000 10 0 20 0")),
        new CheckCase(
            "clock-source",
            node -> node.with(CLOCK + "current_clocksource", "hpet"),
            Severity.WARNING,
            "hpet",
            node -> node.with(CLOCK + "current_clocksource", "tsc"),
            CLOCK + "current_clocksource",
            node -> node.with(CLOCK + "current_clocksource", "kvm-clock")),
        new CheckCase(
            "virtualisation",
            node -> node.with("proc/1/environ", "TERM=linux", "container=lxc"),
            Severity.WARNING,
            "container (lxc)",
            node -> node.with("proc/1/environ", "container=lxc", "TERM=linux"),
            "proc/1/environ",
            node -> node.with("proc/vz/version", "1").with("proc/bc/0", ""))); // OpenVZ's own host
  }
}
