package dev.sund.lab.api;

import static dev.sund.lab.api.Objects.node;
import static dev.sund.lab.api.Objects.pod;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kube.tree.Tree;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What Kubernetes promises, asked over HTTP. */
class LabApiTest {
  private static final String NODES = "/api/v1/nodes";
  private static final String SHOP = "/api/v1/namespaces/shop/pods";

  private final WatchScene scene = new WatchScene();
  private final Client client = new Client(scene.port(), "secret");

  @AfterEach
  void close() {
    scene.close();
  }

  @Test
  void createdObjectHasUidVersionAndTime() {
    var made = client.ask("POST", NODES, "{'kind':'Node','metadata':{'name':'n1'}}");
    assertThat(made.code()).isEqualTo(201);
    assertThat(made.body())
        .contains("\"uid\":\"", "\"resourceVersion\":\"1001\"", "2027-01-15T08:00:00Z");
    assertThat(client.ask("POST", NODES, "{'metadata':{'name':'n1'}}").code()).isEqualTo(409);
  }

  @Test
  void nextObjectOfANameHasAnotherUid() {
    Tree.Mapping first = scene.api.put(pod("shop", "web", "n1", "10.1.0.1"));
    scene.api.delete(Resource.PODS, "shop/web");
    Tree.Mapping second = scene.api.put(pod("shop", "web", "n1", "10.1.0.1"));
    assertThat(uid(first)).isNotEqualTo(uid(second));
    assertThat(uid(first)).isEqualTo(uid(scene2Put()));
  }

  private static String uid(Tree.Mapping object) {
    return object.mapping("metadata").flatMap(meta -> meta.text("uid")).orElseThrow();
  }

  private static Tree.Mapping scene2Put() {
    try (LabApi other = new LabApi(WatchScene.CLOCK)) {
      return other.put(pod("shop", "web", "n1", "10.1.0.1"));
    }
  }

  @Test
  void replaceOfWhatHasChangedSinceItWasReadIsAConflict() {
    scene.api.put(node("n1", "192.168.1.11"));
    String stale = client.get(NODES + "/n1").body();
    scene.api.put(node("n1", "192.168.1.12"));
    var conflict = client.ask("PUT", NODES + "/n1", stale);
    assertThat(conflict.code()).isEqualTo(409);
    assertThat(conflict.body()).contains("\"reason\":\"Conflict\"", "the object has been modified");
  }

  @Test
  void replaceLeavesStatusAloneAndStatusLeavesTheRestAlone() {
    scene.api.put(pod("shop", "web", "n1", "10.1.0.1"));
    var spec =
        client.ask(
            "PUT",
            SHOP + "/web",
            "{'metadata':{'name':'web'},'spec':{'nodeName':'n2'},'status':{'podIP':'10.9.9.9'}}");
    assertThat(spec.body()).contains("\"nodeName\":\"n2\"", "10.1.0.1").doesNotContain("10.9.9.9");
    var status =
        client.ask(
            "PUT",
            SHOP + "/web/status",
            "{'metadata':{'name':'web'},'spec':{'nodeName':'n3'},'status':{'podIP':'10.9.9.9'}}");
    assertThat(status.body()).contains("\"nodeName\":\"n2\"", "10.9.9.9");
  }

  @Test
  void replaceWithTheSameChangesNoVersion() {
    scene.api.put(node("n1", "192.168.1.11"));
    long before = scene.api.resourceVersion();
    var same = client.ask("PUT", NODES + "/n1", client.get(NODES + "/n1").body());
    assertThat(same.code()).isEqualTo(200);
    assertThat(scene.api.resourceVersion()).isEqualTo(before);
  }

  @Test
  void deletedObjectIsNotFound() {
    scene.api.put(node("n1", "192.168.1.11"));
    assertThat(client.ask("DELETE", NODES + "/n1", "").code()).isEqualTo(200);
    var gone = client.get(NODES + "/n1");
    assertThat(gone.code()).isEqualTo(404);
    assertThat(gone.body()).contains("\"reason\":\"NotFound\"", "nodes \\\"n1\\\" not found");
  }

  @Test
  void pagesShowTheListAsItWasAtTheFirst() {
    for (int i = 0; i < 5; i++) {
      scene.api.put(pod("shop", "p" + i, "n1", "10.1.0." + (i + 1)));
    }
    String first = client.get("/api/v1/pods?limit=2").body();
    assertThat(first).contains("\"p0\"", "\"p1\"", "\"remainingItemCount\":3");
    scene.api.delete(Resource.PODS, "shop/p3");
    scene.api.put(pod("shop", "p9", "n1", "10.1.0.9"));
    String second = client.get("/api/v1/pods?limit=2&continue=" + token(first)).body();
    assertThat(second).contains("\"p2\"", "\"p3\"");
    String third = client.get("/api/v1/pods?limit=2&continue=" + token(second)).body();
    assertThat(third).contains("\"p4\"").doesNotContain("\"p9\"", "\"continue\"");
  }

