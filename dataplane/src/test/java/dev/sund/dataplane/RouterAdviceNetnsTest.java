package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.TestNode;
import dev.sund.dataplane.testing.Testbed;
import dev.sund.engine.cluster.IpPool;
import dev.sund.kernel.NetNs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node that has its IPv6 default route from a router's advice, as most VPSs have, keeps it when
 * Sund switches forwarding on: a real router (radvd) whose routes live twelve seconds.
 */
@Tag("netns")
@Timeout(180)
class RouterAdviceNetnsTest {
  private static final int LIFETIME_SECONDS = 12; // three times what is between two advices

  @TempDir private Path folder;

  @Test
  void theDefaultRouteOutlivesItsLifetimeAlsoOnADeviceThatHadNoAddressYet() throws Exception {
    NetNs router = NetNs.create("sundt-ra-" + ProcessHandle.current().pid());
    Process radvd = null;
    try (Testbed bed = Testbed.of(0, IpPool.VxlanMode.ALWAYS)) {
      TestNode node = bed.addNode();
      for (int i = 1; i <= 2; i++) {
        Testbed.run(
            router,
            "ip",
            "link",
            "add",
            "r" + i,
            "type",
            "veth",
            "peer",
            "name",
            "up" + i,
            "netns",
            node.ns().toString());
        Testbed.run(router, "ip", "link", "set", "r" + i, "up");
        node.run("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/up" + i + "/accept_dad");
      }
      radvd = radvd(router);
      node.run("ip", "link", "set", "up1", "up");
      awaitRoute(node, "up1");

      bed.start(node); // up2 has no address yet
      assertThat(setting(node, "all", "forwarding")).isEqualTo("1");
      for (int i = 1; i <= 2; i++) {
        assertThat(setting(node, "up" + i, "accept_ra")).isEqualTo("2");
      }
      node.run("ip", "link", "set", "up2", "up");
      awaitRoute(node, "up2");
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIFETIME_SECONDS + 1);
      while (System.nanoTime() < end) {
        assertThat(defaults(node)).contains("dev up1 proto ra").contains("dev up2 proto ra");
        Thread.sleep(200);
      }
      assertThat(defaults(node)).contains("dev up1 proto ra").contains("dev up2 proto ra");
      node.stop();
      Cleanup.node(node.ns(), node.state(), false);
      for (int i = 1; i <= 2; i++) {
        assertThat(setting(node, "up" + i, "accept_ra")).isEqualTo("1");
      }
      assertThat(setting(node, "all", "forwarding")).isEqualTo("0");
    } finally {
      if (radvd != null) {
        radvd.descendants().forEach(ProcessHandle::destroyForcibly);
        radvd.destroyForcibly().waitFor();
      }
      router.delete();
    }
  }

  private static String setting(TestNode node, String device, String name) {
    return node.run("cat", "/proc/sys/net/ipv6/conf/" + device + "/" + name).strip();
  }

  private static String defaults(TestNode node) {
    return node.run("ip", "-6", "route", "show", "default");
  }

  private static void awaitRoute(TestNode node, String device) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!defaults(node).contains("dev " + device + " proto ra")) {
      assertThat(System.nanoTime()).as("advice by %s: %s", device, defaults(node)).isLessThan(end);
      Thread.sleep(50);
    }
  }

  private Process radvd(NetNs router) throws Exception {
    Path config = folder.resolve("radvd.conf");
    StringBuilder text = new StringBuilder();
    for (int i = 1; i <= 2; i++) {
      text.append(
          """
          interface r%d {
            IgnoreIfMissing on;
            AdvSendAdvert on;
            MinRtrAdvInterval 3;
            MaxRtrAdvInterval 4;
            MinDelayBetweenRAs 3;
            AdvDefaultLifetime %d;
            prefix 2001:db8:%d::/64 { };
          };
          """
              .formatted(i, LIFETIME_SECONDS, i));
    }
    Files.writeString(config, text);
    Testbed.run(router, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
    return new ProcessBuilder(
            "nsenter",
            "--net=" + router.path(),
            "radvd",
            "--nodaemon",
            "--logmethod=stderr",
            "--config=" + config,
            "--pidfile=" + folder.resolve("radvd.pid"))
        .redirectErrorStream(true)
        .redirectOutput(folder.resolve("radvd.log").toFile())
        .start();
  }
}
