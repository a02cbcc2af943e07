package dev.sund.it.cni;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalClient;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ipam.AddressSettings;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.it.agent.AgentScene;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.agents.AgentLauncher;
import dev.sund.lab.agents.AgentsInProcess;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * An ADD in which the kernel refuses any one of the messages, or the API server each question, or
 * the pod's namespace is gone, or has the interface: it fails with its remedy, and neither the
 * kernel nor the book of addresses has anything of it.
 */
@Tag("netns")
@Timeout(600)
class InjectedFailuresTest {
  private static final int FAILURES = Boolean.getBoolean("sund.long") ? 500 : 15;
  private static final int AT_ONCE = Boolean.getBoolean("sund.long") ? 200 : 20;
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final long DOOMED = Integer.toUnsignedLong(Marks.GROUP_DOOMED);
  private static final List<String> DRIVERS = List.of("pods", "routes");

  @TempDir private Path directory;
  private final long seed = Long.getLong("sund.seed", System.nanoTime());
  private final Random random = new Random(seed);
  private int sequence;

  @AfterEach
  void refuseNothing() {
    System.clearProperty(FailPoint.REFUSE);
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void nothingHalfDoneStays(Mode mode) throws Exception {
    System.out.println("seed " + seed);
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.api().define(Path.of(System.getProperty("sund.root", "..")).resolve("deploy/crds"));
      scene.api().put(tree("IPPool", "four", "10.99.0.0/24", 26));
      scene.api().put(tree("IPPool", "six", "fd00:99::/64", 122));
      AgentLauncher.Order order =
          new AgentLauncher.Order(
              new NodeName("n1"),
              scene.node(1),
              scene.kubeconfig(),
              FabricSettings.DEFAULT.with(new AddressSettings(mode, List.of())),
              directory.resolve("in-process"),
              "boot");
      AgentLauncher.Running agent = new AgentsInProcess().start(order);
      try {
        LocalClient client = new LocalClient(order.runDirectory());
        scene.await("ready", PATIENCE, () -> isReady(client));
        fail(scene, client, order, mode);
      } finally {
        agent.stop();
      }
    }
  }

  private void fail(AgentScene scene, LocalClient client, AgentLauncher.Order order, Mode mode)
      throws Exception {
    PodKey key = new PodKey("shop", "victim");
    NetNs netns = scene.topology().createPod(key);
    scene.run(netns, "ip", "link", "add", "taken", "type", "bridge");
    scene
        .api()
        .put(
            (Tree.Mapping)
                JsonTrees.parse(
                    "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"shop\","
                        + "\"name\":\"victim\",\"uid\":\"u-victim\"},\"spec\":{}}"));
    // A first pod has the node claim blocks and make what all pods share.
    NetNs first = scene.topology().createPod(new PodKey("shop", "first"));
    done(add(client, first, "eth0"), "the first pod");
    freesTheNameBeforeItsAnswer(client, netns);
    List<Integer> messages = new ArrayList<>();
    for (String driver : DRIVERS) {
      messages.add(count(client, netns, driver));
    }
    assertThat(messages).allMatch(count -> count > 1);
    scene.await(
        "the deleted pods' links are gone, which go in a group",
        PATIENCE,
        () -> scene.run(scene.node(1), "sh", "-c", "ip -o link show group " + DOOMED).isEmpty());
    String before = state(scene, client, netns, order);
    int mended = 0;
    for (int i = 0; i < FAILURES; i++) {
      int way = random.nextInt(10);
      Answer answer;
      String what;
      if (way < 8) {
        int driver = i % DRIVERS.size();
        what = DRIVERS.get(driver) + ":" + (i / DRIVERS.size()) % messages.get(driver);
        System.setProperty(FailPoint.REFUSE, what);
        answer = add(client, netns, "eth0");
        System.clearProperty(FailPoint.REFUSE);
        if (answer.exitCode() == 0) {
          mended++; // the agent tried again before the runtime had its answer, or sent fewer
          done(call(client, "DEL", "c" + sequence, netns, "eth0"), "DEL after " + what);
        }
      } else if (way == 8 && mode == Mode.POOLS) {
        what = "the API server answers 503";
        scene.api().faults().unavailable(1_000_000);
        answer = add(client, netns, "eth0");
        scene.api().faults().none();
        if (answer.exitCode() == 0) { // silent for so long that what is claimed is given unread
          done(call(client, "DEL", "c" + sequence, netns, "eth0"), "DEL after " + what);
        }
      } else if (random.nextBoolean()) {
        what = "the interface exists";
        answer = add(client, netns, "taken");
      } else {
        what = "the namespace is gone";
        answer = add(client, NetNs.at(Path.of("/run/netns/sundt-gone")), "eth0");
      }
      String case_ = "%s, %d, seed %d: %s".formatted(what, i, seed, answer.json());
      if (answer.exitCode() != 0) {
        assertThat(answer.json())
            .as(case_)
            .containsPattern("\"code\":[0-9]+,\"msg\":\".+\",\"details\":\".+\\.\"");
      } else {
        assertThat(way).as(case_).isLessThan(9);
      }
      long end = System.nanoTime() + PATIENCE.toNanos();
      String after = state(scene, client, netns, order);
      while (!after.equals(before) && System.nanoTime() < end) {
        Thread.sleep(50); // the link goes after the answer, as at a DEL
        after = state(scene, client, netns, order);
      }
      assertThat(after).as(case_).isEqualTo(before);
    }
    System.out.println(
        "%s: %s messages of %s; of %d failures %d were mended before the answer"
            .formatted(mode, messages, DRIVERS, FAILURES, mended));
    assertThat(mended).isLessThan(FAILURES * 3 / 4);
    Answer good = add(client, netns, "eth0");
    for (int i = 0; i < 100 && good.json().contains("\"code\":11,"); i++) {
      Thread.sleep(100); // a runtime tries again too, until the API server has confirmed a claim
      good = add(client, netns, "eth0");
    }
    assertThat(good.exitCode()).as(good.json()).isZero();
  }

