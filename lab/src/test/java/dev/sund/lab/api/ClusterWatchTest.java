package dev.sund.lab.api;

import static dev.sund.lab.api.Objects.json;
import static dev.sund.lab.api.Objects.namespace;
import static dev.sund.lab.api.Objects.node;
import static dev.sund.lab.api.Objects.pod;
import static dev.sund.lab.api.Objects.pool;
import static dev.sund.lab.api.Objects.service;
import static dev.sund.lab.api.Objects.slice;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.watch.WatchSettings;
import dev.sund.model.Condition;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The watch that agents use, against the server that the lab uses. */
class ClusterWatchTest {
  private static final String V3 = "projectcalico.org/v3";
  private static final String V1 = "crd.projectcalico.org/v1";

  private final WatchScene scene = new WatchScene();

  @AfterEach
  void close() {
    scene.close();
  }

  @Test
  void whatExistedIsToldBeforeSynced() {
    scene.api.put(node("n1", "192.168.1.11"));
    scene.api.put(pod("shop", "web", "n1", "10.244.1.5"));
    scene.api.put(pool(V3, "all", "10.244.0.0/16", "Always"));
    scene.api.put(namespace("shop"));
    scene.watch().synced();
    assertThat(scene.state())
        .containsExactly(
            "IPPool all 10.244.0.0/16 ALWAYS",
            "Namespace shop",
            "Node n1 [192.168.1.11]",
            "Pod shop/web [10.244.1.5]");
    assertThat(scene.events().getLast()).isEqualTo(new ClusterEvent.Synced());
    assertThat(scene.reachability()).isEmpty();
  }

  @Test
  void changesAndDeletionsAreTold() {
    scene.watch().synced();
    scene.api.put(node("n1", "192.168.1.11"));
    scene.api.put(pod("shop", "web", "n1", "10.244.1.5"));
    scene.api.put(namespace("shop"));
    scene.untilState("Namespace shop", "Node n1 [192.168.1.11]", "Pod shop/web [10.244.1.5]");
    scene.api.put(node("n1", "192.168.1.12"));
    scene.untilState("Namespace shop", "Node n1 [192.168.1.12]", "Pod shop/web [10.244.1.5]");
    scene.api.delete(Resource.NAMESPACES, "shop");
    scene.untilState("Node n1 [192.168.1.12]", "Pod shop/web [10.244.1.5]");
    scene.api.delete(Resource.PODS, "shop/web");
    scene.untilState("Node n1 [192.168.1.12]");
  }

  @Test
  void servicesAndTheirEndpointsAreTold() {
    scene.api.put(service("shop", "web", "10.96.0.10"));
    scene.api.put(slice("shop", "web-1", "web", "10.244.1.5"));
    scene.watch().synced();
    scene.untilState(
        "EndpointSlice shop/web-1 of shop/web [10.244.1.5]", "Service shop/web [10.96.0.10]");
    scene.api.put(slice("shop", "web-1", "web", "10.244.1.6"));
    scene.api.put(slice("shop", "other", "", "10.244.1.7"));
    scene.untilState(
        "EndpointSlice shop/web-1 of shop/web [10.244.1.6]", "Service shop/web [10.96.0.10]");
    scene.api.put(slice("shop", "web-1", "", "10.244.1.6"));
    scene.api.delete(Resource.SERVICES, "shop/web");
    scene.untilState();
  }

  @Test
  void watchThatIsTooFarBehindListsAnew() {
    scene.api.put(node("n1", "192.168.1.11"));
    scene.api.put(node("n2", "192.168.1.12"));
    scene.watch().synced();
    scene.api.boundLog(1);
    scene.api.faults().silent(true);
    scene.api.dropConnections();
    scene.api.delete(Resource.NODES, "n1");
    scene.api.put(node("n3", "192.168.1.13"));
    scene.api.put(pod("shop", "web", "n1", "10.244.1.5"));
    scene.api.put(pod("shop", "db", "n1", "10.244.1.6"));
    scene.api.faults().none();
    scene.untilState(
        "Node n2 [192.168.1.12]",
        "Node n3 [192.168.1.13]",
        "Pod shop/db [10.244.1.6]",
        "Pod shop/web [10.244.1.5]");
    long seenTwice =
        scene.events().stream().filter(event -> event.key().name().equals("n2")).count();
    assertThat(seenTwice).as("an unchanged object is not told again").isEqualTo(1);
    assertThat(scene.count(ClusterEvent.Synced.class)).isEqualTo(1);
  }

