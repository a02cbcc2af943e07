package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code sund whatif} and {@code sund policy suggest} over a small shop. */
class WhatIfCommandTest {
  private static final String POLICY =
      """
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: back, namespace: shop}
      spec:
        podSelector: {matchLabels: {app: back}}
        ingress: [{from: [{podSelector: {matchLabels: {app: front}}}], ports: [{port: 5432}]}]
      """;
  private static final String SHOP =
      workload("shop", "front") + workload("shop", "back") + workload("pay", "cash") + POLICY;
  private static final String SEEN =
      """
      window: {from: "2026-11-01", until: "2026-11-08"}
      connections:
      - {from: Deployment shop/front, to: shop/back, port: 5432, times: 118}
      - {from: Deployment shop/front, to: shop/back, port: 5432, times: 2}
      - {from: shop/back, to: Deployment pay/cash, protocol: UDP, port: 53}
      - {from: 203.0.113.9, to: Deployment shop/front, port: 80}
      - {from: shop/front, to: 198.51.100.7, port: 443}
      """;

  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path shop = Path.of("");
  private Path seen = Path.of("");

  private static String workload(String namespace, String app) {
    return """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: %s, namespace: %s}
    spec:
      template:
        metadata: {labels: {app: %s, pod-template-hash: "1"}}
        spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}
    ---
    """
        .formatted(app, namespace, app);
  }

  @BeforeEach
  void writeShop() throws IOException {
    shop = file("shop.yaml", SHOP);
    seen = file("seen.yaml", SEEN);
  }

  private Path file(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private int run(Object... arguments) {
    List<String> all = new ArrayList<>();
    for (Object argument : arguments) {
      all.add(argument.toString());
    }
    out.getBuffer().setLength(0);
    return Sund.commandLine(Map.of("NO_COLOR", "1"))
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all.toArray(String[]::new));
  }

