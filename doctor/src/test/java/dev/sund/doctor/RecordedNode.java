package dev.sund.doctor;

import dev.sund.doctor.probe.Crossing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A tree as {@link Host} reads it: a healthy node with a tunnel, a bridge and a pod, and changes.
 */
final class RecordedNode {
  private static final String DEVICES =
      """
      Inter-|   Receive                                                |  Transmit
       face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
          lo:  100 1 0 0 0 0 0 0  100 1 0 0 0 0 0 0
        eth0: 5000 50 0 7 0 0 0 0 5000 50 0 0 0 0 0 0
      flannel.1: 900 9 0 0 0 0 0 0 900 9 0 2 0 0 0 0
      """;
  private static final String SNMP =
      """
      Ip: Forwarding FragCreates FragFails ReasmFails
      Ip: 1 0 0 0
      Tcp: OutSegs RetransSegs ActiveOpens PassiveOpens EstabResets OutRsts
      Tcp: 100000 50 700 300 20 5
      Udp: InDatagrams RcvbufErrors SndbufErrors
      Udp: 900 0 0
      """;

  static final String FACTS = Host.FACTS + "/";
  private static final Set<String> TWICE =
      Set.of(
          "proc/stat",
          "proc/pressure/cpu",
          "proc/pressure/memory",
          "proc/pressure/io",
          "proc/sys/net/netfilter/nf_conntrack_count",
          FACTS + Facts.QUEUES);
  static final String PROXY_CONFIG = "proc/4711/root/var/lib/kube-proxy/config.conf";
  private static final String LINKS =
      """
      link=lo index=1 kind= mtu=65536 up=1 carrier=1 promiscuous=0 addresses=127.0.0.1/8
      link=eth0 index=2 kind= mtu=1500 up=1 carrier=1 promiscuous=0 addresses=192.168.0.11/24
      link=flannel.1 index=3 kind=vxlan mtu=1450 up=1 carrier=1 promiscuous=0 port=8472 addresses=10.0.0.0/32
      link=cni0 index=4 kind=bridge mtu=1450 up=1 carrier=1 promiscuous=0 addresses=10.0.0.1/24
      link=veth12ab index=5 kind=veth mtu=1450 up=1 carrier=1 promiscuous=0 master=cni0 hairpin=1 peer=2 peer-namespace=0 addresses=
      """;
  private static final String RULES =
      """
      tool=nft family=ip table=nat chain=PREROUTING rules=1 type=nat hook=prerouting priority=-100 policy=accept acts=jump:KUBE-SERVICES!
      tool=nft family=ip table=nat chain=POSTROUTING rules=2 masquerades=1 type=nat hook=postrouting priority=100 policy=accept acts=jump:KUBE-POSTROUTING!,masquerade
      tool=nft family=ip table=nat chain=KUBE-SERVICES rules=9
      tool=nft family=ip table=nat chain=KUBE-POSTROUTING rules=3 masquerades=1
      tool=nft family=ip table=nat group=KUBE-SVC- chains=8 rules=16
      tool=nft family=ip table=nat group=KUBE-SEP- chains=9 rules=18 translations=9
      tool=nft family=ip table=filter chain=FORWARD rules=2 type=filter hook=forward priority=0 policy=accept acts=jump:KUBE-FORWARD!,accept
      """;

  static final String CNI = "etc/cni/net.d/10-flannel.conflist";
  private static final String CONFLIST =
      """
      {
        "name": "cbr0",
        "cniVersion": "0.3.1",
        "plugins": [
          {"type": "flannel", "delegate": {"hairpinMode": true, "isDefaultGateway": true}},
          {"type": "portmap", "capabilities": {"portMappings": true}}
        ]
      }
      """;
  private static final String PODS =
      """
      pod=cni-1 id=0 device=eth0 kind=veth mtu=1450 up=1 carrier=1 peer=5 addresses=10.0.0.5/24,fe80::5/64
      pod=cni-1 id=0 default=ipv4 device=eth0 dead=0 gateway=10.0.0.1
      pod=cni-1 id=0 sysctl=net.core.somaxconn value=4096
      """;
  private static final String DRIVERS =
      """
      device=eth0 hardware=1 kind= driver=virtio_net rx=256 rx-most=1024 tx=256 tx-most=1024 on=tx-checksum-ip-generic,tx-udp_tnl-segmentation
      device=flannel.1 hardware=0 kind=vxlan driver=vxlan on=tx-checksum-ip-generic
      """;
  private static final String ROUTING =
      """
      rule=0 family=ipv4 action=1 table=255 protocol=2 inverted=0
      rule=32766 family=ipv4 action=1 table=254 protocol=2 inverted=0
      rule=32767 family=ipv4 action=1 table=253 protocol=2 inverted=0
      """;

