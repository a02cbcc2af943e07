package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.nft.NftDriver;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.lab.api.Resource;
import dev.sund.lab.measure.Traffic;
import dev.sund.lab.measure.Traffic.Account;
import dev.sund.lab.measure.Traffic.Flow;
import dev.sund.model.Family;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Agents end, are killed and start again while packets flow: on one node, routed between nodes, by
 * tunnel between nodes; TCP both ways, UDP at 1,000 a second, new connections at 100 a second. No
 * packet may be lost and nothing that is right may be written again.
 */
@Tag("netns")
@Timeout(600)
class RestartTest {
  private static final boolean LONG = Boolean.getBoolean("sund.long");
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String OWNER = "TableChanged[table=inet sund-policy, gone=false]";

  @TempDir private Path directory;
  private AgentScene scene;
  private List<Flow> flows;
  private long seed;
  private Random random;

  @BeforeEach
  void build() throws Exception {
    seed = Long.getLong("sund.seed", System.nanoTime());
    random = new Random(seed);
    System.out.println("seed " + seed + " (repeat with -Dsund.seed=" + seed + ")");
    scene = AgentScene.build(directory);
    scene.startAll();
    flows = SceneFlows.everyWay(scene);
  }

  @AfterEach
  void clear() throws Exception {
    scene.close();
  }

  @Test
  void aRollingRestartOfAllLosesNothingAndWritesNothing() throws Exception {
    // One traffic over all: what breaks at the second restart is not hidden by a new start.
    try (Traffic traffic = Traffic.start(flows)) {
      for (int node = 1; node <= scene.nodes(); node++) {
        try (ChangeRecorder recorder = new ChangeRecorder(scene.node(node))) {
          scene.terminate(node);
          scene.startAgent(node);
          scene.awaitReady(node, PATIENCE);
          Thread.sleep(500);
          scene.await(
              "what began on n" + node + " is committed",
              PATIENCE,
              () -> !onlyBegun(recorder.changes()));
          assertThat(apartFromTheOwner(recorder.changes())).as("changes on n%d", node).isEmpty();
        }
      }
      assertFlawless(traffic.stop());
    }
  }

  /**
   * Without the one commit by which a new agent becomes the owner of the policies' table, which
   * changes nothing in it and keeps others from flushing it.
   */
  private static List<String> apartFromTheOwner(List<String> changes) {
    boolean owner =
        changes.size() == 2
            && changes.getFirst().equals(OWNER)
            && changes.getLast().startsWith("Committed[");
    return owner ? List.of() : changes;
  }

  private static boolean onlyBegun(List<String> changes) {
    return changes.equals(List.of(OWNER));
  }

  @Test
  void killsAtRandomMomentsLoseNothing() throws Exception {
    int kills = LONG ? 100 : 6;
    try (Traffic traffic = Traffic.start(flows)) {
      for (int i = 0; i < kills; i++) {
        int node = 1 + random.nextInt(scene.nodes());
        Thread.sleep(random.nextInt(200));
        scene.kill(node);
        scene.startAgent(node);
        if (random.nextBoolean()) {
          // The next kill may come while it is starting.
          Thread.sleep(random.nextInt(600));
        } else {
          scene.awaitReady(node, PATIENCE);
        }
      }
      for (int node = 1; node <= scene.nodes(); node++) {
        scene.awaitReady(node, PATIENCE);
      }
      assertFlawless(traffic.stop());
    }
  }