  @Test
  void forgottenPageIsGone() {
    for (int i = 0; i < 5; i++) {
      scene.api.put(pod("shop", "p" + i, "n1", "10.1.0." + (i + 1)));
    }
    String first = client.get("/api/v1/pods?limit=2").body();
    scene.api.boundLog(1);
    var gone = client.get("/api/v1/pods?limit=2&continue=" + token(first));
    assertThat(gone.code()).isEqualTo(410);
    assertThat(gone.body()).contains("\"reason\":\"Expired\"");
  }

  private static String token(String list) {
    int at = list.indexOf("\"continue\":\"") + 12;
    return list.substring(at, list.indexOf('"', at));
  }

  @Test
  void watchFromAForgottenVersionTellsGone() {
    for (int i = 0; i < 5; i++) {
      scene.api.put(node("n" + i, "192.168.1.1" + i));
    }
    scene.api.boundLog(2);
    var watch = client.get(NODES + "?watch=true&timeoutSeconds=1&resourceVersion=1001");
    assertThat(watch.code()).isEqualTo(200);
    assertThat(watch.body()).contains("\"type\":\"ERROR\"", "\"code\":410", "too old");
  }

  @Test
  void watchTellsWhatComesAfterItsVersionAndEndsInTime() {
    scene.api.put(node("n1", "192.168.1.11"));
    scene.api.put(node("n2", "192.168.1.12"));
    scene.api.delete(Resource.NODES, "n1");
    scene.api.bookmarksEach(Duration.ofMillis(300));
    String told =
        client
            .get(NODES + "?watch=1&timeoutSeconds=1&allowWatchBookmarks=true&resourceVersion=1001")
            .body();
    assertThat(told)
        .containsSubsequence("\"ADDED\"", "\"n2\"", "\"DELETED\"", "\"n1\"", "\"BOOKMARK\"")
        .contains("\"resourceVersion\":\"1003\"")
        .endsWith("0\r\n\r\n");
  }

  @Test
  void watchWithoutVersionTellsAllThatExists() {
    scene.api.put(node("n1", "192.168.1.11"));
    String told = client.get(NODES + "?watch=true&timeoutSeconds=1").body();
    assertThat(told).contains("\"ADDED\"", "\"n1\"");
  }

  @Test
  void podThatLeavesAFieldSelectorIsToldAsDeleted() {
    scene.api.put(pod("shop", "web", "n1", "10.1.0.1"));
    scene.api.put(pod("shop", "web", "n2", "10.1.0.1"));
    String there = client.get(watchOfNode("n1")).body();
    assertThat(there).contains("\"DELETED\"").doesNotContain("\"ADDED\"");
    String here = client.get(watchOfNode("n2")).body();
    assertThat(here).contains("\"ADDED\"").doesNotContain("\"DELETED\"");
  }

  private static String watchOfNode(String node) {
    return "/api/v1/pods?watch=true&timeoutSeconds=1&resourceVersion=1001"
        + "&fieldSelector=spec.nodeName%3D"
        + node;
  }

  @Test
  void selectorsChooseByLabelAndField() {
    scene.api.put(pod("shop", "web", "n1", "10.1.0.1"));
    scene.api.put(pod("shop", "db", "n2", "10.1.0.2"));
    scene.api.put(pod("other", "web", "n2", "10.1.0.3"));
    assertThat(names("/api/v1/pods?labelSelector=app%3Dweb")).isEqualTo("10.1.0.3 10.1.0.1");
    assertThat(names("/api/v1/pods?labelSelector=app+notin+(web)")).isEqualTo("10.1.0.2");
    assertThat(names(SHOP + "?labelSelector=app")).isEqualTo("10.1.0.2 10.1.0.1");
    assertThat(names("/api/v1/pods?fieldSelector=spec.nodeName%3Dn2,metadata.namespace!%3Dshop"))
        .isEqualTo("10.1.0.3");
    assertThat(client.get("/api/v1/pods?fieldSelector=spec.hostname%3Dx").code()).isEqualTo(400);
  }

