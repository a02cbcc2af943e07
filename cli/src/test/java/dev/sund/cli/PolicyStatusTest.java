package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.agent.policy.PolicyConditions;
import dev.sund.agent.policy.PolicyReport;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.enforced.NodePolicies;
import dev.sund.kube.enforced.NodePolicies.Generation;
import dev.sund.kube.enforced.PolicyStatement;
import dev.sund.kube.lease.ClusterLease;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.Rbac;
import dev.sund.lab.api.Resource;
import dev.sund.lab.api.Subject;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * From what nodes publish to what people read: the parts of three agents that speak to the API, the
 * API with the shipped rights and definitions, and the command, all by one clock that the test
 * moves. An agent that is killed is one that nobody calls any more.
 */
class PolicyStatusTest {
  private static final long SEED = Long.getLong("sund.seed", System.nanoTime());
  private static final String POLICY =
      """
      apiVersion: policy.networking.k8s.io/v1alpha2
      kind: ClusterNetworkPolicy
      metadata: {name: outwards}
      spec:
        tier: Admin
        priority: 7
        subject: {namespaces: {}}
        egress:
        - {action: Deny, to: [{networks: [192.0.2.0/24]}]}
      """;

  @TempDir private Path folder;
  private final List<String> logged = new ArrayList<>();
  private long seconds;
  private final InstantSource clock = () -> Instant.ofEpochSecond(1_800_000_000 + seconds);
  private final LabApi api = new LabApi(clock);
  private final Map<String, Node> nodes = new TreeMap<>();
  private final Random random = new Random(SEED);
  private int port;

  /** What an agent publishes and writes; its kernel has what the API had when it last followed. */
  private final class Node implements PolicyConditions.Cluster {
    final String name;
    final ApiObjects objects =
        new ApiObjects(
            ApiServer.plain("127.0.0.1", port, "agent"), Dialer.HERE, Duration.ofSeconds(30));
    final PolicyReport report;
    final PolicyConditions conditions;
    Map<String, Generation> policies = Map.of();
    Map<String, Long> versions = Map.of();
    boolean follows = true;

    Node(String name) {
      this.name = name;
      LogSink sink =
          new LogSink(line -> logged.add(name + " " + line), clock, this::nanos, "", LogLevel.INFO);
      conditions =
          new PolicyConditions(
              this,
              new PolicyConditions.Means(
                  new NodeName(name),
                  objects,
                  ClusterLease.Rules.DEFAULT,
                  clock,
                  this::nanos,
                  new Random(random.nextLong()),
                  _ -> {},
                  sink.log("policy")));
      report =
          new PolicyReport(
              new NodeName(name),
              objects,
              () -> new PolicyReport.State(versions, policies, List.of()),
              clock,
              conditions::look,
              sink.log("policy"));
    }

    private long nanos() {
      return Duration.ofSeconds(seconds).toNanos();
    }

    void second() {
      if (follows) {
        Map<String, Generation> now = new TreeMap<>();
        for (Tree.Mapping policy : api.list(Resource.CLUSTER_NETWORK_POLICIES)) {
          Tree.Mapping metadata = policy.mapping("metadata").orElseThrow();
          now.put(
              metadata.text("name").orElseThrow(),
              new Generation(
                  metadata.text("uid").orElseThrow(),
                  Long.parseLong(metadata.text("generation").orElseThrow())));
        }
        policies = now;
        versions =
            now.isEmpty() && versions.isEmpty()
                ? Map.of()
                : Map.of("ClusterNetworkPolicy", api.resourceVersion());
      }
      report.look();
      conditions.look();
    }

    @Override
    public Map<String, Generation> policies() {
      return policies;
    }

    @Override
    public Collection<String> nodes() {
      return List.of("n1", "n2", "n3");
    }
  }

  @BeforeEach
  void serve() throws Exception {
    Path deploy = Path.of(System.getProperty("sund.root"), "deploy");
    api.define(deploy.resolve("crds"));
    api.apply(deploy.resolve("lease.yaml"));
    api.allow(Rbac.read(deploy.resolve("rbac.yaml")));
    api.token("agent", Subject.serviceAccount("kube-system", "sund-agent"));
    api.token("people", Subject.ADMIN);
    ServerSocket listener = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
    port = listener.getLocalPort();
    api.serve(listener);
    Files.writeString(
        folder.resolve("kubeconfig"), Kubeconfig.text("http://127.0.0.1:" + port, "people"));
    for (String name : List.of("n1", "n2", "n3")) {
      put("{apiVersion: v1, kind: Node, metadata: {name: " + name + "}}");
      nodes.put(name, new Node(name));
    }
  }

  @AfterEach
  void close() throws InterruptedException {
    for (Node node : nodes.values()) {
      node.report.close();
    }
    api.close();
  }

