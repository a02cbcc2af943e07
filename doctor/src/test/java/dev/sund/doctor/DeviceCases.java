package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;

import java.util.stream.Stream;

/** The cases of devices, queues and the kernel itself. */
final class DeviceCases {
  private static final String DRIVERS = FACTS + Facts.DRIVERS;
  private static final String QUEUES = FACTS + Facts.QUEUES;
  private static final String LINKS = FACTS + Facts.LINKS;
  private static final String RELEASE = "proc/sys/kernel/osrelease";
  private static final String CONFIG = "boot/config-6.1.0-18-amd64";

  private DeviceCases() {}

  static Stream<CheckCase> all() {
    return Stream.of(
        new CheckCase(
            "rings",
            node -> node.with("proc/net/dev", "5000 50 0 7 0", "5000 50 0 7 40"),
            Severity.WARNING,
            "no room for 40 packets just now (40 in all): its ring holds 256 and could hold 1,024",
            node -> node.with(DRIVERS, "rx=256", "rx=1024"),
            DRIVERS,
            node -> node.with("proc/net/dev", "5000 50 0 7 0", "5000 50 0 9 0")), // others' frames
        new CheckCase(
            "queue-drops",
            node -> node.with(QUEUES, "drops=40", "drops=540"),
            Severity.WARNING,
            "The queue fq_codel of eth0 drops 500 packets a second",
            node -> node.with(QUEUES, "drops=540", "drops=40"),
            QUEUES,
            node -> node.with(QUEUES, "drops=40", "drops=44")), // how TCP is told
        new CheckCase(
            "syn-backlog",
            node ->
                node.with(
                    "proc/net/netstat",
                    "TcpExt: ListenOverflows TCPReqQFullDoCookies\nTcpExt: 0 90000"),
            Severity.NOTE,
            "90,000 since the start",
            node -> node.with("proc/net/netstat", "90000", "3"),
            "proc/net/netstat",
            node ->
                node.with(
                    "proc/net/netstat",
                    "TcpExt: ListenOverflows TCPReqQFullDoCookies\nTcpExt: 9 0")),
        new CheckCase(
            "vxlan-checksum",
            node -> node.with(DRIVERS, "driver=virtio_net", "driver=vmxnet3"),
            Severity.WARNING,
            "flannel.1 (UDP 8472) leaves its packets' checksums to eth0 (vmxnet3)",
            node ->
                node.with(DRIVERS, "driver=vxlan on=tx-checksum-ip-generic", "driver=vxlan on="),
            DRIVERS,
            node -> node.with(DRIVERS, "driver=virtio_net", "driver=ixgbe")),
        new CheckCase(
            "tunnel-offload",
            node -> node.with(DRIVERS, ",tx-udp_tnl-segmentation", ""),
            Severity.NOTE,
            "eth0 (virtio_net) does not cut a tunnel's segments",
            node ->
                node.with(DRIVERS, "rx=256", "on=tx-udp_tnl-segmentation rx=256")
                    .with(DRIVERS, "tx-most=1024 on=tx-checksum-ip-generic", "tx-most=1024"),
            DRIVERS,
            node -> // nobody has a tunnel
            node.with(DRIVERS, "device=eth0 hardware=1 driver=virtio_net on=")),
        new CheckCase(
            "kernel-needs",
            node ->
                node.with(LINKS, "link=cilium_host index=3 kind=veth").with(RELEASE, "4.18.0-el8"),
            Severity.ERROR,
            "Cilium from 5.10 on",
            node -> node.with(RELEASE, "5.14.0-el9"),
            RELEASE,
            node -> node.with(CONFIG, "# CONFIG_NET_CLS_BPF is not set\nCONFIG_IP_VS=m")),
        new CheckCase(
            "module-lists",
            node -> node.with("etc/modules-load.d/ipvs.conf", "ip_vs\nnf_conntrack_ipv4"),
            Severity.WARNING,
            "/etc/modules-load.d/ipvs.conf: nf_conntrack_ipv4",
            node -> node.with("etc/modules-load.d/ipvs.conf", "ip_vs\nnf_conntrack"),
            RELEASE,
            node -> // where it was still there
            node.with("etc/modules", "nf_conntrack_ipv4").with(RELEASE, "4.14.300")));
  }
}
