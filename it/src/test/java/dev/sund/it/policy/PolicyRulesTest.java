package dev.sund.it.policy;

import static dev.sund.it.policy.PolicyBed.Claim.may;
import static dev.sund.it.policy.PolicyBed.Claim.mayNot;
import static dev.sund.model.Protocol.ICMP;
import static dev.sund.model.Protocol.SCTP;
import static dev.sund.model.Protocol.TCP;
import static dev.sund.model.Protocol.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.Pod;
import dev.sund.it.policy.PolicyBed.Claim;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The rules of policies, N1 to N30, by packets in namespaces and by the tracer: what a test says of
 * a connection, both said, by IPv4 and by IPv6. Namespace {@code shop} has web and db on n1, far on
 * n2; {@code other} has spy on n1 and guest on n2.
 */
@Tag("netns")
@Timeout(120)
class PolicyRulesTest {
  private static final String WEB = "shop/web";
  private static final String DB = "shop/db";
  private static final String FAR = "shop/far";
  private static final String SPY = "other/spy";
  private static final String GUEST = "other/guest";
  private static final String OUTSIDE = "outside";
  private static final String OF_DB = "podSelector: {matchLabels: {app: db}}, ";
  private static final String OF_WEB = "podSelector: {matchLabels: {app: web}}, ";
  private static final String ALL = "podSelector: {}, ";
  private static final String IN = "policyTypes: [Ingress], ";
  private static final String OUT = "policyTypes: [Egress], ";
  private static final String FROM_WEB = "from: [{podSelector: {matchLabels: {app: web}}}]";

  /** The Service of db, and of far, at port 80; both by node ports, 30080 and 30081. */
  private static final String DB_SERVICE = "10.96.0.1 fd00:96::1";

  private static final String FAR_SERVICE = "10.96.0.2 fd00:96::2";

  @TempDir private static Path directory;
  private static PolicyBed bed;

  @BeforeAll
  static void build() throws Exception {
    bed = PolicyBed.build(MACHINES + PODS, directory);
  }

  @AfterAll
  static void close() throws Exception {
    bed.close();
  }

  private static final String MACHINES =
      """
      ---
      {apiVersion: v1, kind: Node, metadata: {name: n1, uid: n1, labels: {role: front}},
       spec: {podCIDRs: [10.244.1.0/24, "fd00:10:244:1::/64"]},
       status: {addresses: [{type: InternalIP, address: 192.168.11.11}, {type: InternalIP, address: "fd00:a::11"}]}}
      ---
      {apiVersion: v1, kind: Node, metadata: {name: n2, uid: n2, labels: {role: back}},
       spec: {podCIDRs: [10.244.2.0/24, "fd00:10:244:2::/64"]},
       status: {addresses: [{type: InternalIP, address: 192.168.11.12}, {type: InternalIP, address: "fd00:a::12"}]}}
      """;

  private static final String PODS =
      pod("shop", "web", "n1", 10, 80)
          + pod("shop", "db", "n1", 11, 5432)
          + pod("shop", "far", "n2", 10, 5433)
          + pod("other", "spy", "n1", 12, 80)
          + pod("other", "guest", "n2", 11, 80);

  private static final String NAMESPACES =
      """
      ---
      {apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: shop}}}
      ---
      {apiVersion: v1, kind: Namespace, metadata: {name: other, labels: {team: other}}}
      """;

  /** A pod {@code 10.244.N.HOST} whose port {@code sql} has this number. */
  private static String pod(String namespace, String name, String node, int host, int sql) {
    return """
    ---
    {apiVersion: v1, kind: Pod, metadata: {namespace: %s, name: %s, uid: u-%s, labels: {app: %s}},
     spec: {nodeName: %s, containers: [{name: main, ports: [{name: sql, containerPort: %d}]}]},
     status: {podIPs: [{ip: 10.244.%s.%d}, {ip: "fd00:10:244:%s::%x"}]}}
    """
        .formatted(
            namespace,
            name,
            name,
            name,
            node,
            sql,
            node.substring(1),
            host,
            node.substring(1),
            host);
  }

  private static String policy(String name, String spec) {
    return """
    ---
    {apiVersion: networking.k8s.io/v1, kind: NetworkPolicy,
     metadata: {namespace: shop, name: %s, uid: p-%s}, spec: {%s}}
    """
        .formatted(name, name, spec);
  }

