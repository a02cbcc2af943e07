package dev.sund.lab.api;

import static dev.sund.lab.api.Objects.json;
import static dev.sund.lab.api.Objects.node;
import static dev.sund.lab.api.Objects.pod;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.ApiObjects.Patch;
import dev.sund.kube.api.ApiPath;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.api.ApiServer;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is written by the production client: compare-and-swap, patches, schemas. */
class LabApiWriteTest {
  private static final ApiPath NODES = ApiPath.of("v1", "nodes");
  private static final ApiPath LEASES =
      ApiPath.of("coordination.k8s.io/v1", "leases").in("kube-system");
  private static final ApiPath POOLS = ApiPath.of("crd.projectcalico.org/v1", "ippools");

  private final WatchScene scene = new WatchScene();
  private final ApiObjects objects =
      new ApiObjects(
          ApiServer.plain("127.0.0.1", scene.port(), "secret"),
          Dialer.HERE,
          Duration.ofSeconds(30));

  @AfterEach
  void close() {
    objects.close();
    scene.close();
  }

  private static Tree parsed(String text) throws IOException {
    return JsonTrees.parse(text.replace('\'', '"'));
  }

  private static String text(Tree.Mapping object, String field) {
    return JsonText.of(object.get(field).orElseThrow()).replace('"', '\'');
  }

  @Test
  void ofTwoWhoReadTheSameOnlyOneReplaces() throws Exception {
    objects.create(
        LEASES.all(),
        json(
            "{'metadata':{'name':'sund','namespace':'kube-system'},'spec':{'holderIdentity':''}}"));
    Tree.Mapping read = objects.read(LEASES.named("sund")).orElseThrow();
    Tree.Mapping won =
        objects.replace(LEASES.named("sund"), read.with("spec", json("{'holderIdentity':'n1'}")));
    assertThat(text(won, "spec")).isEqualTo("{'holderIdentity':'n1'}");
    assertThatThrownBy(() ->
            objects.replace(
                LEASES.named("sund"), read.with("spec", json("{'holderIdentity':'n2'}"))))
        .isInstanceOfSatisfying(
            ApiRefusal.class, refusal -> assertThat(refusal.isConflict()).isTrue());
    assertThatThrownBy(() -> objects.create(LEASES.all(), read))
        .isInstanceOfSatisfying(
            ApiRefusal.class, refusal -> assertThat(refusal.alreadyExists()).isTrue());
  }

  @Test
  void deleteWithAnOldVersionIsAConflict() throws Exception {
    Tree.Mapping old = scene.api.put(node("n1", "192.168.1.11"));
    scene.api.put(node("n1", "192.168.1.12"));
    Optional<String> version = Json.child(old, "metadata").text("resourceVersion");
    assertThatThrownBy(() -> objects.delete(NODES.named("n1"), version))
        .isInstanceOfSatisfying(
            ApiRefusal.class, refusal -> assertThat(refusal.isConflict()).isTrue());
    assertThat(objects.delete(NODES.named("n1"), Optional.empty())).isTrue();
    assertThat(objects.delete(NODES.named("n1"), Optional.empty())).isFalse();
  }

  @Test
  void mergePatchMergesMappingsAndRemovesNulls() throws Exception {
    scene.api.put(
        json(
            "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1'},"
                + "'spec':{'a':1,'b':{'c':2,'d':3}}}"));
    Tree.Mapping after =
        objects.patch(
            NODES.named("n1"), Patch.MERGE, parsed("{'spec':{'a':null,'b':{'c':[4]},'e':5}}"));
    assertThat(text(after, "spec")).isEqualTo("{'b':{'c':[4],'d':3},'e':5}");
  }

