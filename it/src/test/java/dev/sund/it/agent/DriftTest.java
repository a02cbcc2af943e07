package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.NetNs;
import dev.sund.model.Family;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Somebody changes what is ours: it is put right within a second of the kernel's event, counted and
 * said. What is not ours is left alone and reported.
 */
@Tag("netns")
@Tag("alone")
@Timeout(300)
class DriftTest {
  /** The second that is promised. */
  private static final Duration SECOND = Duration.ofSeconds(1);

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private Path directory;
  private AgentScene scene;
  private PodHandle a;
  private PodHandle d;
  private NetNs n1;
  private String deviceOfA;

  @BeforeEach
  void build() throws Exception {
    scene = AgentScene.build(directory);
    scene.startAll();
    a = scene.addPod("a", 1);
    d = scene.addPod("d", 3);
    n1 = scene.node(1);
    deviceOfA = device(a);
    settle();
  }

  @AfterEach
  void clear() throws Exception {
    scene.close();
  }

  @Test
  void whatIsOursIsPutRightWithinASecond() throws Exception {
    String tunnelMac = tunnelMac();
    drift("routes", "10.244.3.0/24", "ip", "route", "del", "10.244.3.0/24");
    drift("routes", "fd00:10:244:3::/64", "ip", "-6", "route", "del", "fd00:10:244:3::/64");
    drift(
        "routes",
        "10.244.2.0/24",
        "ip",
        "route",
        "change",
        "10.244.2.0/24",
        "via",
        "192.168.1.12",
        "dev",
        "eth0",
        "proto",
        "83",
        "metric",
        "3", // of the range's last ten bits
        "mtu",
        "1300");
    drift("tunnels", "192.168.2.13", "bridge", "fdb", "flush", "dev", "sund-vxlan4");
    drift("tunnels", "192.168.2.13", "ip", "neigh", "flush", "dev", "sund-vxlan4", "nud", "all");
    drift("tunnels", tunnelMac, "ip", "link", "set", "sund-vxlan4", "address", "02:00:00:00:00:99");
    drift("tunnels", "sund-vxlan4", "ip", "link", "del", "sund-vxlan4");
    drift("nft", "table inet sund", "nft", "flush", "ruleset");
    drift("pods", "UP", "ip", "link", "set", deviceOfA, "down");
    drift("tunnels", "UP", "ip", "link", "set", "sund-vxlan4", "down");
    for (Family family : Family.values()) {
      assertThat(scene.reaches(a, d, family)).as("a to d by %s", family).isTrue();
      assertThat(scene.reaches(d, a, family)).as("d to a by %s", family).isTrue();
    }
  }

  /**
   * A firewall that loads its rules anew takes ours out of its chain, nftables.service flushes all
   * tables, systemd-networkd removes routes that it does not know.
   */
  @Test
  void whatOtherServicesTakeAwayAtTheirReloadIsBackWithinASecond() throws Exception {
    scene.run(n1, "iptables-nft", "-P", "FORWARD", "DROP");
    scene.await(
        "pods' packets are accepted in the chain that drops",
        PATIENCE,
        () -> scene.run(n1, "iptables-nft", "-S", "FORWARD").contains("-i sund+"));
    drift("forward", "-i sund+", "iptables-nft", "-F", "FORWARD");
    assertThat(scene.reaches(a, d, Family.V4)).isTrue();
    scene.run(n1, "iptables-legacy", "-P", "FORWARD", "DROP");
    scene.await(
        "pods' packets are accepted in the older table that drops",
        PATIENCE,
        () -> scene.run(n1, "iptables-legacy", "-S", "FORWARD").contains("-i sund+"));
    drift("forward-legacy", "-i sund+", "iptables-legacy", "-F", "FORWARD");
    assertThat(scene.reaches(a, d, Family.V4)).isTrue();
    drift("routes", "10.244.3.0/24", "ip", "route", "flush", "proto", "83");
    drift("routes", "fd00:10:244:3::/64", "ip", "-6", "route", "flush", "proto", "83");
    drift("nft", "table inet sund", "sh", "-c", "nft flush ruleset");
    for (Family family : Family.values()) {
      assertThat(scene.reaches(a, d, family)).as("a to d by %s", family).isTrue();
    }
  }