  @Test
  void lostServerIsSaidAndComesBack() {
    scene.api.put(node("n1", "192.168.1.11"));
    scene.watch().synced();
    scene.api.close();
    // First what became of the connection that stood, then that there is no other.
    scene.until(() ->
        scene.reachability().stream()
            .flatMap(Optional::stream)
            .map(Condition::toString)
            .anyMatch(lost ->
                lost.startsWith("APIServer http://127.0.0.1:" + scene.port() + ": ")
                    && lost.contains(" cannot be followed: Connection refused.")));
    int told = scene.events().size();

    scene.restart(5000);
    scene.api.put(node("n2", "192.168.1.12"));
    scene.serveAgain();
    scene.untilState("Node n2 [192.168.1.12]");
    scene.until(() -> scene.reachability().getLast().isEmpty());
    assertThat(scene.events().subList(0, told)).contains(new ClusterEvent.Synced());
  }

  @Test
  void anHourWithoutTheServerTellsNothingAndThenOnlyWhatHasChanged() {
    scene.api.put(node("n1", "192.168.1.11"));
    scene.api.put(pod("shop", "web", "n1", "10.244.1.5"));
    // An hour of waits of at most 20 s each is some 240 tries; here they are a tenth of a
    // millisecond.
    Duration never = Duration.ofNanos(100_000);
    scene
        .watch(
            new WatchSettings(
                500, Duration.ofSeconds(5), Duration.ofSeconds(60), never, never, never),
            "secret")
        .synced();
    int told = scene.events().size();
    int connections = scene.connectionsRefused(300);
    assertThat(connections).isGreaterThanOrEqualTo(300);
    assertThat(scene.events()).as("nothing is gone while nobody says so").hasSize(told);
    assertThat(scene.reachability())
        .as("said when the reason changes, not at each try")
        .hasSizeBetween(1, 10)
        .allMatch(Optional::isPresent);
    scene.api.delete(Resource.PODS, "shop/web");
    scene.serveAgain();
    scene.untilState("Node n1 [192.168.1.11]");
    scene.until(() -> scene.reachability().getLast().isEmpty());
    assertThat(scene.events().subList(told, scene.events().size()))
        .as("and what is the same is not told again")
        .noneMatch(event -> event.key().name().equals("n1"));
  }

  @Test
  void watchGoesOnAtAnotherServerWhenOneFails() {
    scene.api.put(node("n1", "192.168.1.11"));
    int second = scene.serveToo();
    scene.watchBoth(second).synced();
    int told = scene.events().size();
    scene.stopFirst();
    scene.api.put(node("n2", "192.168.1.12"));
    scene.untilState("Node n1 [192.168.1.11]", "Node n2 [192.168.1.12]");
    assertThat(scene.events().subList(told, scene.events().size()))
        .as("from where it was, not from the beginning")
        .hasSize(1);
    assertThat(scene.reachability()).as("nobody needs to know").isEmpty();
  }

  @Test
  void serverRestoredFromAnOlderBackupIsListedAnew() {
    scene.api.put(node("n1", "192.168.1.11"));
    scene.watch().synced();
    scene.restart(10);
    scene.api.put(node("n2", "192.168.1.12"));
    scene.serveAgain();
    scene.untilState("Node n2 [192.168.1.12]");
  }

  @Test
  void fiveThousandPodsComeInPages() {
    for (int i = 0; i < 5000; i++) {
      scene.api.put(pod("load", "p" + i, "n1", "10.1." + i / 250 + "." + (i % 250 + 1)));
    }
    scene.watch().synced();
    assertThat(scene.count(ClusterEvent.PodSeen.class)).isEqualTo(5000);
  }

  @Test
  void listThatExpiresBetweenPagesBeginsAgain() {
    for (int i = 0; i < 50; i++) {
      scene.api.put(pod("load", "p" + i, "n1", "10.1.0." + (i + 1)));
    }
    scene.api.faults().delay(Duration.ofMillis(30));
    scene.watch(withPage(20), "secret");
    scene.until(() -> scene.count(ClusterEvent.PodSeen.class) >= 20);
    scene.api.boundLog(5);
    scene.api.faults().none();
    scene.synced();
    assertThat(scene.state()).hasSize(50);
  }

  @Test
  void bookmarksCarryAWatchPastForgottenChanges() {
    scene.api.bookmarksEach(Duration.ofMillis(5));
    scene.api.put(node("n1", "192.168.1.11"));
    scene.watch().synced();
    scene.api.boundLog(10);
    for (int i = 1; i <= 30; i++) {
      scene.api.put(pod("shop", "p" + i, "n1", "10.1.0." + i));
      int told = i + 1;
      scene.until(() -> scene.state().size() == told);
    }
    // The second from now on is of after the last change.
    long bookmarks = scene.api.bookmarksOf(Resource.NODES) + 2;
    scene.until(() -> scene.api.bookmarksOf(Resource.NODES) >= bookmarks);
    scene.api.dropConnections();
    scene.api.put(node("n2", "192.168.1.12"));
    scene.until(() -> scene.state().contains("Node n2 [192.168.1.12]"));
    assertThat(scene.api.requestsOf("list", Resource.NODES)).isEqualTo(1);
  }

