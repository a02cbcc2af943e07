package dev.sund.kube.object;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What the cluster's policies mean, rule by rule. */
class ClusterNetworkPolicyParserTest {
  private static String said(String spec) throws Exception {
    return PolicyTexts.said(PolicyTexts.cluster(spec)).replace("ClusterNetworkPolicy p: ", "");
  }

  @Test
  void tierAndPrioritySayWhenItIsAsked() throws Exception { // N27
    assertThat(said("{tier: Admin, priority: 1000, subject: {namespaces: {}}}"))
        .isEqualTo("ADMIN 1000, pods (all) of (all)\n");
    assertThat(
            said(
                "{tier: Baseline, priority: 0, subject:"
                    + " {pods: {podSelector: {matchLabels: {app: db}}}}}"))
        .isEqualTo("BASELINE 0, pods (app=db) of (all)\n");
  }

  @Test
  void rulesKeepTheirOrderAndAction() throws Exception { // N27, N28
    assertThat(
            said(
                "{tier: Admin, priority: 1, subject: {namespaces: {matchLabels: {team: a}}},"
                    + " ingress: [{name: monitoring, action: Accept, from:"
                    + " [{namespaces: {matchLabels: {team: b}}}, {pods: {namespaceSelector: {},"
                    + " podSelector: {matchLabels: {app: web}}}}]},"
                    + " {action: Pass, from: [{namespaces: {}}], protocols:"
                    + " [{tcp: {destinationPort: {number: 80}}},"
                    + " {udp: {destinationPort: {range: {start: 1, end: 9}}}},"
                    + " {sctp: {destinationPort: {number: 7}}}, {destinationNamedPort: web}]},"
                    + " {action: Deny, from: [{namespaces: {}}]}]}"))
        .isEqualTo(
            """
            ADMIN 1, pods (all) of (team=a)
              INGRESS 0 'monitoring' ACCEPT: pods (all) of (team=b) or pods (app=web) of (all) on all
              INGRESS 1 PASS: pods (all) of (all) on tcp 80-80 or udp 1-9 or sctp 7-7 or web
              INGRESS 2 DENY: pods (all) of (all) on all
            """);
  }

  @Test
  void egressKnowsNodesAndNetworks() throws Exception { // N29
    assertThat(
            said(
                "{tier: Baseline, priority: 5, subject: {namespaces: {}}, egress:"
                    + " [{action: Deny, to: [{networks: [0.0.0.0/0, '::/0']},"
                    + " {nodes: {matchLabels: {role: edge}}}]}]}"))
        .contains("EGRESS 0 DENY: 0.0.0.0/0 or ::/0 or nodes (role=edge) on all");
  }
}
