package dev.sund.it.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.policy.oracle.End;
import dev.sund.it.policy.oracle.Oracle;
import dev.sund.model.Protocol;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * The rules one by one, on one small cluster: what the oracle says of each was read off the rule,
 * and Sund must say the same.
 */
class OracleTest {
  private static final String CLUSTER =
      """
      {"kind":"Namespace","metadata":{"name":"shop","labels":{"team":"a"}}},
      {"kind":"Namespace","metadata":{"name":"lab","labels":{"team":"b"}}},
      {"kind":"Node","metadata":{"name":"n1","labels":{"role":"edge"}},"status":{"addresses":[
       {"type":"InternalIP","address":"192.168.0.1"}]}},
      {"kind":"Node","metadata":{"name":"n2"},"status":{"addresses":[
       {"type":"InternalIP","address":"192.168.0.2"}]}},
      {"kind":"Pod","metadata":{"namespace":"shop","name":"web","labels":{"app":"web"}},
       "spec":{"nodeName":"n1","containers":[{"name":"c","ports":[
        {"name":"http","containerPort":8080}]}]},"status":{"podIPs":[{"ip":"10.0.1.1"}]}},
      {"kind":"Pod","metadata":{"namespace":"shop","name":"db","labels":{"app":"db"}},
       "spec":{"nodeName":"n2","containers":[{"name":"c","ports":[
        {"name":"http","containerPort":80},{"name":"dns","containerPort":53,"protocol":"UDP"}]}]},
       "status":{"podIPs":[{"ip":"10.0.2.1"}]}},
      {"kind":"Pod","metadata":{"namespace":"lab","name":"web","labels":{"app":"web"}},
       "spec":{"nodeName":"n2","containers":[{"name":"c"}]},
       "status":{"podIPs":[{"ip":"10.0.2.2"}]}}
      """;
  private static final End WEB = End.pod("shop/web", "10.0.1.1");
  private static final End DB = End.pod("shop/db", "10.0.2.1");
  private static final End LAB = End.pod("lab/web", "10.0.2.2");
  private static final End OUTSIDE = End.outside("203.0.113.9");
  private static final End N1 = End.node("n1", "192.168.0.1");
  private static final End N2 = End.node("n2", "192.168.0.2");
  private static final String DENY =
      policy("deny", "{\"podSelector\":{},\"policyTypes\":[\"Ingress\",\"Egress\"]}");

  private static String policy(String name, String spec) {
    return ",{\"kind\":\"NetworkPolicy\",\"metadata\":{\"namespace\":\"shop\",\"name\":\""
        + name
        + "\"},\"spec\":"
        + spec
        + "}";
  }

  /** A policy about the database's ingress, written with single quotes. */
  private static String toDb(String rules) {
    return policy(
        "db",
        ("{'podSelector':{'matchLabels':{'app':'db'}},'ingress':" + rules + "}")
            .replace('\'', '"'));
  }

  private static String cluster(String name, String tier, int priority, String rest) {
    return ",{\"kind\":\"ClusterNetworkPolicy\",\"metadata\":{\"name\":\""
        + name
        + ("\"},\"spec\":{'tier':'"
                + tier
                + "','priority':"
                + priority
                + ",'subject':{'namespaces':{'matchLabels':{'team':'a'}}},"
                + rest
                + "}}")
            .replace('\'', '"');
  }

  /** Asks both sides, which must agree, for TCP. */
  private static boolean may(String policies, End from, End to, int port) {
    return may(policies, from, to, Protocol.TCP, port);
  }

  private static boolean may(String policies, End from, End to, Protocol protocol, int port) {
    String text = "{\"kind\":\"List\",\"items\":[" + CLUSTER + policies + "]}";
    Oracle.Answer said = Oracle.of(text).mayConnect(from, to, protocol.name(), port);
    assertThat(Compiled.of(text, Mutant.SOUND, 1).mayConnect(from, to, protocol, port))
        .as("%s to %s %d/%s with %s", from, to, port, protocol, policies)
        .isEqualTo(said);
    return said.allowed();
  }

  @Test
  void withoutPoliciesAllIsAllowed() {
    for (End from : List.of(WEB, LAB, OUTSIDE, N1)) {
      assertThat(may("", from, DB, 80)).isTrue();
    }
  }