  /** Somebody whose ADD failed calls ADD again at once, for another sandbox in the same place. */
  private void freesTheNameBeforeItsAnswer(LocalClient client, NetNs netns) throws Exception {
    for (int i = 0; i < AT_ONCE; i++) {
      System.setProperty(FailPoint.REFUSE, "routes:0");
      Answer refused = add(client, netns, "eth0");
      System.clearProperty(FailPoint.REFUSE);
      assertThat(refused.exitCode()).as(refused.json()).isEqualTo(1);
      done(add(client, netns, "eth0"), "ADD at once after a refused one, " + i);
      done(call(client, "DEL", "c" + sequence, netns, "eth0"), "its DEL");
    }
  }

  /** How many messages an ADD is for a driver: the first number that refuses nothing. */
  private int count(LocalClient client, NetNs netns, String driver) throws Exception {
    for (int n = 0; ; n++) {
      System.setProperty(FailPoint.REFUSE, driver + ":" + n);
      Answer answer = add(client, netns, "eth0");
      boolean all = System.clearProperty(FailPoint.REFUSE) != null;
      if (answer.exitCode() == 0) {
        done(call(client, "DEL", "c" + sequence, netns, "eth0"), "DEL of the ADD of " + n);
      }
      if (all) {
        done(answer, "ADD with nothing refused, after " + n + " of " + driver);
        return n;
      }
    }
  }

  private void done(Answer answer, String what) {
    assertThat(answer.exitCode()).as("%s, seed %d: %s", what, seed, answer.json()).isZero();
  }

  private Answer add(LocalClient client, NetNs netns, String ifname) throws Exception {
    return call(client, "ADD", "c" + ++sequence, netns, ifname);
  }

  private static Answer call(
      LocalClient client, String command, String container, NetNs netns, String ifname)
      throws Exception {
    return client.ask(
        LocalClient.cniRequest(
            command,
            container,
            netns.path().toString(),
            ifname,
            "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=victim;K8S_POD_UID=u-" + container,
            List.of()));
  }

  private static boolean isReady(LocalClient client) throws Exception {
    return client.ask(Map.of("command", "STATUS")).json().contains("\"ready\":true");
  }

  /** What an independent reader sees, what is on disk, and who has which address. */
  private static String state(
      AgentScene scene, LocalClient client, NetNs netns, AgentLauncher.Order order)
      throws Exception {
    Map<String, Object> shown =
        Json.object(
            client
                .ask(new LinkedHashMap<>(Map.of("command", "IPAM", "verb", "show")))
                .json()
                .getBytes(StandardCharsets.UTF_8));
    return shown.get("addresses")
        + scene.run(
            scene.node(1),
            "sh",
            "-c",
            "ip -o link show type veth; ip route show table all; ip -6 route show table all;"
                + " ip neigh show nud permanent; nft list ruleset; ls "
                + order.stateDirectory().resolve("attachments"))
        + scene.run(netns, "sh", "-c", "ip -o addr; ip route; ip -6 route");
  }

  private static Tree.Mapping tree(String kind, String name, String cidr, int blockSize)
      throws Exception {
    return (Tree.Mapping)
        JsonTrees.parse(
            ("{\"apiVersion\":\"crd.projectcalico.org/v1\",\"kind\":\"%s\",\"metadata\":"
                    + "{\"name\":\"%s\"},\"spec\":{\"cidr\":\"%s\",\"blockSize\":%d,"
                    + "\"vxlanMode\":\"CrossSubnet\",\"natOutgoing\":true}}")
                .formatted(kind, name, cidr, blockSize));
  }
}