  /** As people apply it: what is reported of it stays. */
  private void put(String yaml) throws IOException {
    Tree.Mapping object = (Tree.Mapping) YamlTrees.documents(yaml).getFirst();
    Optional<Tree> status =
        api.get(Resource.CLUSTER_NETWORK_POLICIES, "outwards").flatMap(one -> one.get("status"));
    api.put(
        status.isPresent() && object.text("kind").equals(Optional.of("ClusterNetworkPolicy"))
            ? object.with("status", status.get())
            : object);
  }

  private void pass(int more) {
    for (int i = 0; i < more; i++) {
      nodes.values().forEach(Node::second);
      seconds++;
    }
  }

  private Tree.Mapping policy() {
    return api.get(Resource.CLUSTER_NETWORK_POLICIES, "outwards").orElseThrow();
  }

  /** Its status of a type, reason, generation and message; empty when there is none. */
  private String condition(String type) {
    if (policy().mapping("status").flatMap(status -> status.get("conditions")).orElse(policy())
        instanceof Tree.Sequence list) {
      for (Tree item : list.items()) {
        if (item instanceof Tree.Mapping one && one.text("type").equals(Optional.of(type))) {
          return String.join(
              " ",
              one.text("status").orElse(""),
              one.text("reason").orElse(""),
              one.text("observedGeneration").orElse(""),
              one.text("message").orElse(""));
        }
      }
    }
    return "";
  }

  private String condition() {
    return condition(PolicyStatement.TYPE);
  }

  private String holder() {
    return api.get(Resource.LEASES, "kube-system/" + PolicyConditions.LEASE)
        .flatMap(lease -> lease.mapping("spec"))
        .flatMap(spec -> spec.text("holderIdentity"))
        .orElse("");
  }

  private long writes() {
    return api.requestsOf("patch", Resource.CLUSTER_NETWORK_POLICIES);
  }

  private long reports() {
    return api.requestsOf(
        "patch", api.resource(NodePolicies.API_VERSION, NodePolicies.KIND).orElseThrow());
  }