  @Test
  void jsonPatchIsDoneAsAWholeOrNotAtAll() throws Exception {
    scene.api.put(
        json(
            "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1'},"
                + "'spec':{'podCIDRs':['10.1.0.0/24'],'x/y':'old'}}"));
    Tree.Mapping after =
        objects.patch(
            NODES.named("n1"),
            Patch.JSON,
            parsed(
                "[{'op':'test','path':'/spec/podCIDRs/0','value':'10.1.0.0/24'},"
                    + "{'op':'add','path':'/spec/podCIDRs/-','value':'fd00::/64'},"
                    + "{'op':'replace','path':'/spec/x~1y','value':'new'},"
                    + "{'op':'copy','from':'/spec/x~1y','path':'/spec/copy'},"
                    + "{'op':'remove','path':'/spec/podCIDRs/0'}]"));
    assertThat(text(after, "spec"))
        .isEqualTo("{'podCIDRs':['fd00::/64'],'x/y':'new','copy':'new'}");
    assertThatThrownBy(() ->
            objects.patch(
                NODES.named("n1"),
                Patch.JSON,
                parsed(
                    "[{'op':'remove','path':'/spec/copy'},"
                        + "{'op':'test','path':'/spec/x~1y','value':'old'}]")))
        .hasMessageContaining("the value is another");
    assertThat(text(objects.read(NODES.named("n1")).orElseThrow(), "spec")).contains("'copy'");
  }

  @Test
  void strategicPatchMergesConditionsByTheirType() throws Exception {
    scene.api.put(
        json(
            "{'apiVersion':'v1','kind':'Node','metadata':{'name':'n1'},"
                + "'status':{'conditions':[{'type':'Ready','status':'True'},"
                + "{'type':'NetworkUnavailable','status':'True'}]}}"));
    Tree.Mapping after =
        objects.patch(
            NODES.statusOf("n1"),
            Patch.STRATEGIC,
            parsed(
                "{'spec':{'x':1},'status':{'conditions':["
                    + "{'type':'NetworkUnavailable','status':'False','reason':'SundIsUp'}]}}"));
    assertThat(text(after, "status"))
        .isEqualTo(
            "{'conditions':[{'type':'Ready','status':'True'},"
                + "{'type':'NetworkUnavailable','status':'False','reason':'SundIsUp'}]}");
    assertThat(after.get("spec")).as("a patch of the status changes nothing else").isEmpty();
  }

  /** As custom resources with a status subresource are served. */
  @Test
  void aGenerationCountsWhatIsWishedForAndNotWhatIsReported() throws Exception {
    ApiPath policies = ApiPath.of("policy.networking.k8s.io/v1alpha2", "clusternetworkpolicies");
    Tree.Mapping made =
        objects.create(
            policies.all(),
            json(
                "{'metadata':{'name':'p','generation':7},'spec':{'tier':'Admin'},"
                    + "'status':{'conditions':[]}}"));
    assertThat(text(made, "metadata")).contains("'generation':1");
    assertThat(made.get("status")).as("nobody wishes for a status").isEmpty();
    Tree.Mapping reported =
        objects.patch(
            policies.statusOf("p"),
            Patch.MERGE,
            parsed("{'spec':{'tier':'Baseline'},'status':{'conditions':[{'type':'a/B'}]}}"));
    assertThat(text(reported, "metadata")).contains("'generation':1");
    assertThat(text(reported, "spec")).isEqualTo("{'tier':'Admin'}");
    assertThat(Json.child(reported, "metadata").text("resourceVersion"))
        .as("a report is a change of the object all the same")
        .isNotEqualTo(Json.child(made, "metadata").text("resourceVersion"));
    Tree.Mapping changed =
        objects.patch(
            policies.named("p"),
            Patch.MERGE,
            parsed("{'spec':{'tier':'Baseline'},'status':{'conditions':[]}}"));
    assertThat(text(changed, "metadata")).contains("'generation':2");
    assertThat(text(changed, "status")).contains("'type':'a/B'");
    Tree.Mapping labelled =
        objects.patch(
            policies.named("p"), Patch.MERGE, parsed("{'metadata':{'labels':{'a':'b'}}}"));
    assertThat(text(labelled, "metadata")).contains("'generation':2").contains("'a':'b'");
  }

