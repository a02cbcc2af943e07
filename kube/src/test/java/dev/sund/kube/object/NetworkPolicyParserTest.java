package dev.sund.kube.object;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import dev.sund.engine.cluster.Policy;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What namespaces' policies mean, rule by rule. */
class NetworkPolicyParserTest {
  private static String said(String spec) throws Exception {
    return PolicyTexts.said(PolicyTexts.network(spec)).replace("NetworkPolicy shop/p: ", "");
  }

  @Test
  void withoutASelectorAllPodsOfTheNamespaceAreMeant() throws Exception { // N1
    assertThat(said("{podSelector: {}}"))
        .isEqualTo("NAMESPACE, pods (all) of shop, isolates INGRESS\n");
    assertThat(said("{policyTypes: [Ingress]}")).isEqualTo(said("{podSelector: {}}"));
  }

  @Test
  void withoutTypesIngressIsMeantAndEgressOnlyWithRules() throws Exception { // N2
    assertThat(PolicyTexts.network("{}").isolates()).hasToString("[INGRESS]");
    assertThat(PolicyTexts.network("{egress: []}").isolates()).hasToString("[INGRESS]");
    assertThat(PolicyTexts.network("{policyTypes: [], egress: [{}]}").isolates()).hasSize(2);
    assertThat(PolicyTexts.network("{policyTypes: [Egress]}").isolates()).hasToString("[EGRESS]");
  }

  @Test
  void noRulesAllowNothingAndAnEmptyRuleAllowsAll() throws Exception { // N3
    assertThat(said("{ingress: []}")).doesNotContain("ACCEPT");
    assertThat(said("{ingress: [{}]}")).contains("INGRESS 0 ACCEPT: anyone on all\n");
    assertThat(said("{ingress: [{from: [], ports: null}]}")).contains("anyone on all\n");
  }

  @Test
  void entriesAreAlternativesAndSelectorsOfOneEntryHoldTogether() throws Exception { // N4
    String a = "namespaceSelector: {matchLabels: {team: a}}";
    String web = "podSelector: {matchLabels: {app: web}}";
    assertThat(said("{ingress: [{from: [{%s, %s}]}]}".formatted(a, web)))
        .contains(": pods (app=web) of (team=a) on");
    assertThat(said("{ingress: [{from: [{%s}, {%s}]}]}".formatted(a, web)))
        .contains(": pods (all) of (team=a) or pods (app=web) of shop on");
  }

  @Test
  void aPodSelectorAloneStaysInItsNamespace() throws Exception { // N5
    assertThat(said("{egress: [{to: [{podSelector: {}}, {namespaceSelector: {}}]}]}"))
        .contains("EGRESS 0 ACCEPT: pods (all) of shop or pods (all) of (all) on all");
  }

  @Test
  void blocksHaveExceptions() throws Exception { // N6
    assertThat(
            said(
                "{ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}},"
                    + " {ipBlock: {cidr: 'fd00::/8'}}]}]}"))
        .contains(": 10.0.0.0/8 but 10.1.0.0/16 or fd00::/8 on all");
  }

  @Test
  void portsAreOfTcpUnlessTheySayOtherwise() throws Exception { // N9, N10, N11, N12, N13, N14
    assertThat(
            said(
                "{ingress: [{ports: [{port: 80}, {protocol: UDP, port: 53}, {protocol: SCTP}, {},"
                    + " {port: web}, {protocol: UDP, port: dns}, {port: 8000, endPort: 8080}]}]}"))
        .contains(
            ": anyone on tcp 80-80 or udp 53-53 or sctp 0-65535 or tcp 0-65535"
                + " or tcp web or udp dns or tcp 8000-8080\n");
  }

  @Test
  void allOperatorsAreRead() throws Exception {
    assertThat(
            said(
                "{podSelector: {matchLabels: {app: web, tier: null}, matchExpressions:"
                    + " [{key: a/b, operator: In, values: [x, y]},"
                    + " {key: c, operator: NotIn, values: [z]},"
                    + " {key: d, operator: Exists}, {key: e, operator: DoesNotExist}]}}"))
        .contains("pods (a/b in (x,y),app=web,c notin (z),d,!e,tier=) of shop");
  }

  @Test
  void identityIsRead() throws Exception {
    Policy policy =
        PolicyTexts.good(
            """
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata:
              name: p
              namespace: shop
              uid: 6e2f
              creationTimestamp: 1970-01-01T00:01:00Z
              generation: 7
            """);
    assertThat(policy.ref()).hasToString("NetworkPolicy shop/p");
    assertThat(policy.uid()).isEqualTo("6e2f");
    assertThat(policy.created()).isEqualTo(60);
    assertThat(policy.generation()).isEqualTo(7);
  }

  @Test
  void theListingsOfTheArticlesWorkAsWritten() throws Exception {
    assertThat(example("articles/2018-default-deny.yaml"))
        .isEqualTo(
            "NetworkPolicy production/default-deny: NAMESPACE, pods (all) of production,"
                + " isolates INGRESS\n");
    assertThat(example("articles/2021-network-policies.yaml"))
        .isEqualTo(
            """
            NetworkPolicy production/default-deny-all: NAMESPACE, pods (all) of production, \
            isolates INGRESS
            NetworkPolicy production/allow-frontend-to-backend: NAMESPACE, \
            pods (app=backend) of production, isolates INGRESS
              INGRESS 0 ACCEPT: pods (app=frontend) of production on tcp 5432-5432
            """);
    assertThat(example("articles/2022-deny-all.yaml"))
        .isEqualTo(
            "NetworkPolicy default/default-deny-all: NAMESPACE, pods (all) of default,"
                + " isolates INGRESS, isolates EGRESS\n");
  }

  @Test
  void theExamplesHaveNoProblems() throws Exception {
    try (Stream<Path> files = Files.list(examples().resolve("policies"))) {
      for (Path file : files.filter(one -> one.toString().endsWith(".yaml")).toList()) {
        // The pods that they are about stand beside them.
        assertThat(example("policies/" + file.getFileName()).isEmpty())
            .isEqualTo(file.endsWith("pods.yaml"));
      }
    }
  }

  @Test
  void aWatchSeesFieldsThatAreNotKnown() throws IOException {
    String json =
        """
        {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
         "metadata": {"name": "p", "namespace": "shop", "managedFields": []},
         "spec": {"podSelector": {}, "ingress": [{"form": []}]}}
        """;
    try (JsonParser parser = JsonTrees.factory().createParser(json)) {
      parser.nextToken();
      Tree tree = JsonTrees.value(parser, NetworkPolicyParser.SHAPE);
      Parsed<Policy> parsed = PolicyTexts.parse((Tree.Mapping) tree);
      assertThat(parsed.problems()).hasSize(1);
      assertThat(PolicyTexts.said(parsed.value().orElseThrow())).contains("nobody on nothing");
    }
  }

  private static Path examples() {
    return Path.of(System.getProperty("sund.root"), "examples");
  }

  private static String example(String file) throws Exception {
    String text = Files.readString(examples().resolve(file));
    List<Parsed<Policy>> parsed = text.contains("Policy\n") ? PolicyTexts.parse(text) : List.of();
    StringBuilder said = new StringBuilder();
    for (Parsed<Policy> one : parsed) {
      assertThat(one.problems()).as(file).isEmpty();
      said.append(PolicyTexts.said(one.value().orElseThrow()));
    }
    return said.toString();
  }
}