  /** What the command prints, and its exit code before it. */
  private String command(String... words) {
    StringWriter out = new StringWriter();
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("--kubeconfig", folder.resolve("kubeconfig").toString()));
    int code =
        new CommandLine(new PolicyCommand(clock))
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setOut(new PrintWriter(out, true))
            .execute(all.toArray(String[]::new));
    return code + " " + out;
  }

  @Test
  void aPolicyThatHoldsEverywhereIsWrittenOnceAndNothingFollowsFromIt() throws Exception {
    put(POLICY);
    pass(12);
    assertThat(condition()).isEqualTo("True InForce 1 In force on all 3 nodes.");
    assertThat(writes()).isEqualTo(1);
    long before = reports();
    pass(60);
    assertThat(writes()).as("nothing is new").isEqualTo(1);
    assertThat(reports() - before).as("renewals of three nodes, each 20 s").isEqualTo(9);
    assertThat(command("wait", "outwards", "--timeout", "0")).startsWith("0 enforced");
    assertThat(api.requestsOf("update", Resource.LEASES)).as("only one renews").isLessThan(12);
    put(POLICY.replace("7", "8"));
    pass(12);
    assertThat(condition()).isEqualTo("True InForce 2 In force on all 3 nodes.");
    assertThat(writes()).as("one for each change").isEqualTo(2);
  }

  @Test
  void aNodeThatLagsIsNamedAfterAWhile() throws Exception {
    put(POLICY);
    pass(12);
    nodes.get("n2").follows = false;
    put(POLICY.replace("7", "8"));
    pass(4);
    assertThat(condition()).as("it may well come").startsWith("True InForce 1");
    pass(12);
    assertThat(condition()).isEqualTo("False NodesBehind 2 In force on 2 of 3 nodes. Behind: n2.");
    assertThat(command("wait", "outwards", "--timeout", "0"))
        .isEqualTo("1 not enforced after 0 s on n2\n");
    nodes.get("n2").follows = true;
    pass(21);
    assertThat(condition()).isEqualTo("True InForce 2 In force on all 3 nodes.");
    assertThat(writes()).isEqualTo(3);
  }

  @Test
  void aNodeThatIsNotHeardOfForAMinuteIsNamedInTheStatusAndByTheCommand() throws Exception {
    put(POLICY);
    pass(12);
    String silent = holder().equals("n3") ? "n2" : "n3";
    Node cut = nodes.remove(silent);
    pass(35);
    assertThat(condition()).startsWith("True");
    assertThat(command("status")).startsWith("0 ").doesNotContain("stale");
    pass(50);
    assertThat(condition())
        .isEqualTo(
            "False NodesBehind 1 In force on 2 of 3 nodes. Not heard of for a minute: "
                + silent
                + ".");
    assertThat(command("status"))
        .startsWith("1 ")
        .containsPattern(silent + " +stale")
        .containsPattern("! " + silent + " has not been heard of for \\d+ s");
    assertThat(command("wait", "--timeout", "0")).startsWith("1 not enforced after 0 s on");
    nodes.put(silent, cut);
    pass(1);
    assertThat(command("status")).startsWith("0 ");
    pass(21);
    assertThat(condition()).startsWith("True InForce");
  }

  /** N28, N30: refused by name, in the policy's own status. */
  @Test
  void whatIsNotUnderstoodIsToldByNameInTheStatus() throws Exception {
    put(
        POLICY.replace(
            "Deny, to: [{networks: [192.0.2.0/24]}]", "Accept, to: [{domainNames: [a.example]}]"));
    pass(12);
    assertThat(condition())
        .startsWith(
            "False NotAsWritten 1 In force on all 3 nodes. spec.egress[0].to[0].domainNames")
        .contains("a.example is nobody to it")
        .contains("[policy-not-enforced]");
    put(POLICY.replace("networks", "nets"));
    pass(12);
    assertThat(condition())
        .startsWith("False NotAsWritten 2 In force on all 3 nodes.")
        .contains("nets");
    put(POLICY);
    pass(12);
    assertThat(condition()).isEqualTo("True InForce 3 In force on all 3 nodes.");
  }

  @Test
  void nodesHaveTimeToFollowAPolicyThatIsNotUnderstoodToo() throws Exception {
    nodes.get("n2").follows = false;
    put(POLICY.replace("networks", "nets"));
    pass(4);
    assertThat(condition()).isEmpty();
    nodes.get("n2").follows = true;
    pass(12);
    assertThat(condition()).startsWith("False NotAsWritten 1 In force on all 3 nodes.");
    assertThat(writes()).isEqualTo(1);
  }

  @Test
  void conditionsOfOthersStayAlsoWhenTheyAreWrittenMeanwhile() throws Exception {
    put(POLICY);
    other("True");
    pass(12);
    assertThat(condition("example.org/Seen")).startsWith("True");
    assertThat(condition()).startsWith("True InForce");
    other("False");
    put(POLICY.replace("7", "8"));
    other("False");
    pass(12);
    assertThat(condition("example.org/Seen")).startsWith("False");
    assertThat(condition()).startsWith("True InForce 2");
  }

  /** Another implementation writes its condition. */
  private void other(String status) {
    api.update(
        Resource.CLUSTER_NETWORK_POLICIES,
        "outwards",
        policy -> {
          List<Tree> conditions = new ArrayList<>();
          if (policy.mapping("status").flatMap(one -> one.get("conditions")).orElse(policy)
              instanceof Tree.Sequence list) {
            for (Tree one : list.items()) {
              if (!((Tree.Mapping) one).text("type").equals(Optional.of("example.org/Seen"))) {
                conditions.add(one);
              }
            }
          }
          Map<String, Tree> own = new LinkedHashMap<>();
          own.put("type", Tree.Scalar.text("example.org/Seen"));
          own.put("status", Tree.Scalar.text(status));
          conditions.addFirst(Tree.Mapping.of(own));
          return policy.with(
              "status", Tree.Mapping.of(Map.of("conditions", Tree.Sequence.of(conditions))));
        });
  }

  @Test
  void whenTheWriterIsKilledAnotherTakesOver() throws Exception {
    put(POLICY);
    pass(12);
    String killed = holder();
    assertThat(nodes).containsKey(killed);
    nodes.remove(killed);
    pass(100);
    assertThat(holder()).isNotEqualTo(killed).isIn(nodes.keySet());
    assertThat(condition()).contains("Not heard of for a minute: " + killed + ".");
    assertThat(writes()).as("the first, and that it is gone").isEqualTo(2);
    assertThat(logged).filteredOn(line -> line.contains("this node writes the status")).hasSize(2);
  }

  @Test
  void withoutPoliciesOfTheClusterNothingIsAskedFor() {
    pass(30);
    assertThat(api.requestsOf("get", Resource.LEASES)).isZero();
    assertThat(api.requestsOf("update", Resource.LEASES)).isZero();
    assertThat(reports()).isZero();
  }

  @Test
  void withoutTheRightNobodyWritesAndItIsSaidOnce() throws Exception {
    api.delete(Resource.LEASES, "kube-system/" + PolicyConditions.LEASE);
    put(POLICY);
    pass(100);
    assertThat(condition()).isEmpty();
    assertThat(logged)
        .as(logged.toString())
        .hasSize(3)
        .allMatch(line -> line.contains("apply deploy/lease.yaml and deploy/rbac.yaml"));
    assertThat(command("wait", "outwards", "--timeout", "0"))
        .as("who enforces it is published all the same")
        .startsWith("0 enforced");
  }
}