  private static String clusterPolicy(String name, String tier, int priority, String spec) {
    return """
    ---
    {apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy,
     metadata: {name: %s, uid: c-%s},
     spec: {tier: %s, priority: %d, subject: {namespaces: {matchLabels: {team: shop}}}, %s}}
    """
        .formatted(name, name, tier, priority, spec);
  }

  private static String service(int number, String pod, String node, int port) {
    StringBuilder text =
        new StringBuilder(
            """
            ---
            {apiVersion: v1, kind: Service, metadata: {namespace: shop, name: s%d, uid: s%d},
             spec: {type: NodePort, clusterIPs: [10.96.0.%d, "fd00:96::%d"], ipFamilies: [IPv4, IPv6],
                    ports: [{name: sql, port: 80, targetPort: %d, nodePort: %d}]}}
            """
                .formatted(number, number, number, number, port, 30_079 + number));
    for (Family family : Family.values()) {
      text.append(
          """
          ---
          {apiVersion: discovery.k8s.io/v1, kind: EndpointSlice,
           metadata: {namespace: shop, name: s%d-%s, uid: e%d-%s, labels: {kubernetes.io/service-name: s%d}},
           addressType: %s, ports: [{name: sql, protocol: TCP, port: %d}],
           endpoints: [{addresses: ["%s"], nodeName: %s, conditions: {ready: true}}]}
          """
              .formatted(
                  number,
                  family.label(),
                  number,
                  family.label(),
                  number,
                  family == Family.V4 ? "IPv4" : "IPv6",
                  port,
                  bed.address(pod, family),
                  node));
    }
    return text.toString();
  }

  private static String services() {
    return service(1, DB, "n1", 5432) + service(2, FAR, "n2", 5433);
  }

  private static void have(String... texts) {
    bed.have(MACHINES + PODS + NAMESPACES + String.join("", texts));
  }

  private static String both(String name) {
    return bed.address(name, Family.V4) + " " + bed.address(name, Family.V6);
  }

  private static String blocks(String... ranges) {
    StringBuilder text = new StringBuilder();
    for (String range : ranges) {
      text.append(text.isEmpty() ? "" : ", ").append("{ipBlock: {cidr: \"").append(range);
      text.append("\"}}");
    }
    return "[" + text + "]";
  }

  /** A range of just this one's addresses. */
  private static String blockOf(String name) {
    return blocks(bed.address(name, Family.V4) + "/32", bed.address(name, Family.V6) + "/128");
  }

  @Test
  void anEmptySelectorIsAllPodsOfTheNamespace() throws Exception { // N1
    for (String selector : List.of(ALL, "")) {
      have(policy("closed", selector + "policyTypes: [Ingress]"));
      bed.check(
          mayNot(SPY, WEB, TCP, 80),
          mayNot(WEB, DB, UDP, 53),
          mayNot(SPY, FAR, SCTP, 7),
          may(WEB, SPY, TCP, 80),
          may(GUEST, SPY, UDP, 80));
    }
  }

  @Test
  void whatDirectionsAPolicyIsolatesFollowsFromItsSections() throws Exception { // N2
    have(policy("in", OF_DB));
    bed.check(mayNot(WEB, DB, TCP, 5432), may(DB, WEB, TCP, 80));
    have(policy("both", OF_DB + "egress: [{ports: [{port: 80}]}]"));
    bed.check(mayNot(WEB, DB, TCP, 5432), mayNot(DB, WEB, TCP, 81), may(DB, WEB, TCP, 80));
  }

  @Test
  void noRuleIsNobodyAndAnEmptyRuleIsEverybody() throws Exception { // N3
    have(policy("none", OF_DB + IN + "ingress: []"));
    bed.check(mayNot(WEB, DB, TCP, 5432), mayNot(OUTSIDE, DB, UDP, 53));
    have(policy("all", OF_DB + IN + "ingress: [{}]"), policy("more", ALL + IN));
    bed.check(
        may(WEB, DB, TCP, 5432),
        may(OUTSIDE, DB, UDP, 53),
        may(GUEST, DB, ICMP, 0),
        mayNot(OUTSIDE, WEB, TCP, 80));
  }