  @Test
  void objectThatCannotBeUsedIsRefusedAndKeepsItsLastGoodState() {
    scene.api.put(node("n1", "192.168.1.11"));
    scene.watch().synced();
    scene.api.put(node("n1", "192.168.1.300"));
    scene.untilState("Node n1 [192.168.1.11] (refused now)");
    ClusterEvent.Refused refused = (ClusterEvent.Refused) scene.events().getLast();
    assertThat(refused.conditions())
        .extracting(Condition::toString)
        .containsExactly(
            "Node n1 status.addresses[0].address: '192.168.1.300' is not an IPv4 or IPv6 address."
                + " Write an address such as 192.168.1.11. [invalid-field]");
    scene.api.put(node("n1", "192.168.1.13"));
    scene.untilState("Node n1 [192.168.1.13]");
  }

  @Test
  void agentWithoutRightsSaysSoAndIsNotSynced() throws Exception {
    scene.api.allow(Rbac.parse(""));
    scene.api.token("weak", new Subject("weak", List.of()));
    scene.watch(WatchScene.QUICK, "weak");
    scene.until(() -> !scene.reachability().isEmpty());
    assertThat(scene.reachability().getFirst().orElseThrow().text())
        .contains("403")
        .contains("User \"weak\" cannot list resource");
    assertThat(scene.count(ClusterEvent.Synced.class)).isZero();
  }

  @Test
  void wrongTokenIsSaid() {
    scene.watch(WatchScene.QUICK, "wrong");
    scene.until(() -> !scene.reachability().isEmpty());
    assertThat(scene.reachability().getFirst().orElseThrow().text()).contains("401 Unauthorized");
  }

  @Test
  void poolsMayAppearLater() {
    scene.api.serves(Resource.POOLS_V3, false);
    scene.api.serves(Resource.POOLS_V1, false);
    scene.watch().synced();
    assertThat(scene.reachability()).isEmpty();
    scene.api.put(pool(V1, "all", "10.244.0.0/16", "Always"));
    scene.api.serves(Resource.POOLS_V1, true);
    scene.untilState("IPPool all 10.244.0.0/16 ALWAYS");
    scene.api.serves(Resource.POOLS_V1, false);
    scene.api.dropConnections();
    scene.untilState();
  }

  private static Tree.Mapping vethMtu(String namespace, int mtu) {
    return json(
        ("{'apiVersion':'v1','kind':'ConfigMap','metadata':{'namespace':'%s',"
                + "'name':'calico-config'},'data':{'veth_mtu':'%d'}}")
            .formatted(namespace, mtu));
  }

  private List<Integer> mtus() {
    return scene.events().stream()
        .filter(ClusterEvent.LayerSeen.class::isInstance)
        .flatMap(event -> ((ClusterEvent.LayerSeen) event).layer().mtus().stream())
        .map(limit -> limit.bytes())
        .toList();
  }

  @Test
  void whatCalicoAndFlannelWereSetToIsFollowedAndOfNoOtherNamespace() {
    scene.api.put(vethMtu("kube-system", 1450));
    scene.api.put(vethMtu("tenant", 600));
    scene.watch().synced();
    assertThat(mtus()).containsExactly(1450);
    scene.api.put(vethMtu("tenant", 700));
    scene.api.put(vethMtu("kube-system", 1440));
    scene.until(() -> mtus().equals(List.of(1450, 1440)));
    scene.api.put(
        json(
            "{'apiVersion':'operator.tigera.io/v1','kind':'Installation',"
                + "'metadata':{'name':'default'},'spec':{}}"));
    scene.untilState(
        "ConfigMap kube-system/calico-config CALICO_CONFIG", "Installation default INSTALLATION");
    scene.api.delete(Resource.CONFIG_MAPS, "kube-system/calico-config");
    scene.untilState("Installation default INSTALLATION");
  }

  @Test
  void agentWithTheRightsOfAnOlderRoleGoesOnWithoutOtherNetworksSettings() {
    scene.api.token("older", new Subject("older", List.of()));
    scene.api.allow(
        rules(
            """
            - apiGroups: [""]
              resources: [nodes, pods, namespaces]
              verbs: [list, watch]
            - apiGroups: [projectcalico.org, crd.projectcalico.org]
              resources: [ippools]
              verbs: [list, watch]
            - apiGroups: [networking.k8s.io, policy.networking.k8s.io]
              resources: [networkpolicies, clusternetworkpolicies]
              verbs: [list, watch]
            """));
    scene.api.put(node("n1", "192.168.1.11"));
    scene.watch(WatchScene.QUICK, "older").synced();
    scene.until(() ->
        scene.reachability().stream()
            .flatMap(Optional::stream)
            .anyMatch(condition -> condition.text().contains("cannot be followed: 403")));
    assertThat(scene.state()).containsExactly("Node n1 [192.168.1.11]");
  }

