package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.local.Json;
import dev.sund.cli.audit.SarifForm;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code sund audit} over a small shop whose policies have a mistake of each kind. */
class AuditCommandTest {
  private static final String SHOP =
      """
      apiVersion: v1
      kind: Namespace
      metadata: {name: shop, labels: {kubernetes.io/metadata.name: shop}}
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: coredns, namespace: kube-system}
      spec:
        template:
          metadata: {labels: {k8s-app: kube-dns}}
          spec: {containers: [{name: c, ports: [{containerPort: 53, protocol: UDP}]}]}
      ---
      apiVersion: v1
      kind: Pod
      metadata: {name: agent, namespace: kube-system}
      spec: {hostNetwork: true, containers: [{name: c}]}
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: front, namespace: shop}
      spec:
        template:
          metadata: {labels: {app: front}}
          spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: back, namespace: shop}
      spec:
        template:
          metadata: {labels: {app: back}}
          spec: {containers: [{name: c, ports: [{containerPort: 5432, name: pg}]}]}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: deny, namespace: shop}
      spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: back, namespace: shop}
      spec:
        podSelector: {matchLabels: {app: back}}
        ingress:
        - from: [{podSelector: {matchLabels: {app: front}}}]
          ports: [{port: 5432}, {port: metrics}]
        - from: [{podSelector: {matchLabels: {app: fronted}}}]
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: front, namespace: shop}
      spec:
        podSelector: {matchLabels: {app: front}}
        policyTypes: [Egress]
        egress:
        - to: [{podSelector: {}}]
        - to: [{podSelector: {matchLabels: {app: back}}}]
          ports: [{port: 5432}]
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: ssh, namespace: shop}
      spec:
        podSelector: {}
        ingress: [{ports: [{port: 22}]}]
      ---
      apiVersion: policy.networking.k8s.io/v1alpha2
      kind: ClusterNetworkPolicy
      metadata: {name: no-ssh}
      spec:
        tier: Admin
        priority: 10
        subject: {namespaces: {}}
        ingress:
        - action: Deny
          from: [{namespaces: {}}]
          protocols: [{tcp: {destinationPort: {number: 22}}}]
      ---
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {name: typo, namespace: shop}
      spec:
        podSelector: {matchLabels: {app: nobody}}
        ingress: [{form: []}]
      """;

  @TempDir Path folder;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private Path shop = Path.of("");

  @BeforeEach
  void writeShop() throws IOException {
    shop = Files.writeString(folder.resolve("shop.yaml"), SHOP);
  }