  @Test
  void aChangeSaysWhatOpensAndWhatClosesBetweenWorkloads() throws Exception {
    Path change = file("change.yaml", POLICY.replace("5432", "9000"));
    assertThat(run("whatif", "-f", change, "--state", shop)).isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString().lines())
        .contains(
            "opens   Deployment shop/front -> Deployment shop/back  tcp 9000  (1 pair of pods)",
            "closes  Deployment shop/front -> Deployment shop/back  tcp 5432  (1 pair of pods)",
            "pairs of pods that gain ports: 1; that lose some: 1");
    run("whatif", "-f", change, "--state", shop, "-o", "json");
    Map<String, Object> json = Json.object(out.toString().getBytes(StandardCharsets.UTF_8));
    assertThat(Json.children(json, "paths"))
        .singleElement()
        .satisfies(
            path -> assertThat(Json.child(path, "closed").get("text")).isEqualTo("tcp 5432"));
    assertThat(run("whatif", "-f", shop, "--state", shop)).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("nothing opens or closes");
  }

  @Test
  void aDeletionOpensAndWhatIsNotThereCannotBeDeleted() throws Exception {
    Path policy = file("policy.yaml", POLICY);
    assertThat(run("whatif", "-f", policy, "--delete", "--state", shop))
        .isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString())
        .contains("opens   Deployment pay/cash -> Deployment shop/back  every port")
        .contains("opens   Internet (0.0.0.0/0) -> Deployment shop/back  every port")
        .doesNotContain("closes");
    Path other = file("other.yaml", POLICY.replace("name: back", "name: other"));
    assertThat(run("whatif", "-f", other, "--delete", "--state", shop))
        .isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("NetworkPolicy shop/other is not there");
  }

  @Test
  void connectionsThatWereSeenAndWouldBeCutAreNamedWithThePolicyThatDoesIt() throws Exception {
    Path deny =
        file(
            "deny.yaml",
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: {name: deny, namespace: shop}
            spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
            """);
    assertThat(run("whatif", "-f", deny, "--state", shop, "--seen", seen))
        .isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString())
        .contains(
            "cut     Deployment shop/front to shop/back, tcp 5432 (seen 120 times): NetworkPolicy"
                + " shop/deny closes the way out",
            "cut     203.0.113.9 to Deployment shop/front, tcp 80: NetworkPolicy shop/deny closes"
                + " the way in",
            "0 of 4 connections that were seen stay");
  }

  @Test
  void whatIsSuggestedCutsNothingThatWasSeenAndClosesTheRest() throws Exception {
    shop = file("shop.yaml", SHOP.replace(POLICY, "") + namespaces());
    assertThat(run("policy", "suggest", "shop", "--seen", seen, "--state", shop))
        .isEqualTo(ExitCode.OK);
    String suggested = out.toString();
    assertThat(suggested)
        .startsWith(
            "# Seen from 2026-11-01 until 2026-11-08: 4 connections, of which 0 would be cut.")
        .contains("name: default-deny", "name: front-seen", "{cidr: 203.0.113.9/32}")
        .doesNotContain("pod-template-hash");
    Path policies = file("suggested.yaml", suggested);
    assertThat(run("whatif", "-f", policies, "--state", shop, "--seen", seen))
        .isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains("closes  Deployment shop/back -> Deployment shop/front  every port")
        .contains("4 of 4 connections that were seen stay")
        .doesNotContain("opens");
  }

  private static String namespaces() {
    return namespaces("pay");
  }

  private static String namespaces(String name) {
    return """
    apiVersion: v1
    kind: Namespace
    metadata: {name: %s, labels: {kubernetes.io/metadata.name: %s}}
    """
        .formatted(name, name);
  }

  @Test
  void aSuggestionSaysWhatItDidNotSee() throws Exception {
    Path few = file("few.yaml", "connections: [{from: shop/front, to: 10.9.9.9, port: 80}]");
    assertThat(run("policy", "suggest", "shop", "--seen", few, "--state", shop))
        .isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains("# Seen from (not said) until (not said)")
        .contains("# Deployment shop/back: no connection of it was seen");
    assertThat(run("policy", "suggest", "none", "--seen", few, "--state", shop))
        .isEqualTo(ExitCode.BAD_INPUT);
  }

  @Test
  void recordingsOfSeveralNodesAreOneAndNameWorkloadsByTheirLabels() throws Exception {
    Path one =
        file(
            "n1.json",
            """
            {"version": 1, "node": "n1", "widened": 1,
             "windows": [{"from": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}],
             "notSeen": {"overrun": 2},
             "connections": [
              {"from": "shop{app=front}", "to": "shop{app=back}", "protocol": "tcp", "port": 5432,
               "service": "shop/db", "out": 7, "in": 0, "first": "2026-11-01T00:00:01Z",
               "last": "2026-11-01T10:00:00Z"},
              {"from": "node", "to": "shop{app=front}", "protocol": "tcp", "port": 8080,
               "out": 0, "in": 90},
              {"from": "198.51.100.0/24", "to": "shop{app=front}", "protocol": "tcp", "port": 80,
               "out": 0, "in": 30}]}
            """);
    Path other =
        file(
            "n2.json",
            """
            {"version": 1, "node": "n2",
             "windows": [{"from": "2026-10-31T00:00:00Z", "until": "2026-11-03T00:00:00Z"}],
             "connections": [
              {"from": "shop{app=front}", "to": "shop{app=back}", "protocol": "tcp", "port": 5432,
               "out": 0, "in": 7},
              {"from": "shop{app=gone}", "to": "shop{app=back}", "protocol": "tcp", "port": 1,
               "out": 0, "in": 1}]}
            """);
    shop = file("shop.yaml", SHOP.replace(POLICY, "") + namespaces());
    assertThat(run("policy", "suggest", "shop", "--seen", one, "--seen", other, "--state", shop))
        .isEqualTo(ExitCode.OK);
    String suggested = out.toString();
    assertThat(suggested)
        .startsWith(
            "# Seen from 2026-10-31T00:00:00Z until 2026-11-03T00:00:00Z: 4 connections, of which 0"
                + " would be cut.")
        .contains(
            "# asked as Service shop/db",
            "so many addresses were seen that a range stands for them",
            "no pod is shop{app=gone} now",
            "{cidr: 198.51.100.0/24}")
        .doesNotContain("8080");
    Path policies = file("suggested.yaml", suggested);
    assertThat(run("whatif", "-f", policies, "--state", shop, "--seen", one, "--seen", other))
        .isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains("unknown shop{app=gone} to shop{app=back}, tcp 1: nobody is known as")
        .contains("3 of 4 connections that were seen stay");
    Path narrow = file("narrow.yaml", suggested.replace("198.51.100.0/24", "198.51.100.0/25"));
    assertThat(run("whatif", "-f", narrow, "--state", shop, "--seen", one))
        .as("a part of a range that was seen would be cut")
        .isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString())
        .contains(
            "cut     198.51.100.0/24 to shop{app=front}, tcp 80 (seen 30 times): NetworkPolicy"
                + " shop/default-deny closes the way in");
  }

  @Test
  void namesResolveForAllPodsOfTheNamespaceWhereTheClustersDnsIsKnown() throws Exception {
    String dns = workload("kube-system", "coredns").replace("{app: coredns", "{k8s-app: kube-dns");
    shop =
        file(
            "shop.yaml",
            SHOP.replace(POLICY, "") + namespaces() + "---\n" + dns + namespaces("kube-system"));
    Path asked =
        file(
            "asked.yaml",
            """
            connections:
            - {from: shop/front, to: "kube-system{k8s-app=kube-dns}", protocol: udp, port: 53}
            """);
    assertThat(run("policy", "suggest", "shop", "--seen", asked, "--state", shop))
        .isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .contains("name: allow-dns", "{protocol: TCP, port: 53}", "of which 0 would be cut")
        .doesNotContain("name: front-seen");
  }

  @Test
  void aFileOfConnectionsIsReadStrictly() throws Exception {
    for (String wrong :
        List.of(
            "connections: [{from: a, to: b, port: 70000}]",
            "connections: [{from: a, to: b, port: 80, protocol: gre}]",
            "connections: [{from: a, port: 80}]",
            "connections: [{from: a, to: b, port: 80, prot: tcp}]",
            "seen: []")) {
      Path file = file("wrong.yaml", wrong);
      assertThat(run("whatif", "-f", shop, "--state", shop, "--seen", file))
          .as(wrong)
          .isEqualTo(ExitCode.BAD_INPUT);
      assertThat(err.toString()).contains(file + ":1: ");
    }
  }
}
