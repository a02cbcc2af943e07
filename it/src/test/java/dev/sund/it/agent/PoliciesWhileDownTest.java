package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.sund.agent.policy.PolicyConditions;
import dev.sund.cli.PolicyCommand;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.lab.api.Resource;
import dev.sund.lab.api.Subject;
import dev.sund.model.Family;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What becomes of policies that change while nobody is there to enforce them (N24). */
@Tag("netns")
@Timeout(120)
class PoliciesWhileDownTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** Of no pod here. */
  private static final String NAMES =
      """
      apiVersion: policy.networking.k8s.io/v1alpha2
      kind: ClusterNetworkPolicy
      metadata: {name: names}
      spec:
        tier: Admin
        priority: 7
        subject: {namespaces: {matchLabels: {team: none}}}
        egress:
        - {action: Accept, to: [{domainNames: [example.com]}]}
      """;

  @TempDir private Path directory;

  /**
   * On n1 a pod for each way in which policies change, asked from n2; the agent of n1 dies, all of
   * them change, and as soon as the next agent is ready each packet is judged by what is then.
   */
  @Test
  void theyHoldWhenTheAgentIsReadyAgainAndTheNodeIsStaleMeanwhile() throws Exception {
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.api().define(AgentScene.root().resolve("deploy/crds"));
      scene.api().delete(Resource.NODES, "n3");
      Path people = people(scene);
      put(scene, namespace("red"));
      put(scene, policy("deleted", "[]"));
      put(scene, policy("changed", "[{from: [{podSelector: {matchLabels: {app: nobody}}}]}]"));
      put(scene, policy("marked", "[]"));
      put(scene, policy("spaced", "[{from: [{namespaceSelector: {matchLabels: {team: red}}}]}]"));
      put(scene, NAMES);
      scene.startAgent(1);
      scene.startAgent(2);
      scene.awaitReady(1, LIMIT);
      scene.awaitReady(2, LIMIT);
      PodHandle asker = scene.addPod("asker", 2);
      Map<String, Boolean> before = new LinkedHashMap<>();
      before.put("added", true);
      before.put("relabelled", true);
      before.put("spaced", true);
      before.put("deleted", false);
      before.put("changed", false);
      for (String name : before.keySet()) {
        scene.addPod(name, 1);
      }
      expect(scene, asker, before, true);
      assertThat(policies(people, "wait")).startsWith("enforced on all nodes");
      assertThat(policies(people, "status")).containsPattern("n1 +enforced");
      scene.await(
          "the policy's own status tells what is refused, by name (N28, N30)",
          LIMIT,
          () ->
              condition(scene)
                  .startsWith(
                      "False NotAsWritten: In force on all 2 nodes."
                          + " spec.egress[0].to[0].domainNames: Sund does not follow names"));

      scene.kill(1);
      scene.api().delete(Resource.NETWORK_POLICIES, "shop/deleted");
      put(scene, policy("changed", "[{from: [{podSelector: {matchLabels: {app: asker}}}]}]"));
      put(scene, policy("added", "[]"));
      put(scene, namespace("blue"));
      relabel(scene, "relabelled", "marked");
      scene.await(
          "n2 enforces what n1 does not", LIMIT, () -> stale(people, "n1") && !stale(people, "n2"));
      assertThat(policies(people, "wait", "shop/added", "--timeout", "0"))
          .isEqualTo("not enforced after 0 s on n1\n");
      assertThat(scene.reaches(asker, scene.pod("added"), Family.V4))
          .as("what stands in the kernel goes on")
          .isTrue();

      scene.startAgent(1);
      scene.awaitReady(1, LIMIT);
      Map<String, Boolean> after = new LinkedHashMap<>();
      before.forEach((name, open) -> after.put(name, !open));
      expect(scene, asker, after, false);
      assertThat(policies(people, "wait")).startsWith("enforced on all nodes");
    }
  }

  /** With {@code -Dsund.long=true}: a Lease lasts half a minute. */
  @Test
  @Timeout(240)
  void whenTheWriterOfStatusesIsKilledAnotherTakesOver() throws Exception {
    assumeTrue(Boolean.getBoolean("sund.long"), "takes a minute and a half: -Dsund.long=true");
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.api().define(AgentScene.root().resolve("deploy/crds"));
      scene.api().delete(Resource.NODES, "n3");
      put(scene, NAMES);
      scene.startAgent(1);
      scene.startAgent(2);
      scene.await("a status is written", LIMIT, () -> condition(scene).contains("all 2 nodes"));
      String killed = writer(scene);
      scene.kill(Integer.parseInt(killed.substring(1)));
      scene.await(
          "the other has the Lease", Duration.ofSeconds(100), () -> !writer(scene).equals(killed));
      scene.await(
          "and tells that this node is gone",
          Duration.ofSeconds(100),
          () -> condition(scene).contains("Not heard of for a minute: " + killed + "."));
    }
  }

  private static String writer(AgentScene scene) {
    return scene
        .api()
        .get(Resource.LEASES, "kube-system/" + PolicyConditions.LEASE)
        .flatMap(lease -> lease.mapping("spec"))
        .flatMap(spec -> spec.text("holderIdentity"))
        .orElse("");
  }

  /** What the status of the cluster's own policy says; empty before it says anything. */
  private static String condition(AgentScene scene) {
    Tree.Mapping policy = scene.api().get(Resource.CLUSTER_NETWORK_POLICIES, "names").orElseThrow();
    Tree conditions =
        policy.mapping("status").flatMap(status -> status.get("conditions")).orElse(policy);
    return conditions instanceof Tree.Sequence list
            && list.items().getFirst() instanceof Tree.Mapping one
        ? "%s %s: %s"
            .formatted(
                one.text("status").orElse(""),
                one.text("reason").orElse(""),
                one.text("message").orElse(""))
        : "";
  }

  /** Asks all at once: a packet that is dropped is waited for. */
  private static void expect(
      AgentScene scene, PodHandle asker, Map<String, Boolean> open, boolean patiently)
      throws Exception {
    try (ExecutorService asking = Executors.newFixedThreadPool(open.size())) {
      Map<String, Future<Boolean>> asked = new LinkedHashMap<>();
      open.forEach((name, is) -> {
        Family family = name.length() % 2 == 0 ? Family.V4 : Family.V6;
        PodHandle pod = scene.pod(name);
        asked.put(
            name,
            asking.submit(() -> {
              if (patiently) {
                scene.await(name, LIMIT, () -> scene.reaches(asker, pod, family) == is);
              }
              return patiently ? is : scene.reaches(asker, pod, family);
            }));
      });
      for (Map.Entry<String, Boolean> one : open.entrySet()) {
        assertThat(asked.get(one.getKey()).get()).as(one.getKey()).isEqualTo(one.getValue());
      }
    }
  }

  private static boolean stale(Path people, String node) {
    return policies(people, "status").lines().anyMatch(line -> line.matches(node + " +stale.*"));
  }

  /** What {@code sund policy} prints. */
  private static String policies(Path kubeconfig, String... words) {
    StringWriter out = new StringWriter();
    CommandLine line =
        new CommandLine(new PolicyCommand())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setOut(new PrintWriter(out, true));
    String[] all = new String[words.length + 2];
    System.arraycopy(words, 0, all, 0, words.length);
    all[words.length] = "--kubeconfig";
    all[words.length + 1] = kubeconfig.toString();
    line.execute(all);
    return out.toString();
  }

  /** A kubeconfig by which this process reaches the API server. */
  private Path people(AgentScene scene) throws Exception {
    ServerSocket listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    scene.api().token("people", Subject.ADMIN);
    scene.api().serve(listener);
    return Files.writeString(
        directory.resolve("people"),
        Kubeconfig.text("http://127.0.0.1:" + listener.getLocalPort(), "people"));
  }

  private static String policy(String app, String ingress) {
    return """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata: {name: %1$s, namespace: shop}
    spec:
      podSelector: {matchLabels: {app: %1$s}}
      policyTypes: [Ingress]
      ingress: %2$s
    """
        .formatted(app, ingress);
  }

  private static String namespace(String team) {
    return """
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop, team: %s}}
    """
        .formatted(team);
  }

  private static void relabel(AgentScene scene, String pod, String app) throws Exception {
    Tree.Mapping object = scene.api().get(Resource.PODS, "shop/" + pod).orElseThrow();
    Map<String, Tree> metadata =
        new LinkedHashMap<>(object.mapping("metadata").orElseThrow().fields());
    metadata.put("labels", Tree.Mapping.of(Map.of("app", Tree.Scalar.text(app))));
    Map<String, Tree> fields = new LinkedHashMap<>(object.fields());
    fields.put("metadata", Tree.Mapping.of(metadata));
    scene.api().put(Tree.Mapping.of(fields));
  }

  private static void put(AgentScene scene, String yaml) throws Exception {
    for (Tree tree : YamlTrees.documents(yaml)) {
      scene.api().put((Tree.Mapping) tree);
    }
  }
}
