package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.IpPool;
import dev.sund.model.Family;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("netns")
class FabricNetnsTest {

  @Test
  void aPoolsModeChangesLiveAndConnectionsStay() throws Exception {
    try (Testbed bed = Testbed.of(2, IpPool.VxlanMode.ALWAYS)) {
      TestPod a = bed.pod(1, "a");
      TestPod b = bed.pod(2, "b");
      for (Family family : Family.values()) {
        InetAddress address = InetAddress.getByAddress(b.ip(family).toBytes());
        String name = family == Family.V4 ? "v4" : "v6";
        String cidr = family == Family.V4 ? "10.244.0.0/16" : "fd00:244::/32";
        try (ServerSocket server = b.ns().call(() -> new ServerSocket(7777, 1, address));
            Socket client = a.ns().call(() -> new Socket(address, 7777));
            Socket accepted = server.accept()) {
          client.setSoTimeout(10_000);
          for (IpPool.VxlanMode mode :
              List.of(
                  IpPool.VxlanMode.NEVER,
                  IpPool.VxlanMode.ALWAYS,
                  IpPool.VxlanMode.CROSS_SUBNET,
                  IpPool.VxlanMode.ALWAYS)) {
            bed.tell(new ClusterEvent.PoolSeen(Testbed.pool(name, cidr, mode)));
            byte[] sent = new byte[100_000];
            java.util.Arrays.fill(sent, (byte) 7);
            accepted.getOutputStream().write(sent);
            assertThat(client.getInputStream().readNBytes(sent.length))
                .as("%s %s", family, mode)
                .isEqualTo(sent);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(IpPool.VxlanMode.class)
  void podsReachEachOtherOnOneNodeAndAcrossNodes(IpPool.VxlanMode mode) {
    try (Testbed bed = Testbed.of(3, mode)) {
      TestPod a = bed.pod(1, "a");
      TestPod b = bed.pod(1, "b");
      TestPod c = bed.pod(2, "c");
      TestPod d = bed.pod(3, "d");

      bed.nodes().forEach(node -> assertThat(node.dataplane().conditions()).isEmpty());
      for (Family family : Family.values()) {
        assertThat(a.reaches(b, family)).as("same node %s", family).isTrue();
        assertThat(a.reaches(c, family)).as("across nodes %s", family).isTrue();
        assertThat(d.reaches(a, family)).as("across nodes %s", family).isTrue();
        assertThat(a.reaches(d, family, 4000)).as("in fragments %s", family).isTrue();
      }
    }
  }
}
