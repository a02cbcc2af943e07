package dev.sund.it.service;

import static dev.sund.model.Protocol.TCP;
import static dev.sund.model.Protocol.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.cli.PolicyRecordCommand;
import dev.sund.cli.PolicySuggestCommand;
import dev.sund.cli.WhatIfCommand;
import dev.sund.it.agent.AgentScene;
import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.NetNs;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What real agents record, the policies that follow from it, and what these let through. */
@Tag("netns")
@Timeout(300)
class RecordedSuggestionTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Ip SERVICE = Ip.parse("10.96.0.20");
  private static final Ip SERVICE_V6 = Ip.parse("fd00:96::20");

  @TempDir private Path directory;
  private AgentScene scene;
  private final Answerers answerers = new Answerers();
  private final List<String> state = new ArrayList<>();
  private PodHandle front;
  private PodHandle late;
  private PodHandle back;

  @BeforeEach
  void build() throws Exception {
    scene = AgentScene.build(directory);
    for (int node = 1; node <= 2; node++) {
      scene.startAgent(node);
      state.add(JsonText.of(AgentScene.nodeObject(node)));
    }
    for (int node = 1; node <= 2; node++) {
      scene.awaitReady(node, PATIENCE);
    }
    front = pod("front", 1);
    late = pod("late", 1);
    back = pod("back", 2);
    for (int port : List.of(5432, 5353, 7000)) {
      answerers.answer("back", back.netns(), port);
    }
    put(
        """
        {"apiVersion":"v1","kind":"Service",
         "metadata":{"namespace":"shop","name":"db","uid":"s-db"},
         "spec":{"clusterIPs":["10.96.0.20","fd00:96::20"],"selector":{"app":"back"},
          "ports":[{"name":"sql","port":80,"targetPort":5432},
                   {"name":"say","protocol":"UDP","port":81,"targetPort":5353}]}}
        """);
    for (Family family : Family.values()) {
      put(
          """
          {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"%s",
           "metadata":{"namespace":"shop","name":"db-%s","uid":"e-%s",
            "labels":{"kubernetes.io/service-name":"db"}},
           "ports":[{"name":"sql","protocol":"TCP","port":5432},
                    {"name":"say","protocol":"UDP","port":5353}],
           "endpoints":[{"addresses":["%s"],"nodeName":"n2","conditions":{"ready":true}}]}
          """
              .formatted(
                  family == Family.V4 ? "IPv4" : "IPv6",
                  family.label(),
                  family.label(),
                  family == Family.V4 ? back.v4() : back.v6()));
    }
  }

  @AfterEach
  void clear() throws Exception {
    answerers.close();
    scene.close();
  }

  private void put(String text) throws Exception {
    scene.api().put((Tree.Mapping) JsonTrees.parse(text));
  }

  private PodHandle pod(String app, int node) throws Exception {
    PodHandle pod = scene.addPod(app, node);
    String text =
        """
        {"apiVersion":"v1","kind":"Pod",
         "metadata":{"namespace":"shop","name":"%s","uid":"uid-%s",
          "labels":{"app":"%s","pod-template-hash":"abc"}},
         "spec":{"nodeName":"n%d","containers":[{"name":"main","image":"none"}]},
         "status":{"phase":"Running","podIP":"%s","podIPs":[{"ip":"%s"},{"ip":"%s"}]}}
        """
            .formatted(app, app, app, node, pod.v4(), pod.v4(), pod.v6());
    put(text);
    state.add(text);
    return pod;
  }

  private record Ended(int code, String text) {}

  private static Ended run(Object command, Object... arguments) {
    StringWriter out = new StringWriter();
    List<String> words = new ArrayList<>();
    for (Object argument : arguments) {
      words.add(argument.toString());
    }
    int code =
        new CommandLine(command)
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setOut(new PrintWriter(out))
            .setErr(new PrintWriter(out))
            .execute(words.toArray(String[]::new));
    return new Ended(code, out.toString());
  }

  private Ended record(int node, String... words) {
    List<Object> all = new ArrayList<>(List.of(words));
    all.add("--run-dir");
    all.add(scene.runDir(node));
    return run(new PolicyRecordCommand(), all.toArray());
  }

  private void reaches(NetNs from, Protocol protocol, Ip to, int port) throws Exception {
    scene.await(
        protocol + " to " + to + " " + port,
        PATIENCE,
        () -> Asker.ask(from, protocol, to, port).end() == Heard.End.ANSWERED);
  }

  /** What front does: by the Service and past it, by both families and protocols. */
  private void work() throws Exception {
    for (Ip service : List.of(SERVICE, SERVICE_V6)) {
      reaches(front.netns(), TCP, service, 80);
      reaches(front.netns(), UDP, service, 81);
    }
    reaches(front.netns(), TCP, back.v6(), 5432);
    reaches(scene.node(2), TCP, back.v4(), 7000); // as a kubelet probes it
  }

  private void awaitShown(int node, String... flows) throws Exception {
    scene.await(
        List.of(flows) + " on n" + node,
        PATIENCE,
        () -> {
          String shown = record(node, "show").text();
          return List.of(flows).stream().allMatch(shown::contains);
        });
  }

  @Test
  void whatWasSeenOverARestartGoesOnUnderTheSuggestedPoliciesAndNothingElseDoes()
      throws Exception { // N15, N23
    assertThat(record(1, "status").text()).startsWith("nothing is recorded");
    for (int node = 1; node <= 2; node++) {
      assertThat(record(node, "start").text()).startsWith("recording from ");
    }
    work();
    awaitShown(
        1,
        "shop{app=front} -> shop{app=back}  tcp 5432 by Service shop/db",
        "shop{app=front} -> shop{app=back}  tcp 5432  (",
        "shop{app=front} -> shop{app=back}  udp 5353 by Service shop/db");
    awaitShown(
        2, "node -> shop{app=back}  tcp 7000", "shop{app=front} -> shop{app=back}  tcp 5432");
    Path file = scene.stateDir(1).resolve("seen.json");
    scene.await(
        "on disk", PATIENCE, () -> Files.exists(file) && Files.readString(file).contains("udp"));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");

    scene.kill(1);
    reaches(late.netns(), TCP, back.v4(), 5432); // while nobody listens
    scene.startAgent(1);
    scene.awaitReady(1, PATIENCE);
    awaitShown(
        1,
        "shop{app=late} -> shop{app=back}  tcp 5432",
        "shop{app=front} -> shop{app=back}  udp 5353 by Service shop/db");
    assertThat(record(1, "show").text().lines())
        .as("no answer is a connection, and no pod has a name of its own")
        .noneMatch(line -> line.startsWith("shop{app=back} ->"))
        .noneMatch(line -> line.contains("pod-template-hash"));

    List<Object> seen = new ArrayList<>();
    for (int node = 1; node <= 2; node++) {
      Path saved = directory.resolve("seen-n" + node + ".json");
      Files.writeString(saved, record(node, "show", "-o", "json").text());
      seen.addAll(List.of("--seen", saved));
    }
    Path cluster = directory.resolve("cluster.yaml");
    Files.writeString(cluster, "---\n" + String.join("\n---\n", state));
    List<Object> suggest = new ArrayList<>(List.of("shop", "--state", cluster));
    suggest.addAll(seen);
    Ended suggested = run(new PolicySuggestCommand(), suggest.toArray());
    assertThat(suggested.code()).as(suggested.text()).isZero();
    assertThat(suggested.text())
        .contains("of which 0 would be cut", "node n1: nobody looked 1 times in between")
        .contains("# asked as Service shop/db")
        .doesNotContain("7000");
    Path policies = directory.resolve("suggested.yaml");
    Files.writeString(policies, suggested.text());
    Ended live =
        run(
            new WhatIfCommand(),
            List.of("-f", policies, "--state", cluster, "--run-dir", scene.runDir(1), "--seen")
                .toArray());
    assertThat(live.code()).as(live.text()).isZero();

    reaches(front.netns(), TCP, back.v4(), 7000); // before: all may
    for (Tree document : YamlTrees.documents(suggested.text())) {
      scene.api().put((Tree.Mapping) document);
    }
    scene.await(
        "a port that nobody was seen to ask is closed",
        PATIENCE,
        () -> Asker.ask(front.netns(), TCP, back.v4(), 7000).end() != Heard.End.ANSWERED);
    scene.await(
        "and so is what only others were seen to ask",
        PATIENCE,
        () -> Asker.ask(late.netns(), UDP, back.v4(), 5353).end() != Heard.End.ANSWERED);
    work();
    reaches(late.netns(), TCP, back.v4(), 5432);
    assertThat(record(1, "stop").text()).startsWith("stopped; recorded from ");
    assertThat(record(1, "clear").text()).startsWith("nothing is recorded");
    assertThat(file).doesNotExist();
    scene.await(
        "the metric says that nothing is recorded",
        PATIENCE,
        () -> scene.get(1, "/metrics").lines().anyMatch(line -> line.equals("sund_recording 0.0")));
  }
}
