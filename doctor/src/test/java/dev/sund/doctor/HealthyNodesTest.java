package dev.sund.doctor;

import static dev.sund.doctor.RecordedNode.FACTS;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole nodes on which nothing is wrong: nobody finds anything, and everybody could read. */
class HealthyNodesTest {
  @TempDir Path root;

  private static void isHealthy(RecordedNode node) throws Exception {
    Examination found = Examination.of(node.host(), Catalogue.all());
    assertThat(found.findings()).isEmpty();
    assertThat(found.unread()).isEmpty();
    assertThat(found.results()).hasSameSizeAs(Catalogue.all());
  }

  /** kube-proxy in mode iptables, flannel by VXLAN. */
  @Test
  void asKubeadmMakesIt() throws Exception {
    isHealthy(new RecordedNode(root));
  }

  /** A machine without a cluster: it forwards nothing, and has swap. */
  @Test
  void aCleanDebian() throws Exception {
    isHealthy(
        new RecordedNode(root)
            .without("proc/4711")
            .without("etc/cni")
            .without("opt/cni")
            .without("run/flannel")
            .without("run/systemd")
            .without("etc/systemd")
            .without("etc/sysctl.d")
            .without("etc/modules-load.d")
            .without("var/lib")
            .without("proc/sys/net/bridge")
            .without("proc/sys/net/netfilter")
            .without("proc/net/stat/nf_conntrack")
            .without("sys/class/net/flannel.1")
            .without("sys/class/net/cni0")
            .without("sys/class/net/veth12ab")
            .without("proc/sys/net/ipv4/conf/flannel.1")
            .with("proc/sys/net/ipv4/conf/eth0/forwarding", "0")
            .with("proc/sys/net/ipv4/ip_forward", "0")
            .with("proc/swaps", "Filename Type Size\n/dev/vda5 partition 998396 0 -2")
            .with("proc/modules", "virtio_net 1 1 - Live 0x0")
            .with(
                "usr/lib/sysctl.d/50-default.conf",
                "# Of systemd.\n-net.ipv4.conf.all.rp_filter\nnet.ipv4.conf.*.rp_filter = 2\n"
                    + "net.ipv4.conf.default.rp_filter = 1")
            .with("etc/modules", "# /etc/modules")
            .with(
                FACTS + Facts.PROXY,
                "asked=proxyMode failed=Connection_refused\nasked=healthz failed=Connection_refused")
            .with(FACTS + Facts.RULES, "")
            .with(FACTS + Facts.PODS, "")
            .with(FACTS + Facts.CONNECTIONS, "")
            .with(
                FACTS + Facts.DRIVERS,
                "device=eth0 hardware=1 driver=virtio_net rx=256 rx-most=256 on=")
            .with(
                FACTS + Facts.LINKS,
                "link=lo index=1 kind= up=1 carrier=1\n"
                    + "link=eth0 index=2 kind= mtu=1500 up=1 carrier=1 addresses=192.168.0.11/24"));
  }

  /** kube-proxy and kube-router's policies are part of one program; its folders are its own. */
  @Test
  void asK3sMakesIt() throws Exception {
    String rules =
        """
        tool=nft family=ip table=nat chain=PREROUTING rules=2 type=nat hook=prerouting priority=-100 policy=accept acts=jump:KUBE-SERVICES,jump:CNI-HOSTPORT-DNAT
        tool=nft family=ip table=nat chain=POSTROUTING rules=3 type=nat hook=postrouting priority=100 policy=accept acts=jump:CNI-HOSTPORT-MASQ,jump:KUBE-POSTROUTING,jump:FLANNEL-POSTRTG
        tool=nft family=ip table=nat chain=FLANNEL-POSTRTG rules=5 masquerades=2
        tool=nft family=ip table=nat chain=KUBE-SERVICES rules=7
        tool=nft family=ip table=nat group=KUBE-SVC- chains=6 rules=12
        tool=nft family=ip table=filter chain=FORWARD rules=5 type=filter hook=forward priority=0 policy=drop acts=jump:KUBE-ROUTER-FORWARD,jump:KUBE-FORWARD,jump:FLANNEL-FWD
        """;
    RecordedNode node =
        new RecordedNode(root)
            .without("proc/4711")
            .without("etc/cni")
            .without("opt/cni")
            .with("proc/611/comm", "k3s-server")
            .with("proc/611/cmdline", "/usr/local/bin/k3s server")
            .with(
                "var/lib/rancher/k3s/agent/etc/cni/net.d/10-flannel.conflist",
                """
                {"name": "cbr0", "cniVersion": "1.0.0", "plugins": [
                  {"type": "flannel",
                   "delegate": {"hairpinMode": true, "forceAddress": true, "isDefaultGateway": true}},
                  {"type": "portmap", "capabilities": {"portMappings": true}},
                  {"type": "bandwidth", "capabilities": {"bandwidth": true}}]}
                """)
            .with(
                "var/lib/rancher/k3s/agent/etc/containerd/config.toml",
                """
                [plugins."io.containerd.grpc.v1.cri".cni]
                  bin_dir = "/var/lib/rancher/k3s/data/current/bin"
                  conf_dir = "/var/lib/rancher/k3s/agent/etc/cni/net.d"
                """)
            .with(FACTS + Facts.RULES, rules);
    for (String plugin : "bandwidth bridge flannel host-local portmap".split(" ")) {
      node.with("var/lib/rancher/k3s/data/current/bin/" + plugin, "");
    }
    isHealthy(node);
  }
}
