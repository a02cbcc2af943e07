package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;

import java.util.stream.Stream;

/** The cases of a cluster's objects. */
final class ClusterCases {
  private static final String CLUSTER = FACTS + Facts.CLUSTER;
  private static final String DNS = FACTS + Facts.CLUSTER_DNS;
  private static final String CONF = "run/systemd/resolve/resolv.conf";
  private static final String KUBELET = "var/lib/kubelet/config.yaml";
  private static final String CALICO =
      "pool=all kind=calico ranges=10.0.0.0/16 block=26 ipip=CrossSubnet";

  private ClusterCases() {}

  static Stream<CheckCase> all() {
    return Stream.concat(addresses(), services());
  }

  private static Stream<CheckCase> addresses() {
    return Stream.of(
        new CheckCase(
            "load-balancer",
            node ->
                node.with(CLUSTER, "class= pending=0", "class= pending=1")
                    .with(CLUSTER, "giver=metallb classes= only=0\n", ""),
            Severity.ERROR,
            "nothing in this cluster hands out any",
            node -> node.with(CLUSTER, "class= pending=1", "class= pending=0"),
            CLUSTER,
            node -> // a class that somebody serves
            node.with(CLUSTER, "class= pending=0", "class=example.org/lb pending=0")
                    .with(CLUSTER, "classes= only=0", "classes=example.org/lb only=1")),
        new CheckCase(
            "balancer-pools",
            node -> node.with(CLUSTER, "ranges=192.168.0.200-", "ranges=192.168.0.12-"),
            Severity.ERROR,
            "in which is 192.168.0.12 of node n2",
            node -> node.with(CLUSTER, "ranges=192.168.0.12-", "ranges=192.168.0.13-"),
            CLUSTER,
            node -> // by BGP it may be anywhere
            node.with(
                    CLUSTER,
                    "ranges=192.168.0.200-192.168.0.220 automatic=1 announced=l2",
                    "ranges=203.0.113.0/28 automatic=1 announced=bgp")),
        new CheckCase(
            "pool-size",
            node -> node.with(CLUSTER, "10.0.0.0/16 block=26", "10.0.0.0/26 block=26"),
            Severity.ERROR,
            "There are fewer blocks than nodes: 1 blocks in [all]",
            node -> node.with(CLUSTER, "10.0.0.0/26 block=26", "10.0.0.0/20 block=26"),
            CLUSTER,
            node -> // one that is switched off does not count, and need not
            node.with(
                    CLUSTER,
                    CALICO,
                    CALICO.replace("pool=all", "pool=old") + " disabled=1\n" + CALICO)),
        new CheckCase(
            "pool-tunnel",
            node -> node.with(CLUSTER, "ipip=CrossSubnet", "ipip=Always"),
            Severity.NOTE,
            "all (ipipMode) wraps all packets between nodes, and all 2 nodes are on 192.168.0.11/24",
            node -> node.with(CLUSTER, "ipip=Always", "ipip=CrossSubnet"),
            CLUSTER,
            node -> // nodes of different subnets
            node.with(CLUSTER, "ipip=CrossSubnet", "ipip=Always")
                    .with(CLUSTER, "addresses=192.168.0.12", "addresses=192.168.7.12")
                    .with(CLUSTER, "links=192.168.0.12/24", "links=192.168.7.12/24")),
        new CheckCase(
            "pool-overlap",
            node -> node.with(CLUSTER, "ranges=10.0.0.0/16 block", "ranges=10.96.0.0/16 block"),
            Severity.ERROR,
            "the range of services, 10.96.0.0/12, and IPPool all, 10.96.0.0/16",
            node -> node.with(CLUSTER, "ranges=10.96.0.0/16 block", "ranges=10.1.0.0/16 block"),
            CLUSTER,
            node -> // side by side
            node.with(CLUSTER, "ranges=10.0.0.0/16 block", "ranges=10.80.0.0/12 block")),
        new CheckCase(
            "node-ranges",
            node -> node.with(CLUSTER, "ranges=10.0.1.0/24", "ranges="),
            Severity.ERROR,
            "1 of 2 nodes have no podCIDR, such as n2",
            node ->
                node.with(CLUSTER, "192.168.0.12/24 ranges=", "192.168.0.12/24 ranges=10.0.1.0/24"),
            CLUSTER,
            node -> // nobody has one: Calico gives the addresses
            node.with(CLUSTER, "ranges=10.0.1.0/24", "ranges=")
                    .with(CLUSTER, "ranges=10.0.0.0/24", "ranges=")));
  }