  @Test
  void entriesAreAlternativesAndWhatOneSaysMustAllHold() throws Exception { // N4
    have(
        policy(
            "either",
            OF_DB
                + "ingress: [{from: [{podSelector: {matchLabels: {app: web}}},"
                + " {namespaceSelector: {matchLabels: {team: other}}}]}]"));
    bed.check(may(WEB, DB, TCP, 1), may(SPY, DB, TCP, 1), mayNot(FAR, DB, TCP, 1));
    have(
        policy(
            "together",
            OF_DB
                + "ingress: [{from: [{podSelector: {matchLabels: {app: spy}},"
                + " namespaceSelector: {matchLabels: {team: other}}}]}]"));
    bed.check(may(SPY, DB, TCP, 1), mayNot(WEB, DB, TCP, 1), mayNot(GUEST, DB, TCP, 1));
  }

  @Test
  void podsAreOfThePolicysNamespaceUnlessItSaysOthers() throws Exception { // N5
    have(policy("own", OF_DB + "ingress: [{from: [{podSelector: {}}]}]"));
    bed.check(may(WEB, DB, TCP, 1), may(FAR, DB, TCP, 1), mayNot(SPY, DB, TCP, 1));
    have(policy("every", OF_DB + "ingress: [{from: [{namespaceSelector: {}}]}]"));
    bed.check(may(WEB, DB, TCP, 1), may(GUEST, DB, TCP, 1), mayNot(OUTSIDE, DB, TCP, 1));
    have(
        policy(
            "named",
            OF_DB
                + "ingress: [{from: [{namespaceSelector:"
                + " {matchLabels: {kubernetes.io/metadata.name: other}}}]}]"));
    bed.check(may(SPY, DB, TCP, 1), mayNot(WEB, DB, TCP, 1));
  }

  @Test
  void blocksHaveHolesWhichOtherRulesMayFill() throws Exception { // N6, N7
    String holes =
        "{from: [{ipBlock: {cidr: 203.0.113.0/24, except: [%s/32]}}, {ipBlock: {cidr: 10.244.1.0/24}},"
                .formatted(bed.address(OUTSIDE, Family.V4))
            + " {ipBlock: {cidr: \"fd00::/16\", except: [\"%s/128\", \"fd00:10:244:2::/64\"]}}]}"
                .formatted(bed.address(OUTSIDE, Family.V6));
    have(policy("holes", OF_DB + "ingress: [" + holes + "]"));
    bed.check(
        mayNot(OUTSIDE, DB, TCP, 1),
        may(WEB, DB, TCP, 1),
        may(SPY, DB, UDP, 1),
        mayNot(FAR, DB, TCP, 1));
    have(policy("filled", OF_DB + "ingress: [" + holes + ", {from: " + blockOf(OUTSIDE) + "}]"));
    bed.check(may(OUTSIDE, DB, TCP, 1), mayNot(GUEST, DB, TCP, 1));
    have(
        policy(
            "wrong",
            OF_DB
                + "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}, {ipBlock:"
                + " {cidr: \"fd00::/16\", except: [\"fe80::/10\"]}}]}]"));
    bed.check(mayNot(WEB, DB, TCP, 1), mayNot(OUTSIDE, DB, TCP, 1));
  }

  @Test
  void addressesAreThoseOfTheEndsAndNotOfServicesOrNodesBetween() throws Exception { // N8, N21
    have(
        services(),
        policy("in", OF_DB + "ingress: [{from: " + blockOf(OUTSIDE) + "}]"),
        policy(
            "out",
            OF_WEB + OUT + "egress: [{to: " + blocks("10.96.0.0/16", "fd00:96::/64") + "}]"));
    bed.check(
        // from outside through the pod's own node, which hides the sender behind the policy
        new Claim(OUTSIDE, both("n1"), TCP, 30_080, DB),
        // through another node, which hides him before
        mayNot(OUTSIDE, both("n2"), TCP, 30_080),
        mayNot(WEB, FAR_SERVICE, TCP, 80));
    have(
        services(),
        policy("in", OF_DB + "ingress: [{from: " + blockOf("n2") + "}]"),
        policy("out", OF_WEB + OUT + "egress: [{to: " + blockOf(FAR) + ", ports: [{port: 5433}]}]"),
        policy("far", "podSelector: {matchLabels: {app: far}}, ingress: [{ports: [{port: 80}]}]"));
    bed.check(
        new Claim(OUTSIDE, both("n2"), TCP, 30_080, DB),
        mayNot(OUTSIDE, both("n1"), TCP, 30_080),
        // the port is the pod's (N21): what web may ask for far may not be asked
        mayNot(WEB, FAR_SERVICE, TCP, 80));
    have(
        services(),
        policy("out", OF_WEB + OUT + "egress: [{to: " + blockOf(FAR) + ", ports: [{port: 5433}]}]"),
        policy(
            "far", "podSelector: {matchLabels: {app: far}}, ingress: [{ports: [{port: 5433}]}]"));
    bed.check(new Claim(WEB, FAR_SERVICE, TCP, 80, FAR), mayNot(WEB, DB_SERVICE, TCP, 80));
  }

