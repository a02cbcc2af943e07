package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Answer;
import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalClient;
import dev.sund.engine.ipam.AddressSettings.Mode;
import dev.sund.engine.ipam.Allocator;
import dev.sund.engine.ipam.Block;
import dev.sund.kernel.NetNs;
import dev.sund.kube.claims.AddressBlocks;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.model.PodKey;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Real agents give pods their addresses: from the node's range, and from pools. */
@Tag("netns")
@Timeout(120)
class AddressesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int PARALLEL = Boolean.getBoolean("sund.long") ? 100 : 20;

  private static final Tree.Mapping TINY =
      mapping(
          "{\"apiVersion\":\"crd.projectcalico.org/v1\",\"kind\":\"IPPool\","
              + "\"metadata\":{\"name\":\"tiny\"},"
              + "\"spec\":{\"cidr\":\"10.99.0.0/28\",\"blockSize\":30}}");

  @TempDir Path directory;
  private int sequence;

  @Test
  void addressesOfTheNodesRangeOutliveAKillAndAreTakenBack() throws Exception {
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.startAgent(1);
      scene.awaitReady(1, PATIENCE);
      Map<PodKey, List<String>> pods = parallel(scene, 1, PARALLEL); // C10
      Set<String> all = new HashSet<>();
      pods.values().forEach(all::addAll);
      assertThat(all).hasSize(2 * PARALLEL);
      assertThat(all).allMatch(ip -> ip.startsWith("10.244.1.") || ip.startsWith("fd00:10:244:1:"));

      scene.kill(1);
      scene.startAgent(1);
      scene.awaitReady(1, PATIENCE);
      PodKey first = pods.keySet().iterator().next();
      assertThat(shown(scene, 1)).hasSize(2 * PARALLEL).contains(first.toString());
      PodKey late = pod(scene);
      assertThat(addresses(call(scene, 1, "ADD", late, config())))
          .hasSize(2)
          .doesNotContainAnyElementsOf(all);

      // A released address cools down, also over a restart, where this machine is quick enough.
      long released = System.nanoTime();
      assertThat(call(scene, 1, "DEL", first, config()).exitCode()).isZero();
      scene.kill(1);
      scene.startAgent(1);
      scene.awaitReady(1, PATIENCE);
      PodKey next = pod(scene);
      List<String> given = addresses(call(scene, 1, "ADD", next, config()));
      if (System.nanoTime() - released < Allocator.COOL_DOWN.toNanos()) {
        assertThat(given).doesNotContainAnyElementsOf(pods.get(first));
      }

      // GC keeps the living (C5), and what is shown is what is left.
      Map<String, Object> gc = config();
      gc.put("cniVersion", "1.1.0");
      gc.put(
          "cni.dev/valid-attachments",
          List.of(Map.of("containerID", "c-" + next.name(), "ifname", "eth0")));
      assertThat(call(scene, 1, "GC", next, gc).exitCode()).isZero();
      assertThat(shown(scene, 1)).containsExactly("shop/" + next.name(), "shop/" + next.name());

      // A pod whose namespace is gone is found by what the kernel has not.
      scene.topology().removePod(next);
      scene.await("the kernel lets go", PATIENCE, () -> !problems(scene, 1).isEmpty());
      assertThat(problems(scene, 1).getFirst()).contains(next + " is no more");
      String address =
          Json.text(Json.children(ipam(scene, 1, "show"), "addresses").getFirst(), "address");
      Map<String, Object> release =
          Map.of("command", "IPAM", "verb", "release", "address", address);
      assertThat(scene.client(1).ask(release).json()).contains(address, "c-" + next.name());
      assertThat(shown(scene, 1)).isEmpty();
    }
  }

  @Test
  void nodesClaimBlocksOfAPoolAndAFullOneSaysSo() throws Exception {
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.api().define(AgentScene.root().resolve("deploy/crds"));
      scene.api().put(TINY);
      scene.addressesFrom(Mode.POOLS);
      for (int node = 1; node <= 2; node++) {
        scene.startAgent(node);
      }
      scene.awaitReady(1, PATIENCE);
      scene.awaitReady(2, PATIENCE);
      Set<String> all = new HashSet<>();
      int given = 0;
      String refusal = "";
      for (int i = 0; i < 17; i++) {
        Answer answer = call(scene, 1 + i % 2, "ADD", pod(scene), config());
        if (answer.exitCode() == 0) {
          all.addAll(addresses(answer));
          given++;
        } else {
          refusal = answer.json();
        }
      }
      assertThat(given).isEqualTo(16);
      assertThat(all).hasSize(16).allMatch(ip -> ip.startsWith("10.99.0."));
      assertThat(refusal)
          .contains(
              "IPPool tiny spec.cidr: All 16 addresses of 10.99.0.0/28 are claimed, by 2 nodes")
          .contains("sund ipam show");
      for (Tree.Mapping object :
          scene
              .api()
              .list(scene.api().resource("sund.dev/v1alpha1", "AddressBlock").orElseThrow())) {
        Block block = AddressBlocks.read(object);
        assertThat(block.unclaimed().isEmpty()).isTrue();
      }
      Map<String, Object> status = config();
      status.put("cniVersion", "1.1.0");
      assertThat(call(scene, 1, "STATUS", pod(scene), status).json()) // C6
          .contains("\"code\":50", "pool-full");
    }
  }

  @Test
  void whatCalicosAnnotationsAndReservationsAskForIsDone() throws Exception {
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.api().define(AgentScene.root().resolve("deploy/crds"));
      scene.api().put(TINY);
      scene.api().put(pool("extra", "10.98.0.0/28", ",\"assignmentMode\":\"Manual\""));
      scene
          .api()
          .put(
              mapping(
                  "{\"apiVersion\":\"crd.projectcalico.org/v1\",\"kind\":\"IPReservation\","
                      + "\"metadata\":{\"name\":\"r\"},"
                      + "\"spec\":{\"reservedCIDRs\":[\"10.99.0.0/29\",\"10.99.0.8\"]}}"));
      scene
          .api()
          .put(
              mapping(
                  "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"shop\","
                      + "\"annotations\":{\"cni.projectcalico.org/ipv4pools\":"
                      + "\"[\\\"tiny\\\"]\"}}}"));
      scene.addressesFrom(Mode.POOLS);
      scene.startAgent(1);
      scene.awaitReady(1, PATIENCE);

      // Unasked: what is neither reserved nor of a pool that must be asked for.
      for (int i = 0; i < 7; i++) {
        assertThat(addresses(call(scene, 1, "ADD", pod(scene), config())))
            .hasSize(1)
            .allMatch(ip -> Integer.parseInt(ip.substring("10.99.0.".length())) > 8);
      }
      assertThat(call(scene, 1, "ADD", pod(scene), config()).json()).contains("IPPool tiny");
      // Asked for by name: the pod's annotation goes before its namespace's.
      assertThat(addresses(call(scene, 1, "ADD", pod(scene, "ipv4pools", "extra"), config())))
          .allMatch(ip -> ip.startsWith("10.98.0."));
      PodKey certain = pod(scene, "ipAddrs", "10.99.0.3");
      assertThat(addresses(call(scene, 1, "ADD", certain, config()))).containsExactly("10.99.0.3");
      assertThat(call(scene, 1, "ADD", pod(scene, "ipAddrs", "10.99.0.3"), config()).json())
          .contains("pod " + certain + " of this node has it");
      assertThat(call(scene, 1, "ADD", pod(scene, "ipAddrs", "10.97.0.3"), config()).json())
          .contains("10.97.0.3 is asked for, but the pools that this pod may use are");
      assertThat(
              addresses(call(scene, 1, "ADD", pod(scene, "ipAddrsNoIpam", "172.20.0.9"), config())))
          .containsExactly("172.20.0.9");
      PodKey floating = pod(scene, "floatingIPs", "1.2.3.4");
      assertThat(call(scene, 1, "ADD", floating, config()).json())
          .contains(
              "\"code\":7",
              "Pod " + floating + " metadata.annotations[cni.projectcalico.org/floatingIPs]",
              "[not-supported]");
    }
  }

  private static Tree.Mapping pool(String name, String cidr, String more) {
    return mapping(
        ("{\"apiVersion\":\"crd.projectcalico.org/v1\",\"kind\":\"IPPool\","
                + "\"metadata\":{\"name\":\"%s\"},\"spec\":{\"cidr\":\"%s\",\"blockSize\":30%s}}")
            .formatted(name, cidr, more));
  }

  private static Tree.Mapping mapping(String json) {
    try {
      return (Tree.Mapping) JsonTrees.parse(json);
    } catch (MalformedException e) {
      throw new AssertionError(e);
    }
  }

  private Map<PodKey, List<String>> parallel(AgentScene scene, int node, int count)
      throws Exception {
    Map<PodKey, List<String>> found = new LinkedHashMap<>();
    List<PodKey> pods = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      pods.add(pod(scene));
    }
    try (var threads = Executors.newFixedThreadPool(count)) {
      List<Future<Answer>> answers = new ArrayList<>();
      for (PodKey pod : pods) {
        answers.add(threads.submit(() -> call(scene, node, "ADD", pod, config())));
      }
      for (int i = 0; i < count; i++) {
        found.put(pods.get(i), addresses(answers.get(i).get()));
      }
    }
    return found;
  }

  private PodKey pod(AgentScene scene) throws Exception {
    return annotated(scene, "{}");
  }

  /** A pod with an annotation of Calico's whose value is a list of one text. */
  private PodKey pod(AgentScene scene, String key, String value) throws Exception {
    return annotated(
        scene, "{\"cni.projectcalico.org/%s\":\"[\\\"%s\\\"]\"}".formatted(key, value));
  }

  private PodKey annotated(AgentScene scene, String annotations) throws Exception {
    PodKey key = new PodKey("shop", "p" + ++sequence);
    NetNs made = scene.topology().createPod(key);
    scene
        .api()
        .put(
            mapping(
                "{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"shop\","
                    + "\"name\":\"%1$s\",\"uid\":\"u-%1$s\",\"annotations\":%2$s},\"spec\":{}}"
                        .formatted(key.name(), annotations)));
    namespaces.put(key, made.path().toString());
    return key;
  }

  private final Map<PodKey, String> namespaces = new LinkedHashMap<>();

  private static Map<String, Object> config() {
    Map<String, Object> config = new LinkedHashMap<>();
    config.put("cniVersion", "1.0.0");
    config.put("name", "pods");
    config.put("type", "sund");
    return config;
  }

  private Answer call(
      AgentScene scene, int node, String command, PodKey pod, Map<String, Object> config)
      throws Exception {
    Map<String, Object> request =
        LocalClient.cniRequest(
            command,
            "c-" + pod.name(),
            namespaces.getOrDefault(pod, ""),
            "eth0",
            "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=" + pod.name() + ";K8S_POD_UID=u-" + pod.name(),
            List.of());
    request.put("config", config);
    return scene.client(node).ask(request);
  }

  private static List<String> addresses(Answer answer) throws Exception {
    assertThat(answer.exitCode()).as(answer.json()).isZero();
    Map<String, Object> result = Json.object(answer.json().getBytes(StandardCharsets.UTF_8));
    List<String> found = new ArrayList<>();
    for (Map<String, Object> ip : Json.children(result, "ips")) {
      String text = Json.text(ip, "address");
      found.add(text.substring(0, text.indexOf('/')));
    }
    return found;
  }

  private static Map<String, Object> ipam(AgentScene scene, int node, String verb)
      throws Exception {
    Answer answer = scene.client(node).ask(Map.of("command", "IPAM", "verb", verb));
    assertThat(answer.exitCode()).as(answer.json()).isZero();
    return Json.object(answer.json().getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> shown(AgentScene scene, int node) throws Exception {
    return Json.children(ipam(scene, node, "show"), "addresses").stream()
        .map(each -> Json.text(each, "pod"))
        .toList();
  }

  private static List<String> problems(AgentScene scene, int node) throws Exception {
    return Json.children(ipam(scene, node, "check"), "problems").stream()
        .map(each -> Json.text(each, "text"))
        .toList();
  }
}