  private static final String CLUSTER =
      """
      source=kubeconfig objects=40 time=1760000000
      node=n1 addresses=192.168.0.11 links=192.168.0.11/24 ranges=10.0.0.0/24 pods=110 provider=
      node=n2 addresses=192.168.0.12 links=192.168.0.12/24 ranges=10.0.1.0/24 pods=110 provider=
      range=10.96.0.0/12 of=services said=kube-apiserver
      range=10.0.0.0/16 of=pods said=kube-controller-manager
      pool=all kind=calico ranges=10.0.0.0/16 block=26 ipip=CrossSubnet vxlan=Never nodes=all disabled=0 uses=Workload,Tunnel
      pool=metallb-system/lan kind=metallb ranges=192.168.0.200-192.168.0.220 automatic=1 announced=l2
      giver=metallb classes= only=0
      service=shop/web type=LoadBalancer class= pending=0 addresses=10.96.0.10 selects=1 pods=3 ready=3 endpoints=3 slices=1 dns=0 ports=TCP:80
      service=kube-system/kube-dns type=ClusterIP class= pending=0 addresses=10.96.0.2 selects=1 pods=2 ready=2 endpoints=2 slices=1 dns=1 ports=UDP:53,TCP:53
      dns-pod=kube-system/coredns-1 ready=1 node=n1 restarts=0
      dns-pod=kube-system/coredns-2 ready=1 node=n2 restarts=0
      """;
  private static final String CLUSTER_DNS =
      """
      asked=A server=10.96.0.2 name=kubernetes.default.svc.cluster.local outcome=NOERROR micros=900 answers=1 truncated=0
      asked=tcp server=10.96.0.2 name=kubernetes.default.svc.cluster.local outcome=NOERROR micros=1200 answers=1 truncated=0
      """;
  private static final String POD =
      """
      pod=shop/web-1 node=0 namespace=/run/netns/cni-1 by=test
      device=eth0 kind=veth mtu=1450 up=1 carrier=1 addresses=10.0.0.5/24,fe80::5/64 end=veth12ab end-mtu=1450 bridge=cni0 bridge-mtu=1450
      default=ipv4 device=eth0 dead=0 gateway=10.0.0.1 neighbour=2
      uplink=eth0 family=ipv4 mtu=1500
      listens=0.0.0.0:8080 waiting=0
      counter=Tcp.PassiveOpens value=5000
      counter=TcpExt.ListenOverflows value=0
      """;
  private static final String POD_DNS =
      """
      file=/proc/4712/root/etc/resolv.conf servers=10.96.0.2 search=shop.svc.cluster.local,svc.cluster.local,cluster.local ndots=5 options=ndots:5 domain=cluster.local
      asked=A server=10.96.0.2 name=db outcome=NOERROR micros=900 answers=1 truncated=0
      asked=AAAA server=10.96.0.2 name=db outcome=NOERROR micros=900 answers=0 truncated=0
      asked=pair server=10.96.0.2 name=db outcome=NOERROR micros=900 answers=1 truncated=0 outcome2=NOERROR micros2=950 answers2=0 truncated2=0
      asked=tcp server=10.96.0.2 name=db outcome=NOERROR micros=1200 answers=1 truncated=0
      path=10.96.0.2 device-mtu=1450 mtu=1450
      name=db as=db.shop.svc.cluster.local server=10.96.0.2 outcome=NOERROR answers=1 micros=900
      """;

  private static final String PROBE =
      """
      probe=peer peer=192.168.0.12 port=7883 local=192.168.0.11 seen=192.168.0.11 device=eth0 mtu=1500 route-mtu=0 cached-mtu=1500 on-link=1 peer-device=eth1 peer-mtu=1500 peer-route-mtu=0 peer-cached-mtu=1500
      limits=1 rtt-note-us=2000 rtt-warning-us=5000 rtt-error-us=20000 jitter-us=3000 loss-warning=10 loss-error=50
      latency=1 seconds=3 sent=150 heard=150 back=150 rtt-median-us=310 rtt-most-us=900 jitter-there-us=20 jitter-back-us=30
      way=there tried=1500 path-mtu=1500
      way=back tried=1500 path-mtu=1500
      way=there refusal=1
      way=back refusal=1
      """;

  private final Path root;
  private final Map<String, String> now = new TreeMap<>();
  private final Map<String, String> before = new TreeMap<>();

