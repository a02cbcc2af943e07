package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;

import java.util.stream.Stream;

/** The cases of one pod, seen from inside. */
final class InsideCases {
  private static final String POD = FACTS + Facts.POD;
  private static final String DNS = FACTS + Facts.POD_DNS;
  private static final String POLICY = FACTS + Facts.POD_POLICY;
  private static final String PAIR =
      "name=db outcome=NOERROR micros=900 answers=1 truncated=0 outcome2=";

  private InsideCases() {}

  static Stream<CheckCase> all() {
    return Stream.concat(network(), names());
  }

  private static Stream<CheckCase> network() {
    return Stream.of(
        new CheckCase(
            "inside-route",
            node -> node.with(POD, "gateway=10.0.0.1 neighbour=2", "gateway=10.0.0.1 neighbour=32"),
            Severity.ERROR,
            "shop/web-1 has a default route via 10.0.0.1, which does not answer (ipv4)",
            node -> node.with(POD, "neighbour=32", "neighbour=4"),
            POD,
            node -> // Calico's: the node answers for it, for ever
            node.with(POD, "gateway=10.0.0.1 neighbour=2", "gateway=169.254.1.1 neighbour=128")),
        new CheckCase(
            "inside-mtu",
            node -> node.with(POD, "kind=veth mtu=1450", "kind=veth mtu=1500"),
            Severity.ERROR,
            "has MTU 1500, and the node's end of it, veth12ab, 1450",
            node -> node.with(POD, "kind=veth mtu=1500", "kind=veth mtu=1400"),
            POD,
            node -> // smaller than the node's: a tunnel's headers fit
            node.with(POD, "kind=veth mtu=1450", "kind=veth mtu=1400")),
        new CheckCase(
            "inside-policy",
            node ->
                node.with(
                    POLICY, "verdict=allowed why=", "verdict=denied why=isolated_by_shop/deny"),
            Severity.ERROR,
            "shop/web-1 may not send to 10.96.0.2:53/udp: isolated by shop/deny",
            node -> node.with(POLICY, "verdict=denied", "verdict=allowed"),
            POLICY,
            node -> node.with(POLICY, "verdict=unknown why=no_agent")),
        new CheckCase(
            "inside-waiting",
            node ->
                node.with(
                    POD,
                    "uplink=",
                    "waiting-for=10.96.0.10:80 address=10.96.0.10 connections=2 tries=3\nuplink="),
            Severity.ERROR,
            "waits for 10.96.0.10:80 (Service shop/web)",
            node ->
                node.with(
                    POD,
                    "waiting-for=10.96.0.10:80 address=10.96.0.10 connections=2 tries=3\n",
                    ""),
            POD,
            node -> node.with(POD, "listens=0.0.0.0:8080", "listens=0.0.0.0:9090")),
        new CheckCase(
            "inside-listen",
            node ->
                node.with(
                    POD, "TcpExt.ListenOverflows value=0", "TcpExt.ListenOverflows value=700"),
            Severity.WARNING,
            "5,000 connections taken, 700 refused by full queues",
            node ->
                node.with(
                    POD, "TcpExt.ListenOverflows value=700", "TcpExt.ListenOverflows value=1"),
            POD,
            node -> // a burst that fits
            node.with(POD, "0.0.0.0:8080 waiting=0", "0.0.0.0:8080 waiting=40")));
  }

  private static Stream<CheckCase> names() {
    return Stream.of(
        new CheckCase(
            "inside-resolv",
            node -> node.with(DNS, "servers=10.96.0.2 search", "servers=127.0.0.53 search"),
            Severity.ERROR,
            "names 127.0.0.53, which is the pod itself",
            node -> node.with(DNS, "servers=127.0.0.53 search", "servers=10.96.0.2 search"),
            DNS,
            node -> // NodeLocal DNSCache: a link-local address of the node
            node.with(DNS, "servers=10.96.0.2 search", "servers=169.254.20.10 search")),
        new CheckCase(
            "inside-dns",
            node ->
                node.with(
                    DNS,
                    "asked=AAAA server=10.96.0.2 name=db outcome=NOERROR",
                    "asked=AAAA server=10.96.0.2 name=db outcome=timeout"),
            Severity.ERROR,
            "10.96.0.2 never answers questions for AAAA",
            node -> node.with(DNS, "outcome=timeout", "outcome=NOERROR"),
            DNS,
            node -> // that there is no such name is an answer
            node.with(
                    DNS,
                    "outcome=NOERROR micros=900 answers=0",
                    "outcome=NXDOMAIN micros=900 answers=0")),
        new CheckCase(
            "inside-dns-pair",
            node -> node.with(DNS, PAIR + "NOERROR", PAIR + "timeout"),
            Severity.ERROR,
            "Of 1 pairs of questions sent at once, 1 lost an answer (10.96.0.2 AAAA)",
            node -> node.with(DNS, PAIR + "timeout", PAIR + "NOERROR"),
            DNS,
            node -> // it never answers AAAA, alone neither: that is no race
            node.with(DNS, PAIR + "NOERROR", PAIR + "timeout")
                    .with(
                        DNS,
                        "asked=AAAA server=10.96.0.2 name=db outcome=NOERROR",
                        "asked=AAAA server=10.96.0.2 name=db outcome=timeout")),
        new CheckCase(
            "inside-dns-tcp",
            node ->
                node.with(
                    DNS,
                    "asked=tcp server=10.96.0.2 name=db outcome=NOERROR",
                    "asked=tcp server=10.96.0.2 name=db outcome=timeout"),
            Severity.WARNING,
            "DNS servers do not answer by TCP: 10.96.0.2 (timeout)",
            node -> node.with(DNS, "outcome=timeout", "outcome=NOERROR"),
            DNS,
            node -> // more than fits, and TCP brings it
            node.with(DNS, "answers=0 truncated=0", "answers=0 truncated=1")),
        new CheckCase(
            "inside-names",
            node ->
                node.with(
                    DNS,
                    "outcome=NOERROR answers=1 micros=900",
                    "outcome=NXDOMAIN answers=0 micros=900"),
            Severity.ERROR,
            "db is not found: db.shop.svc.cluster.local NXDOMAIN",
            node ->
                node.with(
                    DNS,
                    "outcome=NXDOMAIN answers=0 micros=900",
                    "outcome=NOERROR answers=2 micros=900"),
            DNS,
            node -> // found by the third domain
            node.with(
                    DNS,
                    "name=db as=",
                    "name=db as=db.nowhere.svc.cluster.local server=10.96.0.2 outcome=NXDOMAIN"
                        + " answers=0 micros=800\nname=db as=")));
  }
}
