package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;

import java.util.stream.Stream;

/** The cases of sizes, pressure, sockets and of what tunnels lose. */
final class WindowCases {
  private static final String LINKS = FACTS + Facts.LINKS;
  private static final String PODS = FACTS + Facts.PODS;
  private static final String ROUTES = FACTS + Facts.ROUTES;
  private static final String FSYNC = FACTS + Facts.FSYNC;
  private static final String SNMP = "proc/net/snmp";
  private static final String STAT = "proc/stat";

  static final String TUNNEL = "flannel.1: 900 9 0 0 0 0 0 0 900 9 0 2";
  static final String LOSES = "flannel.1: 9900 99 0 0 0 0 0 0 9900 99 0 32";
  static final String TIMES = "cpu 1000 0 500 90000 10 0 20 0";
  static final String STOLEN = "cpu 1050 0 500 90100 10 0 20 50";

  private WindowCases() {}

  static Stream<CheckCase> all() {
    return Stream.of(
        new CheckCase(
            "pair-mtu",
            node -> node.with(PODS, "mtu=1450", "mtu=1500"),
            Severity.ERROR,
            "veth12ab has 1450, its other end in cni-1 has 1500",
            node -> node.with(LINKS, "kind=veth mtu=1450", "kind=veth mtu=1500"),
            PODS,
            node ->
                node.with(PODS, "mtu=1450", "mtu=1404") // the kernel lets 4 bytes more pass
                    .with(LINKS, "kind=veth mtu=1450", "kind=veth mtu=1400")),
        new CheckCase(
            "route-mtu",
            node -> node.with(ROUTES, "mtu=1450", "mtu=1500"),
            Severity.ERROR,
            "10.0.1.0/24 has 1500, flannel.1 carries 1450",
            node -> node.with(ROUTES, "mtu=1500", "mtu=1450"),
            ROUTES,
            node -> node.with(ROUTES, "mtu=1450", "mtu=1280")), // smaller is somebody's choice
        new CheckCase(
            "double-encapsulation",
            node -> node.with("sys/class/net/eth0/mtu", "1450"),
            Severity.NOTE,
            "the network below is likely a tunnel itself, and flannel.1 (vxlan) goes within it",
            node -> node.with("sys/class/net/eth0/mtu", "1500"),
            "sys/class/dmi/id/sys_vendor",
            node -> node.with("sys/class/net/eth0/mtu", "9000")),
        new CheckCase(
            "overlay-loss",
            node -> node.with("proc/net/dev", TUNNEL, LOSES).with(STAT, TIMES, STOLEN),
            Severity.ERROR,
            "come with stolen processor time: in 1.0 s tunnels lost 30 of 210 packets",
            node -> node.with("proc/net/dev", LOSES, TUNNEL),
            "proc/net/softnet_stat",
            node -> node.with(STAT, TIMES, STOLEN)), // time was stolen, and nothing lost
        new CheckCase(
            "fsync",
            node -> node.with(FSYNC, "p99=2400 most=9000", "p99=24000 most=90000"),
            Severity.WARNING,
            "99 of 100 within 24.0 ms, the slowest 90.0 ms",
            node -> node.with(FSYNC, "p99=24000", "p99=9900"),
            FSYNC,
            node -> node.with(FSYNC, "")), // no etcd here
        new CheckCase(
            "resets",
            node -> node.with(SNMP, "700 300 20", "750 350 120"),
            Severity.WARNING,
            "100 reset and 100 opened in 1.0 s",
            node -> node.with(SNMP, "750 350 120", "750 350 20"),
            SNMP,
            node -> node.with(SNMP, "700 300 20", "1700 1300 120")), // as load balancers end some
        new CheckCase(
            "udp-buffers",
            node -> node.with(SNMP, "Udp: 900 0", "Udp: 900 40"),
            Severity.ERROR,
            "took their datagrams too late: 40 in 1.0 s",
            node -> node.with(SNMP, "Udp: 900 40", "Udp: 900 0"),
            SNMP,
            node -> // a burst long ago
            node.with("proc/net/snmp6", "Udp6RcvbufErrors 50")),
        new CheckCase(
            "tcp-memory",
            node -> node.with("proc/net/sockstat", "mem 12", "mem 90000"),
            Severity.WARNING,
            "90,000 pages in use, saved from 62,000 on, refused from 93,000 on",
            node -> node.with("proc/sys/net/ipv4/tcp_mem", "93000\t124000\t186000"),
            "proc/sys/net/ipv4/tcp_mem",
            node -> node.without("proc/sys/net/ipv4/tcp_mem")), // a namespace that is not the first
        new CheckCase(
            "cpu-pressure",
            node -> node.with("proc/pressure/cpu", "avg60=0.50", "avg60=70.00"),
            Severity.WARNING,
            "70.0 % of the last minute",
            node -> node.with("proc/pressure/cpu", "avg60=70.00", "avg60=1.00"),
            "proc/pressure/cpu",
            node -> node.with("proc/pressure/cpu", "avg10=0.10", "avg10=80.00")), // for a moment
        new CheckCase(
            "memory-pressure",
            node -> node.with("proc/pressure/memory", "avg60=0.00", "avg60=30.00"),
            Severity.WARNING,
            "Programs wait for memory that is taken from others first: work waited in 30.0 %",
            node -> node.with("proc/pressure/memory", "avg60=30.00", "avg60=1.00"),
            "proc/pressure/memory",
            node -> node.without("proc/pressure")), // an older kernel
        new CheckCase(
            "io-pressure",
            node -> // half of a long window, though the minute was quiet
            node.with("proc/pressure/io", "total=9", "total=15000009").with(Host.WINDOW, "30"),
            Severity.WARNING,
            "1.5 % of the last minute, 50.0 % of 30.0 s",
            node -> node.with("proc/pressure/io", "total=15000009", "total=9"),
            "proc/pressure/io",
            node -> node.with("proc/pressure/io", "avg60=1.50", "avg60=30.00")));
  }
}
