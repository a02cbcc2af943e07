package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.enforced.NodePolicies;
import dev.sund.kube.enforced.NodePolicies.Generation;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.Resource;
import dev.sund.lab.api.Subject;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund policy} beside an API server on which nodes have said this and that. */
class PolicyCommandTest {
  private static final String NAMESPACED =
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: closed, namespace: shop}
      spec:
        podSelector: {}
        policyTypes: [Ingress]
      """;
  private static final String OF_CLUSTER =
      """
      apiVersion: policy.networking.k8s.io/v1alpha2
      kind: ClusterNetworkPolicy
      metadata: {name: outwards}
      spec:
        tier: Admin
        priority: 7
        subject: {namespaces: {}}
        egress:
        - {action: Accept, to: [{domainNames: [example.com]}]}
      """;

  @TempDir private Path folder;
  private final LabApi api = new LabApi(InstantSource.system());
  private Path kubeconfig = Path.of("none");
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeEach
  void serve() throws Exception {
    ServerSocket listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    api.token("people", Subject.ADMIN);
    api.serve(listener);
    api.define(Path.of(System.getProperty("sund.root"), "deploy", "crds"));
    kubeconfig =
        Files.writeString(
            folder.resolve("kubeconfig"),
            Kubeconfig.text("http://127.0.0.1:" + listener.getLocalPort(), "people"));
    for (String node : List.of("n1", "n2")) {
      put("{apiVersion: v1, kind: Node, metadata: {name: " + node + "}}");
    }
  }

  @AfterEach
  void close() {
    api.close();
  }

  private Tree.Mapping put(String yaml) throws Exception {
    return api.put((Tree.Mapping) YamlTrees.documents(yaml).getFirst());
  }

  /** A node enforces everything that there is now. */
  private void follows(String node) {
    Map<String, Generation> generations =
        api.get(Resource.CLUSTER_NETWORK_POLICIES, "outwards")
            .map(policy -> Map.of("outwards", generation(policy)))
            .orElse(Map.of());
    long version = api.resourceVersion();
    api.put(
        new NodePolicies(
                node,
                Optional.of(Instant.now()),
                Map.of("NetworkPolicy", version, "ClusterNetworkPolicy", version),
                generations,
                List.of())
            .tree());
  }

  private static Generation generation(Tree.Mapping policy) {
    Tree.Mapping metadata = policy.mapping("metadata").orElseThrow();
    return new Generation(
        metadata.text("uid").orElseThrow(),
        Long.parseLong(metadata.text("generation").orElseThrow()));
  }

  private int policy(String... words) {
    out.getBuffer().setLength(0);
    List<String> all = new ArrayList<>(List.of("policy"));
    all.addAll(List.of(words));
    all.addAll(List.of("--kubeconfig", kubeconfig.toString()));
    return Sund.commandLine(Map.of())
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all.toArray(String[]::new));
  }

  private Map<String, Object> json() throws Json.MalformedException {
    return Json.object(out.toString().getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void statusTellsWhoEnforcesAllAndWhoDoesNot() throws Exception {
    put(NAMESPACED);
    follows("n1");
    follows("n2");
    assertThat(policy("status")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).containsPattern("n1 +enforced +0").containsPattern("n2 +enforced");
    put(NAMESPACED.replace("Ingress", "Egress"));
    follows("n2");
    assertThat(policy("status")).isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString()).containsPattern("n1 +stale").containsPattern("n2 +enforced");
  }

  @Test
  void statusForProgramsHasALineForEachNode() throws Exception {
    put(NAMESPACED);
    follows("n1");
    assertThat(policy("status", "-o", "json")).isEqualTo(ExitCode.DIFFERS);
    assertThat(json().get("nodes"))
        .asInstanceOf(InstanceOfAssertFactories.list(Map.class))
        .satisfiesExactly(
            one -> assertThat(one).containsEntry("node", "n1").containsEntry("stale", false),
            two ->
                assertThat(two)
                    .containsEntry("node", "n2")
                    .containsEntry("stale", true)
                    .containsEntry("seen", ""));
  }

  @Test
  void waitReturnsWhenTheLastNodeFollows() throws Exception {
    put(NAMESPACED);
    follows("n1");
    try (ExecutorService waiting = Executors.newSingleThreadExecutor()) {
      Future<Integer> code = waiting.submit(() -> policy("wait", "shop/closed", "--timeout", "60"));
      follows("n2");
      assertThat(code.get()).isEqualTo(ExitCode.OK);
    }
    assertThat(out.toString()).isEqualTo("enforced on all nodes\n");
  }

  @Test
  void waitGivesUpInTimeAndNamesTheNodes() throws Exception {
    put(NAMESPACED);
    follows("n1");
    assertThat(policy("wait", "--timeout", "0")).isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString()).isEqualTo("not enforced after 0 s on n2\n");
    assertThat(policy("wait", "--timeout", "0", "-o", "json")).isEqualTo(ExitCode.DIFFERS);
    assertThat(json()).isEqualTo(Map.of("enforced", false, "stale", List.of("n2")));
  }

  @Test
  void waitingForAPolicyThatIsNotThereIsAnErrorAtOnce() {
    assertThat(policy("wait", "closed", "-n", "shop")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("There is no policy shop/closed.");
  }

  /** Whoever writes a status gives the policy a version that no node has reason to follow. */
  @Test
  void aStatusThatIsWrittenMakesNoNodeStale() throws Exception {
    put(OF_CLUSTER);
    follows("n1");
    follows("n2");
    api.update(
        Resource.CLUSTER_NETWORK_POLICIES,
        "outwards",
        policy ->
            policy.with(
                "status", Tree.Mapping.of(Map.of("conditions", Tree.Sequence.of(List.of())))));
    assertThat(policy("wait", "outwards", "--timeout", "0")).isEqualTo(ExitCode.OK);
    put(OF_CLUSTER.replace("7", "8"));
    assertThat(policy("wait", "outwards", "--timeout", "0")).isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString()).contains("on n1, n2");
  }

  @Test
  void aNodeOfAnOlderSundIsAskedByVersion() throws Exception {
    put(OF_CLUSTER);
    follows("n1");
    long version = api.resourceVersion();
    api.put(
        new NodePolicies(
                "n2",
                Optional.of(Instant.now()),
                Map.of("ClusterNetworkPolicy", version),
                Map.of(),
                List.of())
            .tree());
    assertThat(policy("wait", "outwards", "--timeout", "0")).isEqualTo(ExitCode.OK);
  }

  /** N28, N30: it is in force on all nodes, and yet not as it is written. */
  @Test
  void whatIsNotUnderstoodIsToldBesideThePolicy() throws Exception {
    put(OF_CLUSTER);
    follows("n1");
    follows("n2");
    assertThat(policy("show", "outwards")).isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString())
        .contains("enforced on all")
        .contains("spec.egress[0].to[0].domainNames")
        .contains("example.com is nobody to it")
        .contains("[policy-not-enforced]");
    assertThat(policy("status")).isEqualTo(ExitCode.DIFFERS);
    assertThat(policy("list", "-o", "json")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("\"generation\":1").contains("\"stale\":[]");
  }
}