  @Test
  void portsAreOfOneProtocolTcpIfNoneIsSaid() throws Exception { // N9, N10, N12, N13, N14
    have(
        policy(
            "ports",
            OF_DB
                + "ingress: [{ports: [{port: 80}, {protocol: UDP}, {port: 1000, endPort: 1002},"
                + " {protocol: SCTP, port: 7}]}]"),
        policy("sctp", OF_WEB + "ingress: [{ports: [{protocol: SCTP}]}]"),
        policy(
            "udp",
            "podSelector: {matchLabels: {app: far}}, ingress: [{ports: [{protocol: UDP}]}]"));
    bed.check(
        may(WEB, DB, TCP, 80),
        mayNot(WEB, DB, SCTP, 80),
        may(WEB, DB, UDP, 80),
        may(WEB, DB, UDP, 65_535),
        mayNot(WEB, DB, TCP, 81),
        mayNot(WEB, DB, TCP, 999),
        may(WEB, DB, TCP, 1000),
        may(WEB, DB, TCP, 1002),
        mayNot(WEB, DB, TCP, 1003),
        may(WEB, DB, SCTP, 7),
        mayNot(WEB, DB, TCP, 7),
        mayNot(WEB, DB, ICMP, 0),
        mayNot(DB, WEB, TCP, 80),
        mayNot(DB, WEB, UDP, 80),
        may(DB, WEB, SCTP, 80),
        may(DB, FAR, UDP, 80),
        mayNot(DB, FAR, TCP, 80));
  }

  @Test
  void aNamedPortIsWhatTheDestinationCallsSo() throws Exception { // N11
    have(policy("in", ALL + "ingress: [{ports: [{port: sql}]}]"));
    bed.check(
        may(SPY, DB, TCP, 5432),
        mayNot(SPY, DB, TCP, 5433),
        may(SPY, FAR, TCP, 5433),
        mayNot(SPY, FAR, TCP, 5432),
        mayNot(SPY, DB, UDP, 5432));
    have(policy("out", OF_WEB + OUT + "egress: [{ports: [{port: sql}]}]"));
    bed.check(
        may(WEB, DB, TCP, 5432),
        may(WEB, FAR, TCP, 5433),
        mayNot(WEB, FAR, TCP, 5432),
        may(WEB, SPY, TCP, 80),
        mayNot(WEB, OUTSIDE, TCP, 5432));
  }

  @Test
  void aPodsOwnNodeReachesItAndNobodyElseByLookingLikeIt() throws Exception { // N15
    have(services(), policy("closed", ALL + "policyTypes: [Ingress, Egress]"));
    bed.check(
        may("n1", DB, TCP, 5432),
        may("n1", DB, ICMP, 0),
        may("n2", FAR, UDP, 53),
        mayNot("n2", DB, TCP, 5432),
        mayNot(OUTSIDE, DB, TCP, 5432),
        mayNot(OUTSIDE, both("n1"), TCP, 30_080),
        mayNot(OUTSIDE, both("n2"), TCP, 30_080),
        mayNot(SPY, both("n1"), TCP, 30_080),
        mayNot(DB, "n1", TCP, 22));
    have(policy("nodes", ALL + "ingress: [{from: " + blockOf("n2") + "}]"));
    bed.check(may("n2", DB, TCP, 5432), mayNot("n1", FAR, TCP, 5432));
  }