  @Test
  void aSelectorIsAboutItsOwnNamespace() { // N1, N2, N3
    String ingress = policy("p", "{\"podSelector\":{}}");
    assertThat(may(ingress, LAB, DB, 80)).isFalse();
    assertThat(may(ingress, DB, LAB, 80)).isTrue();
    assertThat(may(policy("p", "{\"podSelector\":{},\"egress\":[]}"), DB, LAB, 80)).isTrue();
    assertThat(may(policy("p", "{\"policyTypes\":[\"Egress\"]}"), DB, LAB, 80)).isFalse();
    assertThat(may(policy("p", "{\"ingress\":[{}]}"), LAB, DB, 80)).isTrue();
    assertThat(may(policy("p", "{\"ingress\":[{\"from\":[],\"ports\":[]}]}"), LAB, DB, 80))
        .isTrue();
  }

  @Test
  void peersAreAlternativesAndSelectorsOfOnePeerHoldTogether() { // N4, N5
    String both =
        toDb(
            "[{'from':[{'namespaceSelector':{'matchLabels':{'team':'b'}},"
                + "'podSelector':{'matchLabels':{'app':'web'}}}]}]");
    assertThat(may(both, LAB, DB, 80)).isTrue();
    assertThat(may(both, WEB, DB, 80)).isFalse();
    String either =
        toDb(
            "[{'from':[{'namespaceSelector':{'matchLabels':{'team':'b'}}},"
                + "{'podSelector':{'matchLabels':{'app':'web'}}}]}]");
    assertThat(may(either, WEB, DB, 80)).isTrue();
    String own = toDb("[{'from':[{'podSelector':{}}]}]");
    assertThat(may(own, WEB, DB, 80)).isTrue();
    assertThat(may(own, LAB, DB, 80)).isFalse();
    String byName =
        toDb(
            "[{'from':[{'namespaceSelector':"
                + "{'matchLabels':{'kubernetes.io/metadata.name':'lab'}}}]}]");
    assertThat(may(byName, LAB, DB, 80)).isTrue();
  }

  @Test
  void blocksContainPodsTooAndAnotherRuleAllowsWhatOneExcepts() { // N6, N7
    String block = "{'from':[{'ipBlock':{'cidr':'10.0.0.0/8','except':['10.0.2.0/24']}}]}";
    assertThat(may(toDb("[" + block + "]"), WEB, DB, 80)).isTrue();
    assertThat(may(toDb("[" + block + "]"), LAB, DB, 80)).isFalse();
    String other = "{'from':[{'ipBlock':{'cidr':'10.0.2.2/32'}}]}";
    assertThat(may(toDb("[" + block + "," + other + "]"), LAB, DB, 80)).isTrue();
  }

  @Test
  void portsAreOfTcpAndAProtocolAloneIsAllOfIt() { // N9, N10, N13, N14
    assertThat(may(toDb("[{'ports':[{'port':80}]}]"), WEB, DB, 80)).isTrue();
    assertThat(may(toDb("[{'ports':[{'port':80}]}]"), WEB, DB, Protocol.UDP, 80)).isFalse();
    String udp = toDb("[{'ports':[{'protocol':'UDP'}]}]");
    assertThat(may(udp, WEB, DB, Protocol.UDP, 9)).isTrue();
    assertThat(may(udp, WEB, DB, 9)).isFalse();
    String sctp = toDb("[{'ports':[{'protocol':'SCTP','port':80}]}]");
    assertThat(may(sctp, WEB, DB, Protocol.SCTP, 80)).isTrue();
    assertThat(may(sctp, WEB, DB, 80)).isFalse();
    assertThat(may(sctp, WEB, DB, Protocol.ICMP, 0)).isFalse();
    assertThat(may(toDb("[{}]"), WEB, DB, Protocol.ICMP, 0)).isTrue();
  }

  @Test
  void aNameIsTheDestinationsOwn() { // N11
    String in = toDb("[{'ports':[{'port':'http'}]}]");
    assertThat(may(in, WEB, DB, 80)).isTrue();
    assertThat(may(in, WEB, DB, 8080)).isFalse();
    String out =
        policy(
            "p", "{\"policyTypes\":[\"Egress\"],\"egress\":[{\"ports\":[{\"port\":\"http\"}]}]}");
    assertThat(may(out, DB, WEB, 8080)).isTrue();
    assertThat(may(out, WEB, DB, 80)).isTrue();
    assertThat(may(out, WEB, DB, 8080)).isFalse();
    assertThat(may(out, WEB, OUTSIDE, 80)).isFalse();
    assertThat(may(toDb("[{'ports':[{'port':'dns'}]}]"), WEB, DB, Protocol.UDP, 53)).isFalse();
  }

