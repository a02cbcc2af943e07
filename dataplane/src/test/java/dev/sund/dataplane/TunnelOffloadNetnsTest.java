package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.TunnelOffload.Verdict;
import dev.sund.dataplane.testing.TestNode;
import dev.sund.dataplane.testing.TestPod;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A virtual switch that forwards frames as it finds them, unfinished checksums too, as some
 * hypervisors do: pods of two nodes cannot talk, until the kernel makes the checksums.
 */
@Tag("netns")
@Timeout(180)
class TunnelOffloadNetnsTest {
  /** Copies frames from one device to the other and back, and finishes no checksum. */
  private static final class CarelessSwitch implements AutoCloseable {
    private final List<NetSocket> sockets = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean ending;

    CarelessSwitch(NetNs namespace, String one, String other) throws KernelException {
      NetSocket a = capture(namespace, one);
      NetSocket b = capture(namespace, other);
      threads.add(Thread.ofPlatform().start(() -> copy(a, b)));
      threads.add(Thread.ofPlatform().start(() -> copy(b, a)));
    }

    private NetSocket capture(NetNs namespace, String device) throws KernelException {
      int index;
      try (SocketRoutes kernel = SocketRoutes.open(namespace)) {
        index =
            kernel.links().stream()
                .filter(link -> link.name().equals(device))
                .mapToInt(Link::index)
                .findFirst()
                .orElseThrow();
      }
      NetSocket socket = namespace.call(() -> NetSocket.capture(index));
      sockets.add(socket);
      return socket;
    }

    private void copy(NetSocket from, NetSocket to) {
      MessageBuffer buffer = new MessageBuffer(65_536);
      while (!ending) {
        int length = buffer.receive(from);
        if (length > 0) {
          buffer.send(to, length);
        } else {
          java.util.concurrent.locks.LockSupport.parkNanos(200_000);
        }
      }
    }

    @Override
    public void close() throws InterruptedException {
      ending = true;
      for (Thread thread : threads) {
        thread.join();
      }
      sockets.forEach(NetSocket::close);
    }
  }

  /** What comes of checks until one has heard an answer in time. */
  private static Verdict known(TunnelOffload offload, String device) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    Verdict verdict = offload.check(device);
    while (verdict == Verdict.UNKNOWN && System.nanoTime() < end) {
      verdict = offload.check(device);
    }
    return verdict;
  }

  @Test
  void unfinishedChecksumsThatGetLostAreFoundAndMadeByTheKernel() throws Exception {
    try (Testbed bed = Testbed.of(2, IpPool.VxlanMode.ALWAYS)) {
      TestPod a = bed.pod(1, "a");
      TestPod b = bed.pod(2, "b");
      TestNode node = bed.node(1);
      NetNs underlay = bed.underlay();
      for (TestNode each : bed.nodes()) {
        each.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
      }
      try (TunnelOffload offload = TunnelOffload.open(node.ns())) {
        assertThat(offload.devices()).containsEntry("sund-vxlan4", true);
        assertThat(known(offload, "sund-vxlan4")).isEqualTo(Verdict.WHOLE);
        assertThat(known(offload, "sund-vxlan6")).isEqualTo(Verdict.WHOLE);

        Testbed.run(underlay, "ip", "link", "set", "p1", "nomaster");
        Testbed.run(underlay, "ip", "link", "add", "q1", "type", "veth", "peer", "name", "q2");
        Testbed.run(underlay, "ip", "link", "set", "q2", "master", "br0", "up");
        Testbed.run(underlay, "ip", "link", "set", "q1", "promisc", "on", "up");
        Testbed.run(underlay, "ip", "link", "set", "p1", "promisc", "on");
        try (CarelessSwitch _ = new CarelessSwitch(underlay, "p1", "q1")) {
          assertThat(a.isCutOffFrom(b, Family.V4)).as("with unfinished checksums").isTrue();
          assertThat(known(offload, "sund-vxlan4")).isEqualTo(Verdict.SWITCHED_OFF);
          assertThat(offload.devices()).containsEntry("sund-vxlan4", false);
          assertThat(a.isCutOffFrom(b, Family.V4)).as("the other node's answers").isTrue();
          try (TunnelOffload other = TunnelOffload.open(bed.node(2).ns())) {
            assertThat(known(other, "sund-vxlan4")).isEqualTo(Verdict.SWITCHED_OFF);
          }
          assertThat(a.reaches(b, Family.V4)).as("with the kernel's checksums").isTrue();
          assertThat(offload.check("sund-vxlan4")).isEqualTo(Verdict.OFF);

          node.run("ip", "link", "delete", "sund-vxlan4");
          node.repair();
          assertThat(offload.devices()).as("made anew").containsEntry("sund-vxlan4", true);
          assertThat(known(offload, "sund-vxlan4")).isEqualTo(Verdict.SWITCHED_OFF);
        }
        Testbed.run(underlay, "ip", "link", "set", "q2", "down");
        node.run("ip", "link", "delete", "sund-vxlan4");
        node.repair();
        assertThat(offload.check("sund-vxlan4"))
            .as("when nobody answers, nothing is known")
            .isEqualTo(Verdict.UNKNOWN);
        assertThat(offload.devices()).isEqualTo(Map.of("sund-vxlan4", true, "sund-vxlan6", true));
      }
    }
  }
}