  RecordedNode(Path root) {
    this.root = root;
    now.put(
        "proc/stat",
        "cpu 1000 0 500 90000 10 0 20 0 0 0\ncpu0 500 0 0 0 0 0 0 0 0 0\n"
            + "cpu1 500 0 0 0 0 0 0 0 0 0\nintr 1");
    now.put("proc/meminfo", "MemTotal:        8000000 kB\nMemFree: 1000 kB");
    now.put("proc/uptime", "360000.00 700000.00");
    now.put("proc/pressure/cpu", "some avg10=0.10 avg60=0.50 avg300=0.40 total=1\nfull avg10=0.00");
    now.put(
        "proc/pressure/memory",
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=7\nfull avg10=0.00 avg60=0.00 total=0");
    now.put(
        "proc/pressure/io",
        "some avg10=0.00 avg60=1.50 avg300=0.00 total=9\nfull avg10=0.00 avg60=0.00 total=0");
    now.put("sys/class/dmi/id/sys_vendor", "QEMU");
    now.put("sys/class/dmi/id/product_name", "Standard PC (Q35 + ICH9, 2009)");
    now.put("proc/net/sockstat", "sockets: used 300\nTCP: inuse 20 orphan 0 tw 3 alloc 30 mem 12");
    now.put("proc/sys/net/ipv4/tcp_mem", "46000\t62000\t93000");
    now.put(
        "proc/net/snmp6",
        "Ip6FragFails                    \t0\nIp6FragCreates                  \t0\n"
            + "Ip6ReasmFails                   \t0\nUdp6RcvbufErrors                \t0");
    now.put("proc/1/environ", "HOME=/\0TERM=linux");
    now.put("proc/net/dev", DEVICES);
    now.put("proc/net/snmp", SNMP);
    now.put(
        "proc/net/netstat",
        "TcpExt: ListenOverflows TCPReqQFullDrop\nTcpExt: 3 0\nIpExt: InOctets\nIpExt: 5");
    now.put(
        "proc/net/softnet_stat",
        "00000100 00000000 00000001 00000000\n00000200 00000000 00000000 00000000");
    now.put(
        "proc/net/route",
        "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
            + "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
            + "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0");
    now.put("proc/net/if_inet6", "fe800000000000000000000000000001 02 40 20 80     eth0");
    now.put(
        "proc/net/stat/nf_conntrack",
        "entries  searched found drop early_drop insert_failed\n"
            + "00000400  00000000 00000000 00000000 00000000 00000000\n"
            + "00000400  00000000 00000000 00000000 00000000 00000000");
    now.put("proc/net/stat/arp_cache", "entries  allocs table_fulls\n00000010  00000000 00000000");
    now.put("proc/sys/net/netfilter/nf_conntrack_count", "1024");
    now.put("proc/sys/net/netfilter/nf_conntrack_max", "131072");
    now.put("proc/sys/net/netfilter/nf_conntrack_buckets", "32768");
    now.put("proc/sys/net/ipv4/ip_forward", "1");
    now.put("proc/sys/net/ipv6/conf/all/forwarding", "0");
    now.put("proc/sys/net/ipv4/conf/all/rp_filter", "0");
    now.put("proc/sys/net/ipv4/conf/all/route_localnet", "0");
    now.put("proc/sys/net/ipv4/conf/default/rp_filter", "1");
    now.put("proc/sys/net/ipv4/conf/eth0/rp_filter", "1");
    now.put("proc/sys/net/ipv4/conf/flannel.1/rp_filter", "0");
    now.put("proc/sys/net/ipv4/neigh/default/gc_thresh3", "1024");
    now.put("proc/sys/net/bridge/bridge-nf-call-iptables", "1");
    device("eth0", 1500, "1", "");
    device("flannel.1", 1450, "1", "DEVTYPE=vxlan\n");
    device("cni0", 1450, "1", "DEVTYPE=bridge\n");
    now.put("sys/class/net/cni0/bridge/bridge_id", "8000.0");
    device("veth12ab", 1450, "1", "");
    now.put("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc");
    now.put(
        "sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc hpet acpi_pm");
    now.put("proc/4711/comm", "kube-proxy");
    now.put(
        "proc/4711/cmdline",
        "/usr/local/bin/kube-proxy\0--config=/var/lib/kube-proxy/config.conf\0");
    now.put(PROXY_CONFIG, "kind: KubeProxyConfiguration\nipvs:\n  strictARP: false\nmode: \"\"");
    now.put("proc/4712/comm", "bash");
    now.put(
        "proc/modules",
        "nf_conntrack 180224 5 nf_nat,nft_ct, Live 0x0\nbr_netfilter 32768 0 - Live 0x0");
    now.put("proc/sys/kernel/osrelease", "6.1.0-18-amd64");
    now.put(
        FACTS + Facts.PROXY,
        "asked=proxyMode port=10249 status=200 mode=iptables\n"
            + "asked=healthz port=10256 status=200");
    now.put(CNI, CONFLIST);
    for (String plugin : "bridge flannel host-local portmap".split(" ")) {
      now.put("opt/cni/bin/" + plugin, "");
    }
    now.put("run/flannel/subnet.env", "FLANNEL_SUBNET=10.0.0.1/24\nFLANNEL_MTU=1450");
    now.put("var/lib/cni/networks/cbr0/10.0.0.5", "0123abcd\r\neth0");
    now.put("var/lib/cni/networks/cbr0/last_reserved_ip.0", "10.0.0.5");
    now.put("run/systemd/netif/links/2", "ADMIN_STATE=configured");
    now.put(
        "etc/systemd/networkd.conf.d/k8s.conf",
        "[Network]\nManageForeignRoutes=no\nManageForeignRoutingPolicyRules=no");
    now.put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority");
    now.put("etc/sysctl.d/k8s.conf", "net.ipv4.ip_forward = 1\n# net.core.somaxconn = 9");
    now.put("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999");
    now.put("proc/sys/net/ipv4/tcp_keepalive_time", "7200");
    now.put("proc/sys/net/core/somaxconn", "4096");
    now.put("proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established", "86400");
    now.put("proc/sys/net/ipv4/conf/eth0/forwarding", "1");
    now.put("etc/modules-load.d/k8s.conf", "overlay\nbr_netfilter");
    now.put(FACTS + Facts.DRIVERS, DRIVERS);
    now.put(
        FACTS + Facts.QUEUES,
        "device=eth0 parent=root kind=fq_codel drops=40 overlimits=0 requeues=1 waiting=0");
    now.put(FACTS + Facts.CONNECTIONS, "all=1024 unanswered=3 sources=40");
    now.put(FACTS + Facts.PODS, PODS);
    now.put(FACTS + Facts.ROUTING, ROUTING);
    now.put(
        FACTS + Facts.ROUTES,
        "family=ipv4 all=12\nroute=10.0.1.0/24 device=flannel.1 mtu=1450\nfamily=ipv6 all=4");
    now.put(FACTS + Facts.LINKS, LINKS);
    now.put(FACTS + Facts.RULES, RULES);
    now.put(
        FACTS + Facts.FSYNC,
        "folder=/var/lib/etcd found=process_900 writes=200 bytes=2300 p50=700 p99=2400 most=9000");
    now.put(FACTS + Facts.CLUSTER, CLUSTER);
    now.put(FACTS + Facts.CLUSTER_DNS, CLUSTER_DNS);
    now.put(FACTS + Facts.POD, POD);
    now.put(FACTS + Facts.POD_DNS, POD_DNS);
    now.put(FACTS + Facts.POD_POLICY, "pod=shop/web-1 to=10.96.0.2:53/udp verdict=allowed why=");
    now.put(FACTS + Facts.PROBE, PROBE + crossings("there") + crossings("back"));
    now.put(Host.WINDOW, "1.0");
    before.putAll(now);
  }

  private static String crossings(String way) {
    StringBuilder lines = new StringBuilder();
    for (Crossing kind : Crossing.values()) {
      lines.append("way=" + way + " crossing=" + kind.key() + " sent=12 heard=12\n");
    }
    return lines.toString();
  }

  private void device(String name, int mtu, String type, String uevent) {
    now.put("sys/class/net/" + name + "/mtu", String.valueOf(mtu));
    now.put("sys/class/net/" + name + "/type", type);
    now.put("sys/class/net/" + name + "/uevent", uevent + "INTERFACE=" + name);
  }

  /** Replaces a part of what a file says at the second look. */
  RecordedNode with(String path, String old, String other) {
    String text = now.get(path);
    if (text == null || !text.contains(old)) {
      throw new IllegalArgumentException(path + " has no '" + old + "'");
    }
    now.put(path, text.replace(old, other));
    return this;
  }

  /** Replaces what a file says at both looks. */
  RecordedNode with(String path, String text) {
    now.put(path, text);
    before.put(path, text);
    return this;
  }

  /** There is no such file or folder. */
  RecordedNode without(String path) {
    now.keySet().removeIf(name -> name.equals(path) || name.startsWith(path + "/"));
    before.keySet().removeIf(name -> name.equals(path) || name.startsWith(path + "/"));
    return this;
  }

  /** It is there and cannot be read: a folder stands in its place. */
  RecordedNode unreadable(String path) {
    without(path);
    now.put(path + "/in-the-way", "");
    return this;
  }

  /** Writes it, and reads it as the doctor does. */
  Host host() {
    now.forEach((path, text) -> write(root.resolve(path), text));
    before.forEach((path, text) -> {
      if (path.startsWith("proc/net/") || TWICE.contains(path)) { // what is looked at twice
        write(root.resolve(Host.BEFORE).resolve(path), text);
      }
    });
    return new Host(
        root,
        Duration.ofSeconds(1),
        _ -> {
          throw new IllegalStateException("a recorded tree is not waited for");
        },
        Facts.none());
  }

  private static void write(Path file, String text) {
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
