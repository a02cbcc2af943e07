package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.Resource;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund doctor POD} beside an agent that isolates the pod from its DNS server. */
@Tag("netns")
@Timeout(240)
class DoctorPolicyTest {
  private static final Path SUND = Path.of(System.getProperty("sund.root"), "sund");
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Web pods may ask others by port 80, and nobody thought of names. */
  private static final String FORGETS_DNS =
      """
      {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy",
       "metadata":{"namespace":"shop","name":"only-web","uid":"p1"},
       "spec":{"podSelector":{"matchLabels":{"app":"web"}},"policyTypes":["Egress"],
               "egress":[{"ports":[{"port":80,"protocol":"TCP"}]}]}}
      """;

  @TempDir Path directory;
  private AgentScene scene;
  private SmallDns dns;
  private PodHandle web;
  private final List<Process> started = new ArrayList<>();

  @BeforeEach
  void aPodThatAsksItsServer() throws Exception {
    scene = AgentScene.build(directory);
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
    PodHandle server = scene.addPod("dns", 1);
    web = scene.addPod("web", 1);
    dns =
        new SmallDns(server.netns(), server.v4().toString())
            .knows("kubernetes.default.svc.cluster.local", "10.96.0.1");
    Path resolv =
        Files.writeString(directory.resolve("resolv.conf"), "nameserver " + server.v4() + "\n");
    started.add(PodProcess.start(web.netns(), resolv));
  }

  @AfterEach
  void removed() throws Exception {
    for (Process process : started) {
      process.destroyForcibly();
      process.onExit().join();
    }
    if (dns != null) {
      dns.close();
    }
    scene.close();
  }

  @Test
  void aPolicyThatForgetsDnsIsNamedUntilItIsGone() throws Exception {
    // The agent hears of its pods from the API server, too.
    scene.await("no finding", PATIENCE, () -> found("--only=inside-policy").isEmpty());
    assertThat(dns.asked()).as("who asks of policies asks no DNS server").isFalse();
    scene.await("no finding", PATIENCE, () -> found("--only=inside-policy,inside-dns").isEmpty());
    assertThat(dns.asked()).isTrue();

    scene.api().put((Tree.Mapping) JsonTrees.parse(FORGETS_DNS));
    scene.await(
        "the policy is known",
        PATIENCE,
        () -> found("--only=inside-policy").containsKey("inside-policy"));
    // Few looks: each waits for the questions that nobody answers.
    Map<String, String> found = found();
    for (int i = 0; i < 5 && !found.containsKey("inside-dns"); i++) {
      found = found();
    }
    assertThat(found.get("inside-policy"))
        .contains(":53/udp: no rule allows it, and it is isolated by NetworkPolicy shop/only-web");
    assertThat(found.get("inside-dns")).contains("do not answer");
    assertThat(found.get("conclusion")).startsWith("It is a policy, and DNS fails by it");

    scene.api().delete(Resource.NETWORK_POLICIES, "shop/only-web");
    scene.await("no finding", PATIENCE, () -> found("--only=inside-policy,inside-dns").isEmpty());
  }

  /** What is found of the pod, by check; in a whole look with the conclusion. */
  private Map<String, String> found(String... arguments) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                "nsenter",
                "--net=" + scene.node(1).path(),
                SUND.toString(),
                "doctor",
                "shop/web",
                "--fail-on=never",
                "-o=json",
                "--state-dir=" + scene.stateDir(1),
                "--run-dir=" + scene.runDir(1)));
    command.addAll(List.of(arguments));
    Path out = directory.resolve("out");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile());
    builder.environment().put("SUND_BUILD", "never");
    Process process = builder.start();
    started.add(process);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    String text = Files.readString(out);
    assertThat(process.exitValue()).as(text).isZero();
    Tree.Mapping whole = (Tree.Mapping) JsonTrees.parse(text);
    Map<String, String> found = new TreeMap<>();
    for (Tree item : ((Tree.Sequence) whole.get("checks").orElseThrow()).items()) {
      // Before the agent knows the pod: nobody can tell yet.
      if (((Tree.Mapping) item).text("outcome").orElseThrow().equals("unread")) {
        found.put("unread", text);
      }
    }
    for (Tree item : ((Tree.Sequence) whole.get("findings").orElseThrow()).items()) {
      Tree.Mapping finding = (Tree.Mapping) item;
      found.merge(
          finding.text("check").orElseThrow(),
          finding.text("text").orElseThrow(),
          (one, other) -> one + " " + other);
    }
    if (arguments.length == 0) {
      found.put("conclusion", whole.text("conclusion").orElseThrow());
    }
    return found;
  }
}