  @Test
  void nodesArePeersByTheirAddressesAlsoThePodsOwn() throws Exception { // N15, N27
    have(clusterPolicy("nodes", "Admin", 1, "egress: [{action: Deny, to: [{nodes: {}}]}]"));
    bed.check(
        mayNot(DB, "n1", TCP, 22),
        mayNot(DB, "n2", TCP, 22),
        may("n2", DB, TCP, 5432),
        may("n1", DB, TCP, 5432),
        may(WEB, DB, TCP, 5432));
  }

  @Test
  void aPodReachesItselfAlsoByItsService() throws Exception { // N16, N17
    have(services(), policy("closed", ALL + "policyTypes: [Ingress, Egress]"));
    bed.check(
        may(DB, DB, TCP, 5432),
        may(DB, DB, ICMP, 0),
        new Claim(DB, DB_SERVICE, TCP, 80, DB),
        new Claim(FAR, FAR_SERVICE, TCP, 80, FAR),
        mayNot(WEB, DB_SERVICE, TCP, 80),
        mayNot(DB, FAR_SERVICE, TCP, 80));
  }

  @Test
  void answersNeedNoRule() throws Exception { // N18
    have(
        policy("db", OF_DB + "policyTypes: [Ingress, Egress], ingress: [{" + FROM_WEB + "}]"),
        policy("web", OF_WEB + IN));
    // that web hears of it is part of each check
    bed.check(may(WEB, DB, TCP, 5432), mayNot(DB, WEB, TCP, 5432), mayNot(SPY, WEB, TCP, 1));
  }

  @Test
  void whatHasBegunGoesOnAndNothingNewBegins() throws Exception { // N19
    have();
    Endpoint at = new Endpoint(bed.address(DB, Family.V4), 7000);
    MessageBuffer buffer = new MessageBuffer(16);
    try (NetSocket server = bed.place(DB).call(() -> NetSocket.tcp(Family.V4));
        NetSocket client = bed.place(WEB).call(() -> NetSocket.tcp(Family.V4))) {
      server.bind(Endpoint.any(Family.V4, 7000)).listen(1);
      client.tryConnect(at);
      try (NetSocket accepted = until(server::accept)) {
        have(policy("closed", ALL + "policyTypes: [Ingress, Egress]"));
        bed.check(mayNot(WEB, DB, TCP, 7001), mayNot(DB, WEB, TCP, 80));
        assertThat(buffer.send(accepted, 3)).isEqualTo(3);
        assertThat(until(() -> Optional.of(buffer.receive(client)).filter(length -> length >= 0)))
            .isEqualTo(3);
      }
    }
  }

  private interface Happening<T> {
    Optional<T> look() throws Exception;
  }

