package dev.sund.it.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.agent.local.LocalClient;
import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer.OrderAnnotation;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * One lab that stands, and what changes meanwhile: policies; objects, by its own commands and
 * through its API; nodes; links. After each change all is asked again, and predicted.
 */
@Tag("netns")
@Timeout(600)
@TestInstance(Lifecycle.PER_CLASS)
@TestMethodOrder(OrderAnnotation.class)
class StandingLabTest {
  private static final String ALL_AGREE = "[1-9][0-9]* probes, [1-9][0-9]* agree, 0 differ";
  private static final String POD =
      """
      apiVersion: v1
      kind: Pod
      metadata: {namespace: shop, name: late}
      spec: {containers: [{name: main, image: none, ports: [{containerPort: 8099}]}]}
      """;

  /** Checks of what the nodes of a lab share with the machine that it runs on. */
  private static final Set<String> OF_THE_MACHINE =
      Set.of(
          "clock-source",
          "conntrack-buckets",
          "conntrack-size",
          "cpu-pressure",
          "cpu-steal",
          "module-lists",
          "networkd-routes",
          "softnet-drops",
          "swap",
          "sysctl-files",
          "virtualisation");

  /**
   * Of these, what may be hidden even from root: the environment of the machine's first process.
   */
  private static final Set<String> MAY_BE_UNREAD = Set.of("virtualisation");

  @TempDir static Path directory;

  private LabProcess lab;

  @BeforeAll
  void stand() throws Exception {
    lab = LabProcess.start(directory).until("stands until Ctrl-C");
  }

  @AfterAll
  void nothingIsLeft() throws Exception {
    lab.interrupt();
    lab.exitCode();
    assertThat(LabProcess.leftBy(lab.id())).isEmpty();
  }

  private LabProcess ask(String command, String... rest) throws Exception {
    String[] words = new String[rest.length + 3];
    words[0] = command;
    words[1] = "--lab";
    words[2] = String.valueOf(lab.id());
    System.arraycopy(rest, 0, words, 3, rest.length);
    return LabProcess.run(directory, words);
  }

  /** The doctor in each node's network: nothing is wrong, and nothing was left out in saying so. */
  @Test
  @Order(0)
  void inAHealthyLabAllChecksRunAndFindNothing() throws Exception {
    Map<String, LabProcess> doctors = new TreeMap<>();
    for (String node : List.of("n1", "n2", "n3")) {
      String[] words = {"doctor", "-o", "json", "--fail-on", "never"};
      doctors.put(node, LabProcess.sundIn("sund-lab-" + lab.id() + "-" + node, directory, words));
    }
    List<String> asked = Catalogue.node().stream().<String>map(Check::id).toList();
    for (Map.Entry<String, LabProcess> doctor : doctors.entrySet()) {
      assertThat(doctor.getValue().exitCode())
          .as(doctor.getValue().out() + doctor.getValue().err())
          .isIn(0, 3); // 3: one of the machine's checks may be unread
      Map<String, Object> told =
          Json.object(doctor.getValue().out().getBytes(StandardCharsets.UTF_8));
      List<String> ran = new ArrayList<>();
      List<String> unread = new ArrayList<>();
      for (Map<String, Object> check : Json.children(told, "checks")) {
        String id = String.valueOf(check.get("id"));
        ran.add(id);
        String line =
            "%s %-8s %s: %s; read %s"
                .formatted(
                    doctor.getKey(),
                    check.get("outcome"),
                    id,
                    check.getOrDefault("text", ""),
                    check.get("sources"));
        System.out.println(line);
        if (check.get("outcome").equals("unread") && !MAY_BE_UNREAD.contains(id)) {
          unread.add(line);
        } else if (check.get("outcome").equals("right")) {
          assertThat(Json.texts(check, "sources")).as(line).isNotEmpty();
        }
      }
      assertThat(ran).as(doctor.getKey()).containsExactlyElementsOf(asked);
      assertThat(unread).as(doctor.getKey()).isEmpty();
      assertThat(Json.children(told, "findings"))
          .as(doctor.getKey())
          .allMatch(finding -> OF_THE_MACHINE.contains(String.valueOf(finding.get("check"))));
    }
  }