  @Test
  void aPatchThatSaysWhichVersionItMeansIsRefusedAfterAnother() throws Exception {
    ApiPath policies = ApiPath.of("policy.networking.k8s.io/v1alpha2", "clusternetworkpolicies");
    objects.create(policies.all(), json("{'metadata':{'name':'p'},'spec':{}}"));
    Tree.Mapping read = objects.read(policies.named("p")).orElseThrow();
    String patch = "{'metadata':{'resourceVersion':'%s'},'status':{'conditions':[{'type':'%s'}]}}";
    String first = Json.child(read, "metadata").text("resourceVersion").orElseThrow();
    objects.patch(policies.statusOf("p"), Patch.MERGE, parsed(patch.formatted(first, "a")));
    assertThatThrownBy(() ->
            objects.patch(policies.statusOf("p"), Patch.MERGE, parsed(patch.formatted(first, "b"))))
        .isInstanceOfSatisfying(
            ApiRefusal.class, refusal -> assertThat(refusal.isConflict()).isTrue());
  }

  /** As Kubernetes' nodeStatusStrategy has it, by which flannel and Calico annotate nodes. */
  @Test
  void whoMayPatchANodesStatusMayAnnotateItAndChangeNothingElse() throws Exception {
    scene.api.put(node("n1", "192.168.1.11"));
    Tree.Mapping after =
        objects.patch(
            NODES.statusOf("n1"),
            Patch.MERGE,
            parsed(
                "{'metadata':{'annotations':{'sund.dev/ipv4-address':'10.8.0.7'},"
                    + "'finalizers':['x']},'spec':{'x':1}}"));
    assertThat(text(after, "metadata"))
        .contains("'annotations':{'sund.dev/ipv4-address':'10.8.0.7'}")
        .doesNotContain("finalizers");
    assertThat(after.get("spec")).isEmpty();
    after =
        objects.patch(
            NODES.statusOf("n1"),
            Patch.MERGE,
            parsed("{'metadata':{'annotations':{'sund.dev/ipv4-address':null}}}"));
    assertThat(text(after, "metadata")).doesNotContain("sund.dev");
    assertThat(text(after, "status")).contains("192.168.1.11");
  }

  @Test
  void patchOfAnUnknownTypeIsRefused() {
    scene.api.put(node("n1", "192.168.1.11"));
    Client client = new Client(scene.port(), "secret");
    assertThat(client.ask("PATCH", "/api/v1/nodes/n1", "{}").code()).isEqualTo(415);
  }

  @Test
  void customResourcesAreHeldToTheirShippedSchemas() throws Exception {
    scene.api.define(Path.of(System.getProperty("sund.root"), "deploy", "crds"));
    Tree.Mapping made =
        objects.create(
            POOLS.all(),
            json("{'metadata':{'name':'p'},'spec':{'cidr':'10.0.0.0/16','surprise':1}}"));
    assertThat(text(made, "spec")).contains("10.0.0.0/16").doesNotContain("surprise");
    assertThatThrownBy(() ->
            objects.create(
                POOLS.all(), json("{'metadata':{'name':'q'},'spec':{'vxlanMode':'Maybe'}}")))
        .hasMessage(
            "IPPool.crd.projectcalico.org \"q\" is invalid: [spec.cidr: Required value,"
                + " spec.vxlanMode: Unsupported value: \"Maybe\": supported values: \"Never\","
                + " \"CrossSubnet\", \"Always\"]");
    assertThatThrownBy(
            () -> objects.patch(POOLS.named("p"), Patch.MERGE, parsed("{'spec':{'cidr':7}}")))
        .hasMessageContaining("spec.cidr: Invalid value: 7: must be of type string");
  }

