package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import dev.sund.lab.api.LabApi;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of connections that have begun when a policy forbids them (N19). */
@Tag("netns")
@Timeout(120)
class StrictPoliciesTest {
  private static final Duration LIMIT = Duration.ofSeconds(30);
  private static final String CUT = "sund_policy_connections_cut_total";
  private static final Sysctl LOOSE = new Sysctl("net/netfilter/nf_conntrack_tcp_loose");

  @TempDir private Path directory;

  /**
   * The web pod of n1 is asked by a friend and a stranger on n2, by a neighbour on n1 through a
   * Service, and by its own node; then a policy lets in the friend alone.
   */
  @Test
  void connectionsStayAsKubernetesLeavesThemOrExactlyTheForbiddenOnesAreCut() throws Exception {
    Path fabric = directory.resolve("fabric.yaml");
    set(fabric, false);
    Map<String, Talk> talks = new TreeMap<>();
    try (AgentScene scene = AgentScene.build(directory)) {
      scene.jvmFlags("-D" + AgentProcess.FABRIC + "=" + fabric);
      scene.startAgent(1);
      scene.startAgent(2);
      scene.awaitReady(1, LIMIT);
      scene.awaitReady(2, LIMIT);
      PodHandle web = scene.addPod("web", 1);
      PodHandle near = scene.addPod("near", 1);
      PodHandle friend = scene.addPod("friend", 2);
      PodHandle stranger = scene.addPod("stranger", 2);
      service(scene.api(), web);
      SceneFlows.awaitReached(scene, stranger, web);
      SceneFlows.awaitReached(scene, friend, web);

      talks.put("friend", tcp(friend.netns(), web, web.v4(), 80));
      talks.put("friend by IPv6 and UDP", udp(friend.netns(), web, web.v6(), 53));
      talks.put("node", tcp(scene.node(1), web, web.v4(), 8080));
      talks.put("web asks", tcp(web.netns(), stranger, stranger.v4(), 80));
      Map<String, Talk> forbidden = new TreeMap<>();
      forbidden.put("stranger", tcp(stranger.netns(), web, web.v4(), 80));
      forbidden.put("stranger by IPv6", tcp(stranger.netns(), web, web.v6(), 80));
      forbidden.put("stranger by UDP", udp(stranger.netns(), web, web.v4(), 53));
      scene.await(
          "the Service leads to the pod",
          LIMIT,
          () -> {
            try {
              forbidden.put(
                  "near, through the Service",
                  Talk.tcp(
                      web.netns(),
                      at(web.v4(), 80),
                      near.netns(),
                      at(Ip.parse("10.96.0.9"), 8000)));
              return true;
            } catch (SocketException | SocketTimeoutException notInTheKernelYet) {
              return false;
            }
          });

      double enforced = scene.metric(1, "sund_program_entries{table=\"policyPods\"}");
      put(
          scene.api(),
          "web",
          "from: [{ipBlock: {cidr: FRIEND4}}, {ipBlock: {cidr: FRIEND6}}]"
              .replace("FRIEND4", friend.v4() + "/32")
              .replace("FRIEND6", friend.v6() + "/128"));
      scene.await(
          "the policy is enforced",
          LIMIT,
          () ->
              scene.metric(1, "sund_program_entries{table=\"policyPods\"}") > enforced
                  && !scene.reaches(stranger, web, Family.V4));
      for (Talk talk : both(talks, forbidden)) {
        assertThat(talk.lives()).isTrue();
      }
      assertThat(scene.metric(1, CUT)).isZero();
      assertThat(LOOSE.read(scene.node(1))).contains("1");

      set(fabric, true);
      scene.await(
          "forbidden connections are cut",
          LIMIT,
          () ->
              scene.metric(1, CUT) >= forbidden.size()
                  && LOOSE.read(scene.node(1)).orElseThrow().equals("0"));
      for (Map.Entry<String, Talk> talk : forbidden.entrySet()) {
        assertThat(talk.getValue().isCut()).as(talk.getKey()).isTrue();
      }
      for (Map.Entry<String, Talk> talk : talks.entrySet()) {
        assertThat(talk.getValue().lives()).as(talk.getKey()).isTrue();
      }
      assertThat(scene.metric(1, CUT)).as(scene.logText(1)).isEqualTo(forbidden.size());
      assertThat(scene.metric(2, CUT)).isZero();

      put(scene.api(), "web", "from: []\n    ports: [{protocol: UDP, port: 53}]");
      scene.await(
          "the friend's TCP is cut too", LIMIT, () -> scene.metric(1, CUT) > forbidden.size());
      assertThat(talks.remove("friend").isCut()).isTrue();
      for (Map.Entry<String, Talk> talk : talks.entrySet()) {
        assertThat(talk.getValue().lives()).as(talk.getKey()).isTrue();
      }
      assertThat(scene.metric(1, CUT)).isEqualTo(forbidden.size() + 1);
    } finally {
      for (Talk talk : talks.values()) {
        talk.close();
      }
    }
  }

  private static List<Talk> both(Map<String, Talk> some, Map<String, Talk> others) {
    List<Talk> all = new ArrayList<>(some.values());
    all.addAll(others.values());
    return all;
  }

  private static Talk tcp(NetNs from, PodHandle to, Ip address, int port) throws Exception {
    return Talk.tcp(to.netns(), at(address, port), from, at(address, port));
  }

  private static Talk udp(NetNs from, PodHandle to, Ip address, int port) throws Exception {
    return Talk.udp(to.netns(), at(address, port), from, at(address, port));
  }

  private static InetSocketAddress at(Ip address, int port) {
    return new InetSocketAddress(InetAddress.ofLiteral(address.toString()), port);
  }

  /** As a mounted ConfigMap changes: at once. */
  private static void set(Path fabric, boolean strict) throws Exception {
    Path fresh = fabric.resolveSibling("fabric.new");
    Files.writeString(
        fresh,
        """
        apiVersion: sund.dev/v1alpha1
        kind: Fabric
        policies: {strict: %s}
        """
            .formatted(strict));
    Files.move(fresh, fabric, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** A policy about the pod with this label: who may ask it. */
  private static void put(LabApi api, String app, String rule) throws Exception {
    object(
        api,
        """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: closed, namespace: shop}
        spec:
          podSelector: {matchLabels: {app: %s}}
          policyTypes: [Ingress]
          ingress:
          - %s
        """
            .formatted(app, rule));
  }

  private static void service(LabApi api, PodHandle pod) throws Exception {
    object(
        api,
        """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop, uid: web}
        spec:
          type: ClusterIP
          clusterIP: 10.96.0.9
          clusterIPs: [10.96.0.9]
          ipFamilies: [IPv4]
          selector: {app: web}
          ports: [{name: main, protocol: TCP, port: 8000, targetPort: 80}]
        """);
    object(
        api,
        """
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: web-1
          namespace: shop
          uid: web-1
          labels: {kubernetes.io/service-name: web}
        addressType: IPv4
        endpoints: [{addresses: [%s], nodeName: n1, conditions: {ready: true}}]
        ports: [{name: main, protocol: TCP, port: 80}]
        """
            .formatted(pod.v4()));
  }

  private static void object(LabApi api, String yaml) throws Exception {
    for (Tree tree : YamlTrees.documents(yaml)) {
      api.put((Tree.Mapping) tree);
    }
  }
}
