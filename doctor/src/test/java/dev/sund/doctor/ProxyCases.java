package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;
import static dev.sund.doctor.RecordedNode.PROXY_CONFIG;

import java.util.stream.Stream;

/** The cases of kube-proxy's checks. */
final class ProxyCases {
  private static final String RULES = FACTS + Facts.RULES;
  private static final String LINKS = FACTS + Facts.LINKS;
  private static final String PROXY = FACTS + Facts.PROXY;
  private static final String NONE = "tool=nft family=inet table=other";

  private ProxyCases() {}

  private static RecordedNode ipvs(RecordedNode node) {
    return node.with(PROXY_CONFIG, "mode: ipvs\nipvs:\n  strictARP: false")
        .with(PROXY, "asked=proxyMode status=200 mode=ipvs\nasked=healthz status=200")
        .with(LINKS, "link=eth0 index=1 up=1\nlink=kube-ipvs0 index=9 kind=dummy")
        .with(RULES, "tool=nft family=ip table=nat chain=KUBE-SERVICES rules=2");
  }

  private static RecordedNode ipvsLoaded(RecordedNode node) {
    return ipvs(node)
        .with("proc/modules", "ip_vs 1 1 - Live 0x0\nip_vs_rr 1 1 - Live 0x0\nnf_conntrack 1 1 -");
  }

  static Stream<CheckCase> all() {
    return Stream.of(
        new CheckCase(
            "proxy-mode",
            node -> node.with(PROXY_CONFIG, "mode: ipvs"),
            Severity.ERROR,
            "/proxyMode says iptables, /var/lib/kube-proxy/config.conf says ipvs",
            node -> ipvs(node),
            PROXY_CONFIG,
            node -> // the word stands in another setting
            node.with(PROXY_CONFIG, "mode: iptables # not ipvs\nipvs:\n  scheduler: rr")),
        new CheckCase(
            "proxy-two",
            node ->
                node.with(
                    RULES,
                    "tool=nft family=ip table=kube-proxy chain=services rules=3\n"
                        + "tool=nft family=ip table=nat group=KUBE-SVC- chains=2 rules=4"),
            Severity.ERROR,
            "kube-proxy's mode iptables and of kube-proxy's mode nftables",
            node -> node.with(RULES, "tool=nft family=ip table=kube-proxy chain=services rules=3"),
            RULES,
            ProxyCases::ipvs), // has a few chains of iptables, too
        new CheckCase(
            "proxy-stale",
            node -> node.without("proc/4711").with(PROXY, "asked=proxyMode failed=refused"),
            Severity.WARNING,
            "and no kube-proxy runs",
            node -> node.with(RULES, NONE),
            RULES,
            node -> // in k3s it is no process of its own
            node.without("proc/4711").with(PROXY, "").with("proc/99/comm", "k3s-server")),
        new CheckCase(
            "proxy-rules",
            node ->
                node.with(
                    RULES,
                    "tool=legacy family=ip table=nat chain=KUBE-SERVICES rules=5001\n"
                        + "tool=legacy family=ip table=nat group=KUBE-SVC- chains=5000 rules=15000"),
            Severity.WARNING,
            "20,001 rules in 5,001 chains of nat; a new connection walks up to 5,001, about 100 µs",
            node -> node.with(RULES, "tool=nft family=ip table=kube-proxy chain=services rules=2"),
            RULES,
            node -> // many endpoints of few Services
            node.with(
                    RULES,
                    "tool=nft family=ip table=nat chain=KUBE-SERVICES rules=20\n"
                        + "tool=nft family=ip table=nat group=KUBE-SEP- chains=9000 rules=18000")),
        new CheckCase(
            "proxy-ipvs",
            ProxyCases::ipvs,
            Severity.ERROR,
            "ip_vs, ip_vs_rr",
            ProxyCases::ipvsLoaded,
            PROXY,
            node -> // part of the kernel
            ipvs(node)
                    .with(
                        "lib/modules/6.1.0-18-amd64/modules.builtin",
                        "kernel/net/netfilter/ipvs/ip_vs.ko\n"
                            + "kernel/net/netfilter/ipvs/ip_vs_rr.ko")),
        new CheckCase(
            "proxy-strict-arp",
            node ->
                ipvs(node)
                    .with("proc/sys/net/ipv4/conf/all/arp_ignore", "0")
                    .with("proc/sys/net/ipv4/conf/all/arp_announce", "0"),
            Severity.WARNING,
            "arp_ignore=0 arp_announce=0, strictARP: false",
            node ->
                node.with("proc/sys/net/ipv4/conf/all/arp_ignore", "1")
                    .with("proc/sys/net/ipv4/conf/all/arp_announce", "2"),
            LINKS,
            node -> node.with("proc/sys/net/ipv4/conf/all/arp_ignore", "0")), // no mode ipvs
        new CheckCase(
            "iptables-both",
            node ->
                node.with(
                    RULES,
                    "tool=legacy family=ip table=filter chain=FORWARD rules=3 hook=forward\n"
                        + "tool=nft family=ip table=filter chain=KUBE-FORWARD rules=4"),
            Severity.WARNING,
            "3 rules by iptables-legacy, 4 by iptables-nft",
            node -> node.with(RULES, "tool=nft family=ip table=filter chain=KUBE-FORWARD rules=4"),
            RULES,
            node -> // empty tables that somebody looked at once
            node.with(
                    RULES,
                    "tool=legacy family=ip table=filter chain=FORWARD rules=0 hook=forward\n"
                        + "tool=nft family=ip table=filter chain=KUBE-FORWARD rules=4")));
  }
}