  @Test
  void servicesAndSlicesAreRefusedAsARealServerDoes() throws Exception {
    ApiPath services = ApiPath.of("v1", "services").in("shop");
    ApiPath slices = ApiPath.of("discovery.k8s.io/v1", "endpointslices").in("shop");
    String web = "{'metadata':{'namespace':'shop','name':'%s'},'spec':{%s}}";
    Tree.Mapping made =
        objects.create(
            services.all(),
            json(web.formatted("good", "'ports':[{'port':80}],'selector':{'app':'web'}")));
    assertThat(text(made, "spec")).contains("'app':'web'");
    assertThatThrownBy(() ->
            objects.create(
                services.all(),
                json(web.formatted("bad", "'type':'Nodeport','ports':[{'port':80080}]"))))
        .hasMessageContaining("Service \"bad\" is invalid")
        .hasMessageContaining("spec.type: Unsupported value: \"Nodeport\"")
        .hasMessageContaining("spec.ports[0].port: Invalid value: 80080");
    assertThatThrownBy(() ->
            objects.create(
                services.all(),
                json(web.formatted("two", "'ports':[{'port':80},{'port':80,'name':'b'}]"))))
        .hasMessageContaining("spec.ports[0].name: Required value")
        .hasMessageContaining("spec.ports[1]: Duplicate value: \"80/TCP\"");
    assertThatThrownBy(() ->
            objects.create(
                slices.all(),
                json(
                    "{'metadata':{'namespace':'shop','name':'s'},"
                        + "'ports':[{'port':0,'protocol':'ICMP'}],'endpoints':[{}]}")))
        .hasMessageContaining("addressType: Required value")
        .hasMessageContaining("endpoints[0].addresses: Required value")
        .hasMessageContaining("ports[0].port: Invalid value: 0")
        .hasMessageContaining("ports[0].protocol: Unsupported value: \"ICMP\"");
  }

  @Test
  void aDefinitionBringsItsResourceAndTakesItAway() throws Exception {
    String definition =
        "{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition',"
            + "'metadata':{'name':'things.example.org'},'spec':{'group':'example.org',"
            + "'scope':'Namespaced','names':{'plural':'things','kind':'Thing'},"
            + "'versions':[{'name':'v1','served':true,'storage':true,'schema':{"
            + "'openAPIV3Schema':{'type':'object','properties':{'size':{'type':'integer',"
            + "'minimum':1,'default':3}}}}}]}}";
    ApiPath definitions = ApiPath.of("apiextensions.k8s.io/v1", "customresourcedefinitions");
    ApiPath things = ApiPath.of("example.org/v1", "things").in("shop");
    assertThat(objects.read(things.named("a"))).isEmpty();
    objects.create(definitions.all(), json(definition));
    Tree.Mapping made = objects.create(things.all(), json("{'metadata':{'name':'a'}}"));
    assertThat(text(made, "size")).isEqualTo("3");
    assertThatThrownBy(
            () -> objects.create(things.all(), json("{'metadata':{'name':'b'},'size':0}")))
        .hasMessageContaining("size: Invalid value: 0: should be greater than or equal to 1");
    objects.delete(definitions.named("things.example.org"), Optional.empty());
    assertThatThrownBy(() -> objects.create(things.all(), json("{'metadata':{'name':'c'}}")))
        .isInstanceOfSatisfying(
            ApiRefusal.class, refusal -> assertThat(refusal.isNotFound()).isTrue());
  }

  @Test
  void aDefinitionThatIsNotUnderstoodIsRefused() {
    ApiPath definitions = ApiPath.of("apiextensions.k8s.io/v1", "customresourcedefinitions");
    assertThatThrownBy(() ->
            objects.create(
                definitions.all(),
                json(
                    "{'metadata':{'name':'x'},'spec':{'group':'g','names':{},'versions':["
                        + "{'name':'v1','schema':{'openAPIV3Schema':{'oneOf':[]}}}]}}")))
        .hasMessageContaining("does not understand 'oneOf' of openAPIV3Schema");
  }

  @Test
  void listsAreReadInPages() throws Exception {
    for (int i = 0; i < 501; i++) {
      scene.api.put(pod("shop", "p" + i, "n1", "10.1.0.1"));
    }
    assertThat(objects.list(ApiPath.of("v1", "pods").in("shop").all())).hasSize(501);
  }
}