  private static <T> T until(Happening<T> happening) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    Optional<T> seen = happening.look();
    while (seen.isEmpty() && System.nanoTime() < end) {
      Thread.sleep(2);
      seen = happening.look();
    }
    return seen.orElseThrow();
  }

  @Test
  void aPodThatNobodyKnowsYetIsClosed() throws Exception { // N20
    String early = pod("shop", "early", "n1", 40, 80);
    String late = pod("shop", "late", "n1", 41, 80);
    String open = policy("open", ALL + "ingress: [{" + FROM_WEB + "}]");
    have(early, open);
    bed.attach(attached("early", 40));
    bed.check(may(WEB, "shop/early", TCP, 80), mayNot(SPY, "shop/early", TCP, 80));
    bed.attach(attached("late", 41));
    String at = "10.244.1.41 fd00:10:244:1::29";
    bed.check(mayNot(WEB, at, TCP, 80), mayNot(SPY, at, TCP, 80), may(WEB, DB, TCP, 80));
    have(early, late, open);
    bed.check(may(WEB, "shop/late", TCP, 80), mayNot(SPY, "shop/late", TCP, 80));
  }

  private static Pod attached(String name, int host) {
    return new Pod(
        new PodKey("shop", name),
        "u-" + name,
        0,
        Optional.of(new NodeName("n1")),
        false,
        false,
        List.of(Ip.parse("10.244.1." + host), Ip.parse("fd00:10:244:1::%x".formatted(host))),
        List.of(),
        List.of(),
        Map.of(),
        Map.of());
  }

  @Test
  void whatOnePolicyAllowsIsAllowed() throws Exception { // N22
    String closed = ALL + IN;
    String web = OF_DB + "ingress: [{" + FROM_WEB + ", ports: [{port: 80}]}]";
    String other = OF_DB + "ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 81}]}]";
    have(policy("a", closed), policy("b", web), policy("c", other));
    Claim[] claims = {
      may(WEB, DB, TCP, 80), may(WEB, DB, TCP, 81), may(SPY, DB, TCP, 81), mayNot(SPY, DB, TCP, 80)
    };
    bed.check(claims);
    have(policy("c", closed), policy("b", other), policy("a", web));
    bed.check(claims);
    have(policy("c", closed), policy("b", other), policy("a", OF_DB + "ingress: [{}]"));
    bed.check(may(SPY, DB, TCP, 80), mayNot(SPY, WEB, TCP, 80));
  }

  @Test
  void bothEndsMustAllowIt() throws Exception { // N23
    String out = OF_WEB + OUT + "egress: [{to: [{podSelector: {matchLabels: {app: db}}}]}]";
    have(policy("out", out), policy("in", OF_DB + IN));
    bed.check(mayNot(WEB, DB, TCP, 80));
    have(policy("out", OF_WEB + OUT), policy("in", OF_DB + "ingress: [{" + FROM_WEB + "}]"));
    bed.check(mayNot(WEB, DB, TCP, 80), mayNot(WEB, FAR, TCP, 80));
    have(policy("out", out), policy("in", OF_DB + "ingress: [{" + FROM_WEB + "}]"));
    bed.check(may(WEB, DB, TCP, 80), mayNot(WEB, FAR, TCP, 80));
  }

  @Test
  void changesAreMetByPodsThatRun() throws Exception { // N24
    String closed = policy("p", OF_DB + "ingress: [{" + FROM_WEB + "}]");
    have(closed);
    bed.check(may(WEB, DB, TCP, 80), mayNot(FAR, DB, TCP, 80), may(SPY, WEB, TCP, 80));
    bed.have(MACHINES + PODS.replace("{app: far}", "{app: web}") + NAMESPACES + closed);
    bed.check(may(FAR, DB, TCP, 80));
    bed.have(MACHINES + PODS.replace("{app: web}", "{app: db}") + NAMESPACES + closed);
    bed.check(mayNot(WEB, DB, TCP, 80), mayNot(SPY, WEB, TCP, 80));
    String team =
        policy("p", OF_DB + "ingress: [{from: [{namespaceSelector: {matchLabels: {team: x}}}]}]");
    have(team);
    bed.check(mayNot(SPY, DB, TCP, 80), mayNot(WEB, DB, TCP, 80));
    bed.have(MACHINES + PODS + NAMESPACES.replace("team: other", "team: x") + team);
    bed.check(may(SPY, DB, TCP, 80));
    have();
    bed.check(may(SPY, DB, TCP, 80), may(WEB, DB, TCP, 80));
  }

  @Test
  void whoMaySendNothingMayNotAskForNames() throws Exception { // N25
    have(policy("out", OF_WEB + OUT));
    bed.check(mayNot(WEB, FAR, UDP, 53), mayNot(WEB, FAR, TCP, 53), may(FAR, WEB, TCP, 80));
    have(
        policy("out", OF_WEB + OUT + "egress: [{ports: [{port: 53}, {port: 53, protocol: UDP}]}]"));
    bed.check(may(WEB, FAR, UDP, 53), may(WEB, FAR, TCP, 53), mayNot(WEB, FAR, TCP, 80));
  }

  @Test
  void podsOfANodesNetworkAreItsNode() throws Exception { // N26
    String hosted =
        """
        ---
        {apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: hosted, uid: h, labels: {app: web}},
         spec: {nodeName: n2, hostNetwork: true, containers: [{name: main}]},
         status: {podIPs: [{ip: 192.168.11.12}, {ip: "fd00:a::12"}]}}
        """;
    have(
        hosted,
        policy("closed", OF_DB + "ingress: [{" + FROM_WEB + "}]"),
        policy("web", OF_WEB + IN),
        clusterPolicy(
            "no",
            "Admin",
            1,
            "ingress: [{action: Accept, from: [{pods: {namespaceSelector: {},"
                + " podSelector: {matchLabels: {app: web}}}}]}]"));
    bed.check(
        may(WEB, DB, TCP, 80),
        mayNot("n2", DB, TCP, 80),
        may(SPY, "n2", TCP, 22),
        mayNot(SPY, WEB, TCP, 22));
  }

  @Test
  void tiersAreAskedOneAfterTheOther() throws Exception { // N27
    String from = "from: [{namespaces: {matchLabels: {team: other}}}]";
    String base = clusterPolicy("base", "Baseline", 1, "ingress: [{action: Deny, " + from + "}]");
    have(base);
    bed.check(mayNot(SPY, DB, TCP, 80), may(WEB, DB, TCP, 80));
    String open = policy("open", OF_DB + "ingress: [{}]");
    have(base, open);
    bed.check(may(SPY, DB, TCP, 80), mayNot(SPY, WEB, TCP, 80));
    String admin =
        clusterPolicy("late", "Admin", 20, "ingress: [{action: Deny, " + from + "}]")
            + clusterPolicy(
                "first",
                "Admin",
                10,
                "ingress: [{action: Accept, %s, protocols: [{tcp: {destinationPort: {number: 22}}}]},"
                        .formatted(from)
                    + " {action: Pass, %s, protocols: [{udp: {destinationPort: {range: {start: 1, end: 65535}}}}]}]"
                        .formatted(from));
    have(base, open, policy("shut", OF_WEB + IN), admin);
    bed.check(
        may(SPY, WEB, TCP, 22),
        mayNot(SPY, DB, TCP, 80),
        may(WEB, DB, TCP, 80),
        // passed by udp: what the namespace says is last
        may(SPY, DB, UDP, 53),
        mayNot(SPY, WEB, UDP, 53));
  }

  @Test
  void whatAPolicyOfTheClusterDoesNotSayPlainlyItDenies() throws Exception { // N28
    String known = "from: [{namespaces: {matchLabels: {team: other}}}]";
    String odd = "from: [{planets: {}}]";
    have(
        clusterPolicy(
            "tier",
            "Admin",
            1,
            "ingress: [{action: Accept, %s}, {action: Pass, %s}]".formatted(odd, known)),
        clusterPolicy("rest", "Admin", 2, "ingress: [{action: Deny, " + known + "}]"),
        policy("db", OF_DB + IN));
    bed.check(
        may(SPY, WEB, TCP, 80), // passed by, and not denied by the rest of the tier
        mayNot(SPY, DB, TCP, 80),
        mayNot(WEB, DB, TCP, 80), // Accept of nobody known
        may(FAR, WEB, TCP, 80));
    for (String action : List.of("Deny", "Pass")) {
      have(
          clusterPolicy("tier", "Admin", 1, "ingress: [{action: %s, %s}]".formatted(action, odd)),
          policy("open", ALL + "ingress: [{}]"));
      bed.check(mayNot(SPY, WEB, TCP, 80), mayNot(FAR, DB, UDP, 53), may(WEB, SPY, TCP, 80));
    }
  }

  @Test
  void networksAreAllAddressesPodsToo() throws Exception { // N29
    have(
        clusterPolicy(
            "closed",
            "Baseline",
            1,
            "egress: [{action: Deny, to: [{networks: [0.0.0.0/0, \"::/0\"]}]}]"));
    bed.check(
        mayNot(WEB, DB, TCP, 80),
        mayNot(WEB, FAR, ICMP, 0),
        mayNot(WEB, OUTSIDE, UDP, 53),
        mayNot(WEB, "n1", TCP, 22),
        may(SPY, DB, ICMP, 0));
  }

  @Test
  void domainNamesAreNobodys() throws Exception { // N30
    String names = "to: [{domainNames: [\"*.example.com\"]}]";
    have(
        clusterPolicy("names", "Admin", 1, "egress: [{action: Accept, " + names + "}]"),
        policy("shut", OF_WEB + OUT));
    bed.check(mayNot(WEB, OUTSIDE, TCP, 443), may(DB, OUTSIDE, TCP, 443));
    have(clusterPolicy("names", "Admin", 1, "egress: [{action: Deny, " + names + "}]"));
    bed.check(mayNot(WEB, OUTSIDE, TCP, 443), mayNot(DB, WEB, TCP, 80), may(SPY, DB, TCP, 80));
  }
}