  @Test
  @Order(2)
  void podsComeAndGoByCommandAndThroughTheApi() throws Exception {
    Path file = Files.writeString(directory.resolve("late.yaml"), POD);
    LabProcess applied = ask("apply", "-f", file.toString());
    assertThat(applied.exitCode()).as(applied.out() + applied.err() + lab.err()).isZero();
    assertThat(applied.out()).contains("Pod shop/late created").contains("pod shop/late runs on");
    assertThat(applied.lastLine()).matches(ALL_AGREE);

    LabProcess inside = ask("exec", "shop/late", "--", "ip", "-br", "addr", "show", "eth0");
    assertThat(inside.exitCode()).as(inside.err()).isZero();
    assertThat(inside.out()).startsWith("eth0@");
    assertThat(ask("exec", "shop/late", "--", "false").exitCode()).isEqualTo(1);
    assertThat(ask("exec", "shop/nobody", "--", "true").exitCode()).isEqualTo(2);

    throughTheApi();

    LabProcess deleted = ask("delete", "-f", file.toString());
    assertThat(deleted.exitCode()).as(deleted.out()).isZero();
    assertThat(deleted.out()).contains("pod shop/late is gone").doesNotContain("8099");
    assertThat(deleted.lastLine()).matches(ALL_AGREE);

    Path odd = Files.writeString(directory.resolve("odd"), POD.replace("late", "Late_"));
    LabProcess piped =
        LabProcess.reading(
            odd.toFile(), directory, "apply", "--lab", String.valueOf(lab.id()), "-f", "-");
    assertThat(piped.exitCode()).isEqualTo(2);
    assertThat(piped.out()).startsWith("standard input:").contains("'Late_' is not a name");

    Path node = directory.resolve("node.yaml");
    Files.writeString(node, "apiVersion: v1\nkind: Node\nmetadata: {name: n1}\n");
    LabProcess refused = ask("delete", "-f", node.toString());
    assertThat(refused.exitCode()).isEqualTo(2);
    assertThat(refused.out()).contains("Node n1: the nodes of a lab stand as long as it does");
  }

  /** A pod that a program creates by the lab's kubeconfig runs, and ends when it is deleted. */
  private void throughTheApi() throws Exception {
    Path kubeconfig = Path.of("/run/sund-lab/" + lab.id() + "/kubeconfig");
    ApiPath pods = ApiPath.of("v1", "pods").in("shop");
    try (ApiObjects objects =
        new ApiObjects(
            Kubeconfig.read(kubeconfig, List.of(), Map.of()),
            Dialer.HERE,
            Duration.ofSeconds(10))) {
      objects.create(
          pods.all(),
          (Tree.Mapping)
              JsonTrees.parse("{\"metadata\":{\"name\":\"other\"},\"spec\":{\"containers\":[]}}"));
      lab.until("pod shop/other runs on");
      Tree.Mapping status =
          objects.read(pods.named("other")).orElseThrow().mapping("status").orElseThrow();
      assertThat(status.text("phase")).contains("Running");
      objects.delete(pods.named("other"), java.util.Optional.empty());
      lab.until("pod shop/other is gone");
    }
  }

  @Test
  @Order(3)
  void nodesAreCutOffDieAndComeBack() throws Exception {
    LabProcess apart = ask("fault", "partition", "n1");
    assertThat(apart.exitCode()).as(apart.out()).isZero();
    assertThat(apart.out()).contains("reach no=no");
    assertThat(apart.lastLine()).matches(ALL_AGREE);
    LabProcess together = ask("fault", "partition", "n1", "--restore");
    assertThat(together.exitCode()).as(together.out()).isZero();

    LabProcess dead = ask("fault", "kill-node", "n2");
    assertThat(dead.exitCode()).as(dead.out()).isZero();
    assertThat(dead.lastLine()).matches(ALL_AGREE);
    assertThat(ask("status").out()).contains("node n2  agent is gone, its node is off");

    LabProcess back = ask("fault", "restart-node", "n2");
    assertThat(back.exitCode()).as(back.out() + lab.err()).isZero();
    assertThat(back.out()).contains("its kernel began empty").doesNotContain("drift");
    assertThat(back.lastLine()).matches(ALL_AGREE);
  }