  private int audit(String... arguments) {
    String[] all = new String[arguments.length + 3];
    all[0] = "audit";
    all[1] = "-f";
    all[2] = shop.toString();
    System.arraycopy(arguments, 0, all, 3, arguments.length);
    return Sund.commandLine(Map.of("NO_COLOR", "1"))
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all);
  }

  private Map<String, Object> json() throws Json.MalformedException {
    return Json.object(out.toString().getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void eachMistakeIsFoundAndNamed() { // N2, N3, N11, N25, N26, N27
    assertThat(audit()).isEqualTo(ExitCode.DIFFERS);
    assertThat(out.toString())
        .contains(
            "error    policy-faulty  NetworkPolicy shop/typo spec.ingress[0].form",
            "no-default-deny-ingress  Namespace kube-system: no policy isolates all of its pods for"
                + " ingress: 1 of 1 is isolated by none.",
            "reaches-internet  Deployment kube-system/coredns: it may connect to addresses of the"
                + " Internet on every port.",
            "reachable-from-everywhere  Deployment kube-system/coredns",
            "egress-without-dns  Deployment shop/front: it may connect to others, but not to the"
                + " cluster's DNS on tcp 53, udp 53.",
            "policy-selects-nothing  NetworkPolicy shop/typo: no pod matches app=nobody",
            "rule-matches-nothing  NetworkPolicy shop/back ingress rule 1, peer 0: no pod matches"
                + " app=fronted of namespace shop",
            "warning  port-not-opened  NetworkPolicy shop/back ingress rule 0, port 'metrics'",
            "rule-shadowed  NetworkPolicy shop/front egress rule 1",
            "not-covered  Namespace kube-system: 1 of 2 pods is on the node's network")
        .doesNotContain(
            "no-default-deny-ingress  Namespace shop", "egress-without-dns  Deployment shop/back");
  }

  /** What no single rule covers, several may. */
  @Test
  void whatSeveralRulesCoverTogetherIsNamedWithAllOfThem() throws IOException {
    shop =
        Files.writeString(
            shop,
            SHOP
                + """
                ---
                apiVersion: networking.k8s.io/v1
                kind: NetworkPolicy
                metadata: {name: parts, namespace: shop}
                spec:
                  podSelector: {}
                  ingress:
                  - from: [{podSelector: {matchLabels: {app: front}}}]
                    ports: [{port: 1000, endPort: 1999}]
                  - from: [{podSelector: {matchLabels: {app: back}}}, {ipBlock: {cidr: 10.0.0.0/8}}]
                    ports: [{port: 1000, endPort: 2999}]
                  - from: [{podSelector: {}}]
                    ports: [{port: 2000, endPort: 2500}]
                  - from: [{podSelector: {}}, {ipBlock: {cidr: 10.1.0.0/16}}]
                    ports: [{port: 1500, endPort: 2200}]
                  - from: [{podSelector: {}}]
                    ports: [{port: 1500, endPort: 2600}]
                ---
                apiVersion: policy.networking.k8s.io/v1alpha2
                kind: ClusterNetworkPolicy
                metadata: {name: parts}
                spec:
                  tier: Admin
                  priority: 20
                  subject: {namespaces: {}}
                  egress:
                  - action: Deny
                    to: [{networks: [10.0.0.0/8]}]
                    protocols: [{tcp: {destinationPort: {range: {start: 1, end: 99}}}}]
                  - action: Deny
                    to: [{networks: [10.0.0.0/8]}]
                    protocols: [{tcp: {destinationPort: {range: {start: 100, end: 199}}}}]
                  - action: Accept
                    to: [{networks: [10.1.0.0/16]}]
                    protocols: [{tcp: {destinationPort: {range: {start: 50, end: 150}}}}]
                  - action: Accept
                    to: [{networks: [10.1.0.0/16]}]
                    protocols: [{tcp: {destinationPort: {range: {start: 50, end: 250}}}}]
                """);
    audit();
    assertThat(out.toString())
        .contains(
            "rule-shadowed  NetworkPolicy shop/parts ingress rule 3: all that it allows"
                + " NetworkPolicy shop/parts ingress rule 1 and NetworkPolicy shop/parts ingress"
                + " rule 4 allow together.",
            "rules-contradict  ClusterNetworkPolicy parts egress rule 2: it is never asked:"
                + " ClusterNetworkPolicy parts egress rule 0 and ClusterNetworkPolicy parts egress"
                + " rule 1 take all of it before.")
        .doesNotContain("shop/parts ingress rule 4:", "ClusterNetworkPolicy parts egress rule 3:");
  }

  @Test
  void theEndCodeFollowsTheSeverityAsked() {
    assertThat(audit("--fail-on", "never")).isEqualTo(ExitCode.OK);
    assertThat(audit("--fail-on", "info")).isEqualTo(ExitCode.DIFFERS);
  }

  @Test
  void whatAPodReachesAndWhoReachesOthersIsSaidOfAllPorts() throws Exception { // N23
    assertThat(audit("--from", "shop/front")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("Deployment shop/back  1 of 1  tcp 5432");
    out.getBuffer().setLength(0);
    assertThat(audit("--to", "app=back", "-n", "shop", "-o", "json")).isEqualTo(ExitCode.OK);
    Map<String, Object> radius = json();
    assertThat(radius.get("reached")).hasToString("1");
    assertThat(Json.children(radius, "workloads"))
        .singleElement()
        .satisfies(row -> assertThat(row.get("workload")).isEqualTo("Deployment shop/front"));
    assertThat(audit("--from", "shop/none")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("there is no pod shop/none that policies can be about");
  }

  @Test
  void whoIsReachedCanBeNamedAsAPodAndAsAService() throws Exception {
    shop =
        Files.writeString(
            shop,
            SHOP
                + """
                ---
                apiVersion: v1
                kind: Pod
                metadata: {name: lone, namespace: shop, labels: {app: back}}
                spec: {containers: [{name: c}]}
                ---
                apiVersion: v1
                kind: Service
                metadata: {name: back, namespace: shop}
                spec: {selector: {app: back}, ports: [{port: 80}]}
                """);
    for (String[] named :
        new String[][] {
          {"shop/lone", ""},
          {"lone", ""},
          {"lone", "shop"},
          {"service/back", "shop"},
          {"svc/shop/back", ""},
          {"app=back", "shop"}
        }) {
      out.getBuffer().setLength(0);
      assertThat(audit("-o", "json", "--to", named[0], "-n", named[1])).isEqualTo(ExitCode.OK);
      boolean one = named[0].endsWith("lone");
      assertThat((List<?>) json().get("pods")).as(named[0]).hasSize(one ? 1 : 2);
      assertThat(out.toString()).contains("Deployment shop/front");
    }
    out.getBuffer().setLength(0);
    assertThat(audit("--to", "service/back", "-n", "shop")).isEqualTo(ExitCode.OK);
    assertThat(out.toString()).contains("who can reach the 2 pods of service back:");
    assertThat(audit("--to", "nobody")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("there is no pod 'nobody' (and labels are written");
    assertThat(audit("--to", "service/none")).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains("there is no Service default/none");
  }

  @Test
  void findingsAreSuppressedWithAReasonUntilADay() throws Exception {
    Path file =
        Files.writeString(
            folder.resolve("known.yaml"),
            """
            suppressions:
            - {finding: policy-faulty, object: NetworkPolicy shop/*, reason: known, until: 2999-12-31}
            - {finding: not-covered, object: Namespace kube-system, reason: old, until: 2020-01-01}
            - {finding: not-covered, object: Namespace gone, reason: gone, until: 2999-12-31}
            """);
    assertThat(audit("--suppressions", file.toString())).isEqualTo(ExitCode.OK);
    assertThat(out.toString())
        .doesNotContain("policy-faulty")
        .contains(
            "suppression "
                + file
                + ":3: not-covered of Namespace kube-system: it expired on"
                + " 2020-01-01, and the finding counts again.",
            "suppression "
                + file
                + ":4: not-covered of Namespace gone: it fits no finding; leave it"
                + " out.",
            "0 errors",
            "1 suppressed");
    out.getBuffer().setLength(0);
    audit("--suppressions", file.toString(), "-o", "sarif");
    assertThat(out.toString()).contains("\"justification\":\"known (until 2999-12-31)\"");
    assertThat(SarifForm.wrong(json())).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "suppressions: [{finding: no-such, object: A b, reason: r, until: 2999-12-31}]",
        "suppressions: [{finding: not-covered, object: A b, until: 2999-12-31}]",
        "suppressions: [{finding: not-covered, object: A b, reason: r, until: soon}]",
        "suppressions: [{finding: not-covered, objekt: A b, reason: r, until: 2999-12-31}]",
        "findings: []"
      })
  void aSuppressionThatCannotBeIsNamedWithItsLine(String text) throws IOException {
    Path file = Files.writeString(folder.resolve("wrong.yaml"), text);
    assertThat(audit("--suppressions", file.toString())).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains(file + ":1: ");
  }

  @Test
  void sarifHasWhatItsStandardRequires() throws Exception {
    shop = Files.writeString(folder.resolve("a shop [1] %.yaml"), SHOP);
    audit("-o", "sarif");
    Map<String, Object> sarif = json();
    assertThat(SarifForm.wrong(sarif)).isEmpty();
    assertThat(out.toString()).doesNotContain(":null", "[null");
    assertThat(sarif).containsEntry("version", "2.1.0").containsKey("$schema");
    Map<String, Object> run = Json.children(sarif, "runs").getFirst();
    Map<String, Object> driver = Json.child(Json.child(run, "tool"), "driver");
    assertThat(driver.get("name")).isEqualTo("sund audit");
    List<Map<String, Object>> rules = Json.children(driver, "rules");
    List<Map<String, Object>> results = Json.children(run, "results");
    assertThat(results).isNotEmpty();
    for (Map<String, Object> result : results) {
      Object rule = rules.get((int) Json.number(result, "ruleIndex")).get("id");
      assertThat(result.get("ruleId")).isEqualTo(rule);
      assertThat(Json.text(Json.child(result, "message"), "text")).isNotEmpty();
      assertThat(Json.text(result, "level")).isIn("error", "warning", "note");
      assertThat(Json.child(result, "partialFingerprints")).isNotEmpty();
    }
    assertThat(
            results.stream().filter(one -> one.get("ruleId").equals("policy-faulty")).findFirst())
        .hasValueSatisfying(found -> {
          Map<String, Object> place =
              Json.child(Json.children(found, "locations").getFirst(), "physicalLocation");
          assertThat(Json.text(Json.child(place, "artifactLocation"), "uri"))
              .endsWith("/a%20shop%20%5B1%5D%20%25.yaml");
          long line = Json.number(Json.child(place, "region"), "startLine");
          assertThat(SHOP.lines().toList().get((int) line - 1)).contains("form: []");
        });
  }

  /** The test's own judge of SARIF: each kind of fault is found. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '=',
      quoteCharacter = '`',
      value = {
        "\"version\":\"2.1.0\"=\"version\":\"2.0.0\"",
        "\"level\":\"warning\"=\"level\":\"bad\"",
        "\"startLine\":=\"startLine\":0,\"endLine\":",
        "\"message\":{\"text\"=\"message\":{\"texts\"",
        "\"ruleIndex\":=\"ruleIndex\":9",
        "\"locations\":[{=\"locations\":[{\"lines\":3,",
        "\"driver\":{\"name\":\"sund audit\",=\"driver\":{"
      })
  void faultsOfSarifAreFound(String right, String fault) throws Exception {
    audit("-o", "sarif");
    String text = out.toString();
    assertThat(text).contains(right);
    assertThat(
            SarifForm.wrong(
                Json.object(text.replace(right, fault).getBytes(StandardCharsets.UTF_8))))
        .isNotEmpty();
  }

  @Test
  void thePageLoadsNothingAndTextInItMeansNothing() throws IOException {
    shop = Files.writeString(shop, SHOP.replace("fronted", "\"<script>alert(1)</script>\""));
    audit("-o", "html");
    assertThat(out.toString())
        .contains("<svg id=\"graph\"", "shop/front to shop/back: tcp 5432", "</html>")
        .contains("default-src &#39;none&#39;".replace("&#39;", "'"))
        .doesNotContain("src=\"", "href=\"", "url(http", "@import", "alert(1)</script>");
    out.getBuffer().setLength(0);
    audit("-o", "markdown");
    assertThat(out.toString())
        .contains("| from | to | pairs | ports |", "| shop | shop | 1 | tcp 5432 |");
  }

  @Test
  void whatCannotBeReadIsNamedByObjectAndField() throws IOException {
    shop = Files.writeString(shop, "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: [1]\n");
    assertThat(audit()).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains(shop + ":4: Pod default/a spec");
    shop = Files.writeString(shop, "{}");
    assertThat(audit()).isEqualTo(ExitCode.BAD_INPUT);
    shop = folder.resolve("none.yaml");
    assertThat(audit()).isEqualTo(ExitCode.BAD_INPUT);
    assertThat(err.toString()).contains(shop + ": File");
  }
}
