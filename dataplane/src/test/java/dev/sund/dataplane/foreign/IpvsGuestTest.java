package dev.sund.dataplane.foreign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What kube-proxy's mode ipvs leaves, in a kernel that has IPVS. */
@Tag("guest")
class IpvsGuestTest {
  @Test
  void itsDeviceAndServersAreFoundAndThoseOfOthersAreNot() throws Exception {
    Assumptions.assumeTrue(
        Boolean.getBoolean("sund.test.guest"), "IPVS is tested in the guest: run sund test");
    try (Testbed bed = Testbed.of(1, IpPool.VxlanMode.CROSS_SUBNET)) {
      TestPod web = bed.pod(1, "web");
      NetNs node = bed.node(1).ns();
      Testbed.run(node, "sh", "-ec", rules(web.ip(Family.V4).toString()));

      assertThat(ProxyLeavings.find(node))
          .map(Object::toString)
          .containsExactly(
              "device kube-ipvs0 (mode ipvs)", "3 virtual servers of IPVS (mode ipvs)");
      assertThat(ProxyLeavings.carriedByIpvs(node)).isZero();
    }
  }

  private static String rules(String endpoint) {
    return """
    ip link add kube-ipvs0 type dummy
    ip addr add 10.96.0.10/32 dev kube-ipvs0
    ip addr add fd00:96::a/128 dev kube-ipvs0
    ipvsadm -A -t 10.96.0.10:80 -s rr
    ipvsadm -a -t 10.96.0.10:80 -r ENDPOINT:8080 -m
    ipvsadm -A -u [fd00:96::a]:53 -s rr
    ipvsadm -A -t 192.168.77.1:30080 -s rr
    ipvsadm -A -t 192.0.2.9:443 -s rr
    """
        .replace("ENDPOINT", endpoint);
  }
}