  /**
   * What is predicted and what is measured of the ways from one party to another, to a port or
   * (empty) to all that is asked, by IPv4 and IPv6; more than one word when they are not alike.
   */
  private String reach(String from, String to, String what) throws Exception {
    LabProcess asked = ask("probe", from, to);
    List<String> said = asked.out().lines().filter(line -> line.contains(what + " v")).toList();
    assertThat(said).as(asked.out() + lab.err()).hasSizeGreaterThanOrEqualTo(2);
    return said.stream()
        .map(line -> line.replaceFirst(".* reach (\\S+) .*", "$1"))
        .distinct()
        .collect(Collectors.joining(" "));
  }

  /** The policies of the articles (N1, N2, N3, N4, N9, N15, N23), and the cluster's (N27). */
  @Test
  @Order(1)
  void predictionsAndPacketsAgreeWhateverChanges() throws Exception {
    assertThat(lab.lastLine()).as(lab.out() + lab.err()).matches(ALL_AGREE);
    assertThat(reach("production/frontend", "production/backend", "5432/tcp")).isEqualTo("yes=yes");
    assertThat(reach("shop/api", "production/backend", "")).isEqualTo("no=no");
    // N15: the pod's own node, which the kubelet asks from; another node is not.
    assertThat(reach("n3", "production/backend", "")).isEqualTo("yes=yes");
    assertThat(reach("n1", "production/backend", "")).isEqualTo("no=no");
    // N25: names can be asked for, and nothing else.
    assertThat(reach("default/worker", "kube-system/coredns", "53/udp")).isEqualTo("yes=yes");
    assertThat(reach("default/worker", "shop/api", "")).isEqualTo("no=no");

    dropsAreToldOfAllNodes();

    // N24: a policy, then its end; a pod's label, in both orders.
    Path policy =
        Files.writeString(
            directory.resolve("closed.yaml"),
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: db-closed, namespace: shop}
            spec:
              podSelector: {matchLabels: {app: db}}
              policyTypes: [Ingress, Egress]
            """);
    LabProcess applied = ask("apply", "-f", policy.toString());
    assertThat(applied.lastLine()).as(applied.out() + lab.err()).matches(ALL_AGREE);
    assertThat(reach("shop/api", "shop/db", "")).isEqualTo("no=no");
    Path late =
        Files.writeString(
            directory.resolve("newcomer.yaml"),
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: newcomer, namespace: shop, labels: {app: db}}
            spec: {containers: [{name: main, image: none, ports: [{containerPort: 8098}]}]}
            """);
    LabProcess came = ask("apply", "-f", late.toString());
    assertThat(came.lastLine()).as(came.out() + lab.err()).matches(ALL_AGREE);
    assertThat(reach("shop/api", "shop/newcomer", "8098/tcp")).isEqualTo("no=no");
    Files.writeString(late, Files.readString(late).replace("app: db", "app: other"));
    LabProcess relabelled = ask("apply", "-f", late.toString());
    assertThat(relabelled.lastLine()).as(relabelled.out() + lab.err()).matches(ALL_AGREE);
    assertThat(reach("shop/api", "shop/newcomer", "8098/tcp")).isEqualTo("yes=yes");