  @Test
  void deathBetweenTwoMessagesOfABatchLosesNothingAndIsMadeGood() throws Exception {
    List<String> points = new ArrayList<>();
    for (String driver : List.of("routes", "tunnels", NftDriver.NAME, "pods")) {
      for (int messages = 1; messages <= (LONG ? 12 : 2); messages++) {
        points.add(driver + ":" + messages);
      }
    }
    int node = 2;
    boolean more = false;
    int died = 0;
    // Before the traffic: between the first pool and the last, some pods are in no pool.
    scene.api().put(AgentScene.pool("default", "10.244.0.0/16"));
    scene.api().put(AgentScene.pool("default6", "fd00:10:244::/48"));
    for (int each = 1; each <= scene.nodes(); each++) {
      scene.awaitDone(each, new ObjectRef("IPPool", "default6"), PATIENCE); // the last of them
    }
    for (String to : List.of("b", "c", "d")) {
      SceneFlows.awaitReached(scene, scene.pod("a"), scene.pod(to));
    }
    try (Traffic traffic = Traffic.start(flows)) {
      for (String point : points) {
        more = !more;
        scene.terminate(node);
        changeTheCluster(more);
        scene.jvmFlags("-Dsund.failpoint=" + point);
        Process process = scene.startAgent(node);
        scene.jvmFlags();
        scene.await(
            "the end of the batch or of the agent at " + point,
            PATIENCE,
            () -> !process.isAlive() || scene.get(node, "/readyz").startsWith("HTTP/1.1 200"));
        if (!process.isAlive()) {
          died++;
          assertThat(process.exitValue()).as(point).isEqualTo(137);
          scene.startAgent(node);
          scene.awaitReady(node, PATIENCE);
        }
        assertThat(
                scene
                    .run(scene.node(node), "ip", "route", "show", "proto", "83")
                    .contains("10.244.9.0/24"))
            .as("route to node 9 after death at %s", point)
            .isEqualTo(more);
      }
      assertFlawless(traffic.stop());
    }
    assertThat(died).as("deaths of %d points", points.size()).isGreaterThanOrEqualTo(5);
  }

  /** Work for every driver at the next start: entries that come, then entries that go. */
  private void changeTheCluster(boolean more) throws Exception {
    if (more) {
      scene.api().put(AgentScene.emptyNode(8, 1));
      scene.api().put(AgentScene.emptyNode(9, 2));
      scene.api().put(AgentScene.pool("extra", "10.99.0.0/16"));
    } else {
      scene.api().delete(Resource.NODES, "n8");
      scene.api().delete(Resource.NODES, "n9");
      scene.api().delete(Resource.POOLS_V3, "extra");
    }
  }

  @Test
  void deathInTheMiddleOfAnAttachIsMadeGoodByTheNextAttach() throws Exception {
    int node = 1;
    int deaths = 0;
    for (int messages = 1; messages <= (LONG ? 12 : 4); messages++) {
      scene.terminate(node);
      scene.jvmFlags("-Dsund.failpoint=pods:" + messages);
      Process process = scene.startAgent(node);
      scene.jvmFlags();
      scene.awaitReady(node, PATIENCE);
      PodHandle pod = scene.makePod("p" + messages, node);
      boolean answered = false;
      try {
        scene.ask(pod, "ADD");
        answered = true;
      } catch (IOException _) {
        // broke off in the middle, as it should
      }
      if (process.waitFor(answered ? 1 : PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        deaths++;
      } else {
        scene.terminate(node); // an attach has fewer messages; the detach is not to die of it
      }
      scene.startAgent(node);
      scene.awaitReady(node, PATIENCE);
      scene.ask(pod, "DEL"); // as a runtime does that had no answer
      scene.attach(pod);
      for (Family family : Family.values()) {
        assertThat(scene.reaches(scene.pod("c"), pod, family))
            .as("c to %s after death at message %d", family, messages)
            .isTrue();
      }
      scene.removePod(pod);
    }
    assertThat(deaths).as("attaches that broke off").isGreaterThanOrEqualTo(4);
  }

  private void assertFlawless(List<Account> accounts) throws Exception {
    assertThat(accounts.stream().filter(account -> !account.flawless()))
        .as("seed %d\n%s", seed, String.join("\n", scene.lastLines()))
        .isEmpty();
    assertThat(accounts).hasSize(flows.size());
  }
}