  @Test
  void aLinkThatFlapsComesBackWithItsRoutes() throws Exception {
    scene.run(n1, "ip", "link", "set", "eth0", "down");
    Thread.sleep(300);
    scene.run(n1, "ip", "link", "set", "eth0", "up");
    scene.run(n1, "ip", "-6", "addr", "replace", "fd00:192:168:1::11/64", "dev", "eth0", "nodad");
    scene.run(n1, "ip", "route", "replace", "default", "via", "192.168.1.254");
    scene.run(n1, "ip", "-6", "route", "replace", "default", "via", "fd00:192:168:1::254");
    for (Family family : Family.values()) {
      scene.await("a reaches d by " + family, PATIENCE, () -> scene.reaches(a, d, family));
    }
  }

  @Test
  void aNodesNewAddressIsTakenUp() throws Exception {
    scene.run(n1, "ip", "addr", "del", "192.168.1.11/24", "dev", "eth0");
    scene.run(n1, "ip", "addr", "add", "192.168.1.31/24", "dev", "eth0");
    scene.run(n1, "ip", "route", "replace", "default", "via", "192.168.1.254");
    scene.api().put(AgentScene.nodeObject(1, "192.168.1.31"));
    scene.await(
        "a reaches d after the change",
        PATIENCE,
        () -> scene.reaches(a, d, Family.V4) && scene.reaches(d, a, Family.V4));
    assertThat(scene.run(n1, "ip", "-d", "link", "show", "sund-vxlan4"))
        .contains("local 192.168.1.31");
  }

  @Test
  void whatIsForeignIsLeftAloneAndReported() throws Exception {
    scene.run(n1, "ip", "route", "add", "10.77.0.0/24", "via", "192.168.1.254");
    scene.run(n1, "nft", "add", "table", "inet", "other");
    scene.terminate(1);
    scene.run(n1, "ip", "route", "del", "10.244.2.0/24");
    scene.run(n1, "ip", "route", "add", "10.244.2.0/24", "via", "192.168.1.254", "proto", "static");
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
    assertThat(scene.run(n1, "ip", "route"))
        .contains("10.77.0.0/24 via 192.168.1.254")
        .contains("10.244.2.0/24 via 192.168.1.254 dev eth0 proto static");
    assertThat(scene.run(n1, "nft", "list", "tables")).contains("table inet other");
    assertThat(status()).contains("\"reason\":\"foreign-object\"").contains("10.244.2.0/24");
    // And when it is gone, ours comes.
    scene.run(n1, "ip", "route", "del", "10.244.2.0/24");
    scene.await(
        "our route",
        PATIENCE,
        () -> scene.run(n1, "ip", "route").contains("10.244.2.0/24 via 192.168.1.12"));
    // One that comes later and goes before ours is said while it is there.
    scene.run(n1, "ip", "route", "add", "10.244.3.0/24", "via", "192.168.1.254");
    scene.await("said", PATIENCE, () -> status().contains("\"foreign-object\""));
    scene.run(n1, "ip", "route", "del", "10.244.3.0/24", "via", "192.168.1.254");
    scene.await("not said", PATIENCE, () -> !status().contains("\"foreign-object\""));
    assertThat(scene.run(n1, "ip", "route")).contains("10.244.3.0/24 via ");
  }

  private String status() throws Exception {
    return scene.client(1).ask(java.util.Map.of("command", "STATUS")).json();
  }