  @Test
  void aRangeHasBothItsEnds() { // N12
    String range = toDb("[{'ports':[{'port':80,'endPort':90}]}]");
    assertThat(may(range, WEB, DB, 79)).isFalse();
    assertThat(may(range, WEB, DB, 80)).isTrue();
    assertThat(may(range, WEB, DB, 90)).isTrue();
    assertThat(may(range, WEB, DB, 91)).isFalse();
  }

  @Test
  void aPodsOwnNodeAndThePodItselfAlwaysReachIt() { // N15, N16
    assertThat(may(DENY, N2, DB, 80)).isTrue();
    assertThat(may(DENY, N1, DB, 80)).isFalse();
    assertThat(may(DENY, DB, N2, 80)).isFalse();
    assertThat(may(DENY, DB, DB, 80)).isTrue();
  }

  @Test
  void policiesAddUpAndBothSidesMustAllow() { // N22, N23
    String in = toDb("[{'from':[{'podSelector':{}}]}]");
    assertThat(may(DENY + in, WEB, DB, 80)).isFalse();
    String out = policy("out", "{\"policyTypes\":[\"Egress\"],\"egress\":[{}]}");
    assertThat(may(DENY + in + out, WEB, DB, 80)).isTrue();
    assertThat(may(DENY + in + out, LAB, DB, 80)).isFalse();
  }

  @Test
  void tiersAndPrioritiesAreAskedInOrder() { // N27, N28
    String all = "'ingress':[{'action':'%s','from':[{'namespaces':{}}]}]";
    String deny = all.formatted("Deny");
    String accept = all.formatted("Accept");
    String pass = all.formatted("Pass");
    String open = policy("open", "{\"ingress\":[{}]}");
    assertThat(may(cluster("a", "Admin", 5, deny) + open, LAB, DB, 80)).isFalse();
    assertThat(may(cluster("a", "Baseline", 5, deny) + open, LAB, DB, 80)).isTrue();
    assertThat(may(cluster("a", "Baseline", 5, deny), LAB, DB, 80)).isFalse();
    assertThat(may(cluster("a", "Admin", 5, accept) + DENY, LAB, DB, 80)).isTrue();
    String both = cluster("a", "Admin", 9, deny) + cluster("b", "Admin", 5, accept);
    assertThat(may(both, LAB, DB, 80)).isTrue();
    String same = cluster("b", "Admin", 5, accept) + cluster("a", "Admin", 5, deny);
    assertThat(may(same, LAB, DB, 80)).isFalse(); // of the same priority the name decides
    String passed = cluster("b", "Admin", 4, pass) + cluster("a", "Admin", 5, accept) + DENY;
    assertThat(may(passed, LAB, DB, 80)).isFalse();
    assertThat(may(cluster("a", "Admin", 5, deny), OUTSIDE, DB, 80)).isTrue();
  }

  @Test
  void networksContainPodsAndIcmp() { // N26, N29
    String deny =
        cluster("a", "Admin", 5, "'egress':[{'action':'Deny','to':[{'networks':['0.0.0.0/0']}]}]");
    assertThat(may(deny, WEB, DB, 80)).isFalse();
    assertThat(may(deny, WEB, DB, Protocol.ICMP, 0)).isFalse();
    String nodes =
        cluster(
            "a",
            "Admin",
            5,
            "'egress':[{'action':'Deny','to':[{'nodes':{'matchLabels':{'role':'edge'}}}]}]");
    assertThat(may(nodes, DB, N1, 80)).isFalse();
    assertThat(may(nodes, DB, N2, 80)).isTrue();
  }

  @Test
  void whatIsNotUnderstoodFailsClosed() { // N28, N30
    String names = "'egress':[{'action':'%s','to':[{'domainNames':['*.example.com']}]}]";
    assertThat(may(cluster("a", "Admin", 5, names.formatted("Deny")), WEB, DB, 80)).isFalse();
    assertThat(may(cluster("a", "Admin", 5, names.formatted("Pass")), WEB, DB, 80)).isFalse();
    String accept = cluster("a", "Admin", 5, names.formatted("Accept"));
    assertThat(may(accept + DENY, WEB, OUTSIDE, 80)).isFalse();
    assertThat(may(accept, WEB, OUTSIDE, 80)).isTrue();
    assertThat(may(toDb("[{'form':[{'podSelector':{}}]}]"), WEB, DB, 80)).isFalse();
    assertThat(may(toDb("[{'from':[{}]}]"), WEB, DB, 80)).isFalse();
    assertThat(may(toDb("[{'ports':[{'port':90,'endPort':80}]}]"), WEB, DB, 85)).isFalse();
  }
}
