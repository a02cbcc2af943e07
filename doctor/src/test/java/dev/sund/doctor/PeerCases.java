package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;

import java.util.stream.Stream;

/** The cases of the way to a peer, from what a probe has written down. */
final class PeerCases {
  private static final String PROBE = FACTS + Facts.PROBE;
  private static final String LINKS = FACTS + Facts.LINKS;

  private PeerCases() {}

  static Stream<CheckCase> all() {
    return Stream.of(
        new CheckCase(
            "probe-path-mtu",
            node ->
                node.with(
                    PROBE,
                    "way=there tried=1500 path-mtu=1500",
                    "way=there tried=1500 path-mtu=1400"),
            Severity.ERROR,
            "eth0 has MTU 1500, but 1400 bytes are the most that pass to 192.168.0.12: larger ones"
                + " vanish",
            node -> // both nodes are told
            node.with(PROBE, "tried=1500 path-mtu=1500", "tried=1400 path-mtu=1400")
                    .with(PROBE, "tried=1500", "tried=1400")
                    .with(PROBE, " cached-mtu=1500", " cached-mtu=1400"),
            PROBE,
            node -> // a larger MTU at one end of a link is another check's
            node.with(PROBE, "way=there tried=1500", "way=there tried=9000")
                    .with(PROBE, "device=eth0 mtu=1500", "device=eth0 mtu=9000")),
        new CheckCase(
            "probe-jumbo",
            node ->
                node.with(PROBE, "device=eth0 mtu=1500", "device=eth0 mtu=9000")
                    .with(PROBE, "way=there tried=1500", "way=there tried=9000"),
            Severity.ERROR,
            "eth0 here 9000, eth1 there 1500",
            node ->
                node.with(PROBE, "device=eth0 mtu=9000", "device=eth0 mtu=1500")
                    .with(PROBE, "way=there tried=9000", "way=there tried=1500"),
            PROBE,
            node ->
                node.with(PROBE, "device=eth0 mtu=1500", "device=eth0 mtu=9000")
                    .with(PROBE, "device=eth1 peer-mtu=1500", "device=eth1 peer-mtu=9000")),
        new CheckCase(
            "probe-icmp",
            node -> node.with(PROBE, "way=back refusal=1", "way=back refusal=0"),
            Severity.NOTE,
            "Packets from 192.168.0.12 to a UDP port where nobody listens were not refused.",
            node -> node.with(PROBE, "way=back refusal=0", "way=back refusal=1"),
            PROBE,
            node -> // a narrow way whose router says so
            node.with(
                    PROBE,
                    "way=there tried=1500 path-mtu=1500",
                    "way=there tried=1500 path-mtu=1400 said=1400 by=192.168.0.1")),
        new CheckCase(
            "probe-latency",
            node -> node.with(PROBE, "rtt-median-us=310", "rtt-median-us=21500"),
            Severity.ERROR,
            "A round trip takes 22 ms (median), 0.90 ms at most; the limit is 20 ms",
            node -> node.with(PROBE, "rtt-median-us=21500", "rtt-median-us=1900"),
            PROBE,
            node -> // somebody means it
            node.with(PROBE, "rtt-median-us=310", "rtt-median-us=21500")
                    .with(PROBE, "rtt-note-us=2000", "rtt-note-us=40000")),
        new CheckCase(
            "probe-underlay",
            node ->
                node.with(
                    PROBE,
                    "way=back crossing=udp-8472 sent=12 heard=12",
                    "way=back crossing=udp-8472 sent=24 heard=0"),
            Severity.ERROR,
            "flannel.1 needs UDP 8472 (flannel's VXLAN, Cilium), of which nothing passes from"
                + " 192.168.0.12",
            node -> node.with(PROBE, "sent=24 heard=0", "sent=24 heard=23"),
            PROBE,
            node -> // not asked
            node.with(
                    PROBE,
                    "way=there crossing=second-mac sent=12 heard=12",
                    "way=there crossing=second-mac skipped=a_router_between")),
        new CheckCase(
            "probe-encapsulation",
            node ->
                node.with(PROBE, "tried=1500", "tried=1450")
                    .with(PROBE, "path-mtu=1500", "path-mtu=1450")
                    .with("sys/class/dmi/id/sys_vendor", "OpenStack Foundation"),
            Severity.WARNING,
            "flannel.1 The way to 192.168.0.12 carries 1450 bytes, 50 less than 1500: below is"
                + " probably VXLAN, or Geneve without options (85 %; this machine is of OpenStack"
                + " Foundation",
            node ->
                node.with(PROBE, "tried=1450", "tried=1500")
                    .with(PROBE, "path-mtu=1450", "path-mtu=1500"),
            PROBE,
            node -> // jumbo frames
            node.with(PROBE, "path-mtu=1500", "path-mtu=9000")
                    .with(
                        LINKS,
                        "link=flannel.1 index=3 kind=vxlan mtu=1450",
                        "link=flannel.1 kind=vxlan")));
  }
}