  private static Rbac rules(String rules) {
    try {
      return Rbac.parse(
          """
          kind: ClusterRole
          metadata: {name: older}
          rules:
          %s---
          kind: ClusterRoleBinding
          roleRef: {kind: ClusterRole, name: older}
          subjects: [{kind: User, name: older}]
          """
              .formatted(rules));
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void ofTwoGroupsThePreferredOneCounts() {
    scene.api.put(pool(V1, "all", "10.244.0.0/16", "Always"));
    scene.watch().synced();
    scene.untilState("IPPool all 10.244.0.0/16 ALWAYS");
    scene.api.put(pool(V3, "all", "10.244.0.0/16", "CrossSubnet"));
    scene.untilState("IPPool all 10.244.0.0/16 CROSS_SUBNET");
    scene.api.put(pool(V1, "all", "10.244.0.0/16", "Never"));
    scene.api.put(node("n1", "192.168.1.11"));
    scene.untilState("IPPool all 10.244.0.0/16 CROSS_SUBNET", "Node n1 [192.168.1.11]");
    scene.api.delete(Resource.POOLS_V3, "all");
    scene.untilState("IPPool all 10.244.0.0/16 NEVER", "Node n1 [192.168.1.11]");
    scene.api.delete(Resource.POOLS_V1, "all");
    scene.untilState("Node n1 [192.168.1.11]");
  }

  @Test
  void silentServerIsNoticed() {
    WatchSettings impatient =
        new WatchSettings(
            500,
            Duration.ofMillis(200),
            Duration.ofSeconds(60),
            Duration.ofMillis(10),
            Duration.ofMillis(100),
            Duration.ofMillis(50));
    scene.watch(impatient, "secret").synced();
    scene.api.faults().silent(true);
    scene.until(() ->
        scene.reachability().stream()
            .flatMap(Optional::stream)
            .anyMatch(condition -> condition.text().contains("it does not answer")));
    scene.api.put(node("n1", "192.168.1.11"));
    scene.api.faults().none();
    scene.untilState("Node n1 [192.168.1.11]");
    scene.until(() -> scene.reachability().getLast().isEmpty());
  }

  @Test
  void eventsToldTwiceOrLateChangeNothing() {
    scene.watch().synced();
    scene.api.faults().twice(true).delay(Duration.ofMillis(20));
    scene.api.put(node("n1", "192.168.1.11"));
    scene.api.put(node("n1", "192.168.1.12"));
    scene.api.put(node("n2", "192.168.1.13"));
    scene.untilState("Node n1 [192.168.1.12]", "Node n2 [192.168.1.13]");
    assertThat(scene.count(ClusterEvent.NodeSeen.class)).isEqualTo(3);
  }

  @Test
  void serverThatIsOverloadedIsAskedAgain() {
    scene.api.put(node("n1", "192.168.1.11"));
    scene.api.faults().unavailable(8);
    scene.watch().synced();
    assertThat(scene.state()).containsExactly("Node n1 [192.168.1.11]");
    assertThat(scene.reachability().getFirst().orElseThrow().text()).contains("503");
    scene.until(() -> scene.reachability().getLast().isEmpty());
  }

  @Test
  void objectsOfRealSizeAndOddTextAreRead() {
    Tree.Mapping pod = pod("shop", "web", "n1", "10.244.1.5");
    String odd = "\u00e6\u00f8\u00e5 \ud83d\udea2 \u0000 \"quoted\" \\ " + "x".repeat(100_000);
    Tree.Mapping metadata =
        pod.mapping("metadata")
            .orElseThrow()
            .with("annotations", json("{}").with("odd", Tree.Scalar.text(odd)))
            .with("managedFields", json("{'list':[{'a':1}]}"));
    scene.api.put(pod.with("metadata", metadata));
    scene.watch().synced();
    assertThat(scene.state()).containsExactly("Pod shop/web [10.244.1.5]");
  }

  @Test
  void closingEndsAllConnectionsAndThreads() {
    scene.watch().synced();
    scene.until(() -> scene.api.connections() == 18);
    scene.close();
    assertThat(Thread.getAllStackTraces().keySet())
        .extracting(Thread::getName)
        .noneMatch(name -> name.startsWith("sund-watch-"));
  }

  private static WatchSettings withPage(int page) {
    WatchSettings quick = WatchScene.QUICK;
    return new WatchSettings(
        page, quick.quiet(), quick.watch(), quick.firstRetry(), quick.lastRetry(), quick.absent());
  }
}