  private static Stream<CheckCase> services() {
    return Stream.of(
        new CheckCase(
            "service-endpoints",
            node -> node.with(CLUSTER, "pods=3 ready=3 endpoints=3", "pods=3 ready=0 endpoints=0"),
            Severity.ERROR,
            "shop/web (3 pods)",
            node -> node.with(CLUSTER, "pods=3 ready=0 endpoints=0", "pods=3 ready=1 endpoints=1"),
            CLUSTER,
            node -> // somebody else makes its endpoints
            node.with(
                    CLUSTER,
                    "selects=1 pods=3 ready=3 endpoints=3",
                    "selects=0 pods=0 ready=0 endpoints=0")),
        new CheckCase(
            "service-ports",
            node -> node.with(CLUSTER, "giver=", "no-port=shop/web port=http pods=3\ngiver="),
            Severity.ERROR,
            "shop/web's http (3 pods)",
            node -> node.with(CLUSTER, "no-port=shop/web port=http pods=3\n", ""),
            CLUSTER,
            node -> node.with(CLUSTER, "ports=TCP:80", "ports=TCP:80,TCP:443")),
        new CheckCase(
            "endpoint-lag",
            node -> node.with(CLUSTER, "giver=", "late=shop/web pod=shop/web-3 seconds=40\ngiver="),
            Severity.ERROR,
            "1 pods are ready and not in their Service's endpoints, one for 40 s",
            node -> node.with(CLUSTER, "late=shop/web pod=shop/web-3 seconds=40\n", ""),
            CLUSTER,
            node -> // it became ready a moment ago
            node.with(CLUSTER, "giver=", "late=shop/web pod=shop/web-3 seconds=2\ngiver=")),
        new CheckCase(
            "default-deny",
            node -> node.with(CLUSTER, "giver=", "open=shop direction=ingress text=t\ngiver="),
            Severity.NOTE,
            "Nothing denies by default in: shop (ingress)",
            node -> node.with(CLUSTER, "open=shop direction=ingress text=t\n", ""),
            CLUSTER,
            node -> node.with(CLUSTER, "objects=40", "objects=41")),
        new CheckCase(
            "dns-pods",
            node ->
                node.with(CLUSTER, "coredns-1 ready=1", "coredns-1 ready=0")
                    .with(CLUSTER, "coredns-2 ready=1", "coredns-2 ready=0"),
            Severity.ERROR,
            "None of the 2 pods of the cluster's DNS is ready",
            node ->
                node.with(CLUSTER, "coredns-1 ready=0", "coredns-1 ready=1")
                    .with(CLUSTER, "coredns-2 ready=0", "coredns-2 ready=1"),
            CLUSTER,
            node -> // it began anew once, and is well
            node.with(CLUSTER, "node=n1 restarts=0", "node=n1 restarts=3")),
        new CheckCase(
            "dns-answers",
            node -> node.with(DNS, "outcome=NOERROR micros=900", "outcome=timeout micros=2000000"),
            Severity.ERROR,
            "1 of 1 questions of this node to the cluster's DNS were not answered: 10.96.0.2 (timeout)",
            node -> node.with(DNS, "outcome=timeout micros=2000000", "outcome=NXDOMAIN micros=700"),
            DNS,
            node -> // another cluster's objects: nobody here is asked
            node.with(CLUSTER, "addresses=192.168.0.11 ", "addresses=192.168.9.11 ")
                    .with(DNS, "outcome=NOERROR micros=900", "outcome=timeout micros=2000000")),
        new CheckCase(
            "dns-settings",
            node -> node.with(KUBELET, "resolvConf: /" + CONF).with(CONF, "nameserver 127.0.0.53"),
            Severity.ERROR,
            "which names 127.0.0.53: the node itself",
            node -> node.with(CONF, "nameserver 127.0.0.53", "nameserver 192.168.0.1"),
            CLUSTER,
            node -> // the kubelet gives another file
            node.with("etc/resolv.conf", "nameserver 127.0.0.53")
                    .with(KUBELET, "resolvConf: /" + CONF)
                    .with(CONF, "nameserver 192.168.0.1")));
  }
}