  @Test
  void anApiServerThatIsLostChangesNothingAndIsFollowedAgain() throws Exception {
    PodHandle late = scene.makePod("late", 1);
    scene.announce(late);
    scene.awaitTold(late, PATIENCE);
    PodHandle unheardOf = scene.makePod("unheard-of", 1);
    try (ChangeRecorder recorder = new ChangeRecorder(n1)) {
      scene.stopApi();
      scene.await(
          "the loss is said",
          PATIENCE,
          () -> scene.metric(1, "sund_conditions{reason=\"api-unreachable\"}") == 1);
      Thread.sleep(1_000);
      assertThat(recorder.changes()).isEmpty();
      assertThat(scene.get(1, "/readyz")).startsWith("HTTP/1.1 200");
    }
    // Drift is repaired, and pods that are known come, without the API server.
    drift("routes", "10.244.3.0/24", "ip", "route", "del", "10.244.3.0/24");
    scene.attach(late);
    assertThat(scene.ask(unheardOf, "ADD").json())
        .contains("\"code\":11,", "Pod shop/unheard-of is not known here yet");
    assertThat(scene.reaches(late, a, Family.V4)).isTrue();
    scene.resumeApi();
    PodHandle later = scene.addPod("later", 2);
    scene.await(
        "the API server is heard again",
        PATIENCE,
        () -> scene.metric(1, "sund_conditions{reason=\"api-unreachable\"}") == 0);
    scene.await("later is reached", PATIENCE, () -> scene.reaches(late, later, Family.V6));
  }

  /** Changes something and waits for it to be as before, counted and said. */
  private void drift(String table, String expected, String... command) throws Exception {
    settle();
    double before = repaired(table);
    List<String> watched = view(table);
    scene.run(n1, command);
    long began = System.nanoTime();
    String what = String.join(" ", command);
    scene.await(what, PATIENCE, () -> view(table).equals(watched));
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    System.out.println(what + ": repaired in " + took.toMillis() + " ms");
    assertThat(String.join("\n", watched)).as(what).contains(expected);
    assertThat(took).as(what).isLessThan(SECOND);
    scene.await("counted: " + what, PATIENCE, () -> repaired(table) > before);
    scene.await(
        "said (a line that repeats is counted, and not said anew): " + what,
        PATIENCE,
        () -> scene.logText(1).contains("msg=\"drift repaired\" table=" + table));
  }

  private double repaired(String table) throws Exception {
    return scene.metric(1, "sund_drift_repaired_total{table=\"" + table + "\"}");
  }

  /** What the programs of others see of a table, without counters and times. */
  private List<String> view(String table) throws Exception {
    return switch (table) {
      case "routes" ->
          lines(
              scene.run(n1, "ip", "-o", "route", "show", "proto", "83"),
              scene.run(n1, "ip", "-o", "-6", "route", "show", "proto", "83"));
      case "nft" ->
          lines(scene.run(n1, "nft", "list", "tables")).stream()
              .filter(line -> line.equals("table inet sund"))
              .toList();
      case "forward" -> lines(scene.run(n1, "iptables-nft", "-S", "FORWARD"));
      case "forward-legacy" -> lines(scene.run(n1, "iptables-legacy", "-S", "FORWARD"));
      case "pods" -> lines(scene.run(n1, "ip", "-o", "link", "show", deviceOfA));
      default ->
          lines(
                  // Filtered here, since the programs fail for a device that is gone.
                  scene.run(n1, "ip", "neigh", "show"),
                  scene.run(n1, "bridge", "fdb", "show"),
                  scene.run(n1, "ip", "-o", "-4", "addr", "show"),
                  scene.run(n1, "ip", "-o", "link", "show"))
              .stream()
              .filter(line -> line.contains("sund-vxlan4"))
              .toList();
    };
  }

  private static List<String> lines(String... texts) {
    return String.join("\n", texts)
        .lines()
        .map(line -> line.replaceAll("^[0-9]+: ", "").replaceAll("@if[0-9]+", "").strip())
        .filter(line -> !line.isEmpty())
        .sorted()
        .toList();
  }

  private String tunnelMac() throws Exception {
    String text = scene.run(n1, "ip", "-o", "link", "show", "dev", "sund-vxlan4");
    return text.replaceAll("(?s).*link/ether ([0-9a-f:]+) .*", "$1");
  }

  private String device(PodHandle pod) throws Exception {
    String text = scene.run(n1, "ip", "-o", "route", "show", pod.v4().toString());
    return text.replaceAll("(?s).* dev (\\S+) .*", "$1");
  }

  /** Until nothing has been read again for a moment, so that events of before are over. */
  private void settle() throws Exception {
    double last = -1;
    while (true) {
      double now = scene.metric(1, "sund_resyncs_total{cause=\"event\"}");
      if (now == last) {
        return;
      }
      last = now;
      Thread.sleep(150);
    }
  }
}
