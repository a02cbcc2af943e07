package dev.sund.lab.services;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.scene.Trees;
import dev.sund.model.Family;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the lab's API server and its controller make of Services. */
class ServicePartsTest {
  private static final List<Family> DUAL = List.of(Family.V4, Family.V6);

  @Test
  void whatIsLeftOpenIsFilledInAndWhatIsGivenStays() throws Exception {
    List<Tree.Mapping> complete =
        ServiceAnswers.complete(
            List.of(
                service("web", "\"ports\":[{\"port\":80}]"),
                service("dns", "\"clusterIP\":\"10.96.0.10\",\"ports\":[{\"port\":53}]"),
                service(
                    "edge",
                    "\"type\":\"LoadBalancer\",\"ipFamilyPolicy\":\"PreferDualStack\","
                        + "\"externalTrafficPolicy\":\"Local\",\"ports\":[{\"port\":80},"
                        + "{\"port\":443,\"nodePort\":30000}]")),
            List.of(),
            DUAL);
    assertThat(clusterIps(complete.get(0))).containsExactly("10.96.0.11");
    assertThat(clusterIps(complete.get(1))).containsExactly("10.96.0.10");
    assertThat(clusterIps(complete.get(2))).containsExactly("10.96.0.12", "fd00:10:96::a");
    Tree.Mapping edge = Trees.child(complete.get(2), "spec");
    assertThat(Trees.texts(edge, "ports", "nodePort")).containsExactly("30001", "30000");
    assertThat(edge.text("healthCheckNodePort")).contains("30002");
    Tree.Mapping balancer = Trees.child(Trees.child(complete.get(2), "status"), "loadBalancer");
    assertThat(Trees.texts(balancer, "ingress", "ip"))
        .containsExactly("198.51.100.10", "fd00:1b::a");
    assertThat(ServiceAnswers.complete(complete, List.of(), DUAL)).isEqualTo(complete);
  }

  @Test
  void headlessAndExternalOnesGetNothing() throws Exception {
    List<Tree.Mapping> services =
        List.of(
            service("none", "\"clusterIP\":\"None\",\"ports\":[{\"port\":80}]"),
            service("else", "\"type\":\"ExternalName\",\"externalName\":\"example.org\""));
    assertThat(ServiceAnswers.complete(services, List.of(), DUAL)).isEqualTo(services);
  }

  @Test
  void slicesHoldThePodsThatRunAndNamedPortsAsEachPodHasThem() throws Exception {
    Tree.Mapping service =
        service(
            "web",
            "\"clusterIPs\":[\"10.96.0.9\",\"fd00:96::9\"],\"selector\":{\"app\":\"web\"},"
                + "\"ports\":[{\"name\":\"http\",\"port\":80,\"targetPort\":\"http\"}]");
    List<Tree.Mapping> slices =
        EndpointSlices.of(
            service,
            List.of(
                pod("one", "web", "Running", 8080, ""),
                pod(
                    "two",
                    "web",
                    "Running",
                    8081,
                    ",\"deletionTimestamp\":\"2026-01-01T00:00:00Z\""),
                pod("three", "web", "Pending", 8080, ""),
                pod("four", "api", "Running", 8080, "")),
            List.of());
    assertThat(slices.stream().map(slice -> Trees.texts(slice, "ports", "port")))
        .containsExactly(List.of("8080"), List.of("8081"), List.of("8080"), List.of("8081"));
    assertThat(slices.getFirst().text("addressType")).contains("IPv4");
    assertThat(slices.getLast().text("addressType")).contains("IPv6");
    assertThat(String.valueOf(slices.get(0))).contains("one").doesNotContain("three", "four");
    Tree.Mapping leaving = (Tree.Mapping) Trees.items(slices.get(1), "endpoints").getFirst();
    Tree.Mapping conditions = Trees.child(leaving, "conditions");
    assertThat(conditions.text("ready")).contains("false");
    assertThat(conditions.text("serving")).contains("true");
    assertThat(conditions.text("terminating")).contains("true");
  }

  private static List<String> clusterIps(Tree.Mapping service) {
    return Trees.texts(Trees.child(service, "spec"), "clusterIPs");
  }

  private static Tree.Mapping service(String name, String spec) throws Exception {
    return (Tree.Mapping)
        JsonTrees.parse(
            ("{\"apiVersion\":\"v1\",\"kind\":\"Service\",\"metadata\":{\"namespace\":\"shop\","
                    + "\"name\":\"%s\"},\"spec\":{%s}}")
                .formatted(name, spec));
  }

  private static Tree.Mapping pod(String name, String app, String phase, int port, String metadata)
      throws Exception {
    return (Tree.Mapping)
        JsonTrees.parse(
            ("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"shop\","
                    + "\"name\":\"%s\",\"labels\":{\"app\":\"%s\"}%s},\"spec\":{\"nodeName\":\"n1\","
                    + "\"containers\":[{\"name\":\"main\",\"ports\":[{\"name\":\"http\","
                    + "\"containerPort\":%d}]}]},\"status\":{\"phase\":\"%s\",\"podIPs\":["
                    + "{\"ip\":\"10.1.0.%d\"},{\"ip\":\"fd00:1::%d\"}]}}")
                .formatted(
                    name, app, metadata, port, phase, name.length() + port % 7, name.length()));
  }
}