    // An agent that dies and comes back, with a policy gone meanwhile.
    LabProcess killed = ask("fault", "kill-agent", "n3");
    assertThat(killed.exitCode()).as(killed.out() + lab.err()).isZero();
    LabProcess deleted = ask("delete", "-f", policy.toString());
    assertThat(deleted.lastLine()).as(deleted.out() + lab.err()).matches(ALL_AGREE);
  }

  /** What the probes before this were dropped for, by the node that dropped them. */
  private void dropsAreToldOfAllNodes() throws Exception {
    LabProcess text = ask("drops", "production/");
    for (int i = 0; i < 20 && !text.out().contains("  n3  production/backend  in"); i++) {
      // The kernel's log is read by a thread of the agent's, which lets go what it comes to late.
      ask("probe", "shop/api", "production/backend");
      text = ask("drops", "production/");
    }
    assertThat(text.exitCode()).as(text.err()).isZero();
    assertThat(text.out())
        .startsWith("NODE")
        .containsPattern("n3 +production/backend +10\\.\\S+ +in +policy-ingress +[1-9]")
        .containsPattern("  n3  production/backend  in  from \\S.* policy-ingress: isolated by ");
    LabProcess json = ask("drops", "-o", "json");
    assertThat(json.exitCode()).as(json.err()).isZero();
    Map<String, Object> report = Json.object(json.out().getBytes(StandardCharsets.UTF_8));
    assertThat(Json.child(report, "log")).containsOnlyKeys("n1", "n2", "n3");
    assertThat(Json.children(report, "counters"))
        .anySatisfy(one ->
            assertThat(one)
                .containsEntry("pod", "default/worker")
                .containsEntry("reason", "policy-egress")
                .containsKey("node"));
    assertThat(Json.children(report, "events"))
        .anySatisfy(one -> {
          assertThat(Json.child(one, "pod")).containsEntry("name", "production/backend");
          assertThat(one).containsEntry("node", "n3").containsEntry("direction", "in");
        });
  }

  /** Each node on a packet's way tells its part; a rule on the other one is found and named. */
  @Test
  @Order(4)
  void realPacketsAreFollowedThroughTheKernelsOfAllNodesOnTheirWay() throws Exception {
    LabProcess agrees = ask("trace", "--live", "shop/web", "shop/db:5432");
    assertThat(agrees.exitCode()).as(agrees.out()).isZero();
    assertThat(agrees.out())
        .contains("live on n1: from 10.244.1.", "  end   left by sund-vxlan4, from 10.244.1.")
        .contains("live on n3: came from 10.244.1.", "live on n3: came from 2001:db8:1::")
        .contains("inet sund-policy", "back on n3", "back on n1")
        .contains("live: answered; the kernels do what the program says");

    // The node's own packets get another source and port on the way, and are known all the same.
    LabProcess masqueraded = ask("trace", "--live", "n1", "10.244.3.7:5432");
    assertThat(masqueraded.out())
        .contains("live on n3: came from", "the kernels do what the program says");

    Path rules =
        Files.writeString(
            directory.resolve("corporate.nft"),
            """
            table inet corporate {
              chain forward {
                type filter hook forward priority 10;
                tcp dport 5432 drop comment "no databases"
              }
            }
            """);
    nft("-f", rules.toString());
    LabProcess differs = ask("trace", "--live", "shop/web", "10.244.3.7:5432");
    assertThat(differs.exitCode()).as(differs.out()).isEqualTo(4);
    assertThat(differs.out())
        .contains("live: no answer, probe-differs")
        .contains("n3: The kernel dropped it at inet corporate forward rule")
        .contains("drop (no databases)");
    assertThat(Files.readString(run("n3").resolveSibling("agent.log")))
        .contains("probe-differs", "no databases");
    nft("delete", "table", "inet", "corporate");

    watchedFromAnotherTerminal();
    assertThat(nft("list", "tables")).doesNotContain("sund-probe");
  }

  /** What a user does where no lab knows all sockets: watches on one node, sends on the other. */
  private void watchedFromAnotherTerminal() throws Exception {
    String[] ends = {"shop/web-6d4f9c7b58-2xkqp", "10.244.3.7:5432"};
    LabProcess watch =
        LabProcess.sund(
            directory, "trace", "--observe", "--run-dir", run("n3").toString(), ends[0], ends[1]);
    for (int i = 0; i < 600 && !nft("list", "tables").contains("sund-probe"); i++) {
      Thread.sleep(50);
    }
    LabProcess sent =
        LabProcess.sund(
            directory, "trace", "--live", "--run-dir", run("n1").toString(), ends[0], ends[1]);
    assertThat(sent.exitCode()).as(sent.out() + sent.err()).isZero();
    assertThat(sent.out())
        .contains("not seen: what n3 does with it", "sudo sund trace --observe " + ends[0])
        .contains("live: answered; the kernel does what the program says");
    assertThat(watch.exitCode()).as(watch.out() + watch.err()).isZero();
    assertThat(watch.err()).contains("now on n1: sudo sund trace --live " + ends[0]);
    assertThat(watch.out())
        .contains("live on n3: came from 10.244.1.", "live: it came by n3; the kernel does what");
  }

  private Path run(String node) {
    return Path.of("/run/sund-lab/" + lab.id() + "/" + node + "/run");
  }

  /** On n3. */
  private String nft(String... words) throws Exception {
    List<String> line =
        new ArrayList<>(List.of("ip", "netns", "exec", "sund-lab-" + lab.id() + "-n3", "nft"));
    line.addAll(List.of(words));
    Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(said).isZero();
    return said;
  }

  @Test
  @Order(5)
  void faultsArePredictedAndMeasuredAgain() throws Exception {
    LabProcess status = ask("status");
    assertThat(status.exitCode()).isZero();
    assertThat(status.out()).contains("node n3  agent runs");

    LabProcess trace = ask("trace", "shop/web", "shop/db");
    assertThat(trace.exitCode()).isZero();
    assertThat(trace.out()).contains("wrapped in VXLAN 4096 from 192.168.11.11");
    LabProcess json = ask("trace", "-o", "json", "shop/web", "shop/db");
    assertThat(json.exitCode()).isZero();
    Map<String, Object> told = Json.object(json.out().getBytes(StandardCharsets.UTF_8));
    assertThat(told).containsEntry("wanted", told.get("inForce")).containsEntry("drift", List.of());
    assertThat(json.out()).contains("wrapped in VXLAN 4096 from 192.168.11.11");

    LabProcess shrunk = ask("fault", "shrink-mtu", "n2", "1400");
    assertThat(shrunk.exitCode()).as(shrunk.out()).isZero();
    assertThat(shrunk.out()).contains("mtu 1400(silent)=1400(silent)");
    assertThat(shrunk.lastLine()).matches(ALL_AGREE);

    LabProcess cut = ask("fault", "cut-link", "n3");
    assertThat(cut.exitCode()).as(cut.out()).isZero();
    assertThat(cut.out()).contains("reach no=no").contains("link-down");
    assertThat(cut.lastLine()).matches(ALL_AGREE);
    theOtherAgentsSeeThatNothingOfN3Answers();

    LabProcess killed = ask("fault", "kill-agent", "n1");
    assertThat(killed.exitCode()).as(killed.out()).isZero();

    LabProcess unknown = ask("fault", "kill-agent", "n9");
    assertThat(unknown.exitCode()).isEqualTo(2);
    assertThat(unknown.out()).isEqualTo("sund lab: the lab has no node n9\n");
  }

  /** A fifth of the last minute's datagrams, by both families: no processor is that busy. */
  private void theOtherAgentsSeeThatNothingOfN3Answers() throws Exception {
    List<Map<String, Object>> ways = List.of();
    List<Object> said = List.of();
    for (int i = 0; i < 600 && (ways.size() < 2 || !said.contains("n3")); i++) {
      Thread.sleep(100);
      Map<String, Object> status =
          Json.object(
              new LocalClient(run("n1"))
                  .ask(Map.of("command", "STATUS"))
                  .json()
                  .getBytes(StandardCharsets.UTF_8));
      ways =
          Json.children(Json.child(status, "peers"), "ways").stream()
              .filter(way -> way.get("node").equals("n3") && (Double) way.get("lossPercent") > 20)
              .toList();
      said =
          Json.children(status, "conditions").stream()
              .filter(condition -> condition.get("reason").equals("peer-loss"))
              .map(condition -> Json.child(condition, "object").get("name"))
              .toList();
    }
    assertThat(ways).extracting(way -> way.get("family")).containsExactly("v4", "v6");
    assertThat(said).contains("n3");
  }
}
