package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;

import java.util.stream.Stream;

/** The cases of how pods are joined to their node. */
final class PodCases {
  private static final String PODS = FACTS + Facts.PODS;
  private static final String LINKS = FACTS + Facts.LINKS;
  private static final String RULES = FACTS + Facts.RULES;
  private static final String ROUTING = FACTS + Facts.ROUTING;
  private static final String NETWORKD = "etc/systemd/networkd.conf.d/k8s.conf";
  private static final String FORWARD =
      "tool=nft family=ip table=filter chain=FORWARD rules=2 type=filter hook=forward priority=0"
          + " policy=drop acts=jump:KUBE-FORWARD!,jump:DOCKER-USER!";

  private PodCases() {}

  static Stream<CheckCase> all() {
    return Stream.of(
        new CheckCase(
            "pod-route",
            node -> node.with(PODS, "gateway=10.0.0.1", "gateway=10.0.0.254"),
            Severity.ERROR,
            "via 10.0.0.254, which neither cni0 nor another device of the node has",
            node -> node.with(PODS, "gateway=10.0.0.254", "gateway=10.0.0.1"),
            PODS,
            node -> // Calico's: no device has it, the node answers for it; and the node's own
                // router
                node.with(PODS, "gateway=10.0.0.1", "gateway=169.254.1.1 neighbour=2")
                    .with(
                        PODS,
                        "pod=cni-1 id=0 sysctl",
                        "pod=router id=3 device=n1 kind=veth"
                            + " up=1 carrier=1 peer=2 addresses=192.168.0.1/24\npod=cni-1 id=0 sysctl")
                    .with(LINKS, "link=eth0 index=2", "link=eth0 peer-namespace=3 index=2")),
        new CheckCase(
            "pod-device",
            node -> node.with(LINKS, "peer-namespace=0", "peer-namespace=7"),
            Severity.WARNING,
            "veth12ab: its other end is in a namespace without a name",
            node -> node.with(LINKS, "peer-namespace=7", "peer-namespace=0"),
            LINKS,
            node -> // both ends are the node's
            node.with(LINKS, " peer-namespace=0", "")),
        new CheckCase(
            "bridge-hairpin",
            node -> node.with(LINKS, "hairpin=1", "hairpin=0"),
            Severity.WARNING,
            "1 of 1 ports of bridges",
            node -> node.with(LINKS, "hairpin=0", "hairpin=1"),
            LINKS,
            node -> // a bridge that hears all sends back, too
            node.with(LINKS, "hairpin=1", "hairpin=0")
                    .with(
                        LINKS,
                        "link=cni0 index=4 kind=bridge mtu=1450 up=1 carrier=1 promiscuous=0",
                        "link=cni0 index=4 kind=bridge mtu=1450 up=1 carrier=1 promiscuous=1")),
        new CheckCase(
            "forward-policy",
            node -> node.with(RULES, FORWARD),
            Severity.ERROR,
            "chain FORWARD of ip filter",
            node -> node.with(RULES, "policy=drop", "policy=accept"),
            RULES,
            node -> node.with(RULES, FORWARD + ",jump:FLANNEL-FWD")),
        new CheckCase(
            "foreign-rules",
            node ->
                node.with(
                    ROUTING,
                    "rule=32766 family=ipv4 action=1 table=254",
                    "rule=32764 family=ipv4 action=1 table=51820 mark=0xca6c inverted=1\n"
                        + "rule=32766 family=ipv4 action=1 table=254"),
            Severity.WARNING,
            "sends all packets to the routing table 51820",
            node -> node.with(ROUTING, "table=51820", "table=51820 from=192.168.7.0/24"),
            ROUTING,
            node -> // Cilium's: packets that it marked
            node.with(
                    ROUTING,
                    "rule=9 family=ipv4 action=1 table=2004 mark=0x200\n"
                        + "rule=100 family=ipv4 action=1 table=255")),
        new CheckCase(
            "networkd-routes",
            node -> node.without(NETWORKD),
            Severity.WARNING,
            "ManageForeignRoutes=yes",
            node ->
                node.with(NETWORKD, "ManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no"),
            NETWORKD,
            node -> node.without(NETWORKD).without("run/systemd"))); // it does not run
  }
}