  private String names(String path) {
    String body = client.get(path).body();
    StringBuilder found = new StringBuilder();
    var matcher = java.util.regex.Pattern.compile("\"podIP\":\"([^\"]+)\"").matcher(body);
    while (matcher.find()) {
      found.append(found.isEmpty() ? "" : " ").append(matcher.group(1));
    }
    return found.toString();
  }

  @Test
  void agentsMayReadAndNothingElse() throws Exception {
    scene.api.allow(Rbac.read(Path.of(System.getProperty("sund.root"), "deploy", "rbac.yaml")));
    scene.api.token("agent", Subject.serviceAccount("kube-system", "sund-agent"));
    scene.api.put(node("n1", "192.168.1.11"));
    Client agent = new Client(scene.port(), "agent");
    for (String path :
        List.of(
            NODES,
            NODES + "/n1",
            "/api/v1/pods",
            SHOP,
            "/api/v1/namespaces",
            "/apis/projectcalico.org/v3/ippools",
            "/apis/crd.projectcalico.org/v1/ippools")) {
      assertThat(agent.get(path).code()).as(path).isEqualTo(200);
    }
    var denied = agent.ask("DELETE", NODES + "/n1", "");
    assertThat(denied.code()).isEqualTo(403);
    assertThat(denied.body())
        .contains(
            "User \\\"system:serviceaccount:kube-system:sund-agent\\\" cannot delete resource"
                + " \\\"nodes\\\" in API group \\\"\\\" at the cluster scope");
    assertThat(agent.ask("PUT", NODES + "/n1/status", "{'metadata':{'name':'n1'}}").body())
        .contains("cannot update resource \\\"nodes/status\\\"");
    assertThat(agent.ask("POST", SHOP, "{'metadata':{'name':'x'}}").code()).isEqualTo(403);
    assertThat(new Client(scene.port(), "nobody").get(NODES).code()).isEqualTo(401);
  }

  @Test
  void agentsMayWriteTheStatusOfPoliciesAndTakeOneLease() throws Exception {
    Path deploy = Path.of(System.getProperty("sund.root"), "deploy");
    scene.api.allow(Rbac.read(deploy.resolve("rbac.yaml")));
    scene.api.apply(deploy.resolve("lease.yaml"));
    scene.api.token("agent", Subject.serviceAccount("kube-system", "sund-agent"));
    scene.api.put(
        Objects.json(
            "{'apiVersion':'policy.networking.k8s.io/v1alpha2','kind':'ClusterNetworkPolicy',"
                + "'metadata':{'name':'p'},'spec':{}}"));
    Client agent = new Client(scene.port(), "agent");
    String policy = "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies/p";
    String leases = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases";
    assertThat(agent.ask("PATCH", policy, "{}").code()).isEqualTo(403);
    assertThat(agent.ask("PATCH", policy + "/status", "{}").code())
        .as("allowed, though this is no kind of patch")
        .isEqualTo(415);
    assertThat(agent.ask("PUT", policy + "/status", "{}").code()).isEqualTo(403);
    assertThat(agent.get(leases + "/sund-policy-status").code()).isEqualTo(200);
    assertThat(agent.get(leases + "/kube-scheduler").code()).isEqualTo(403);
    assertThat(agent.get(leases).code()).isEqualTo(403);
    assertThat(agent.ask("POST", leases, "{'metadata':{'name':'x'}}").code()).isEqualTo(403);
    assertThat(agent.ask("DELETE", leases + "/sund-policy-status", "").code()).isEqualTo(403);
  }

  @Test
  void badRequestsAreRefusedWithAReason() {
    assertThat(client.ask("POST", NODES, "{").body()).contains("the body is not JSON");
    assertThat(client.ask("POST", NODES, "{'metadata':{}}").body()).contains("metadata.name");
    assertThat(client.ask("POST", NODES, "{'kind':'Pod','metadata':{'name':'x'}}").code())
        .isEqualTo(400);
    assertThat(client.ask("PATCH", NODES, "{}").code()).isEqualTo(405);
    assertThat(client.get("/api/v1/replicationcontrollers").code()).isEqualTo(404);
    assertThat(client.get(NODES + "?limit=many").code()).isEqualTo(400);
  }

  @Test
  void discoveryNamesWhatIsServed() {
    scene.api.serves(Resource.POOLS_V3, false);
    scene.api.serves(Resource.RESERVATIONS_V3, false);
    assertThat(client.get("/api/v1").body()).contains("\"nodes\"", "\"pods\"", "\"namespaces\"");
    assertThat(client.get("/apis").body())
        .contains("crd.projectcalico.org")
        .doesNotContain("\"projectcalico.org\"");
    assertThat(client.get("/readyz").body()).isEqualTo("ok");
  }
}
