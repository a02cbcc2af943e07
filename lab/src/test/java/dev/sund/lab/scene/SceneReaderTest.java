package dev.sund.lab.scene;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.trace.Underlay;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/** What is kept of manifests, and what is invented where they say nothing. */
class SceneReaderTest {
  private static final String ONE_NODE_TWO_PODS =
      """
      apiVersion: v1
      kind: List
      items:
      - apiVersion: v1
        kind: Node
        metadata: {name: alpha}
        spec: {podCIDR: 10.50.7.0/24, podCIDRs: [10.50.7.0/24]}
        status: {addresses: [{type: InternalIP, address: 10.1.2.3}]}
      - apiVersion: v1
        kind: Pod
        metadata: {namespace: shop, name: given}
        spec: {nodeName: alpha, containers: [{name: c, ports: [{containerPort: 80}]}]}
        status: {podIP: 10.50.7.2, podIPs: [{ip: 10.50.7.2}]}
      - apiVersion: v1
        kind: Pod
        metadata: {namespace: shop, name: open}
        spec: {containers: [{name: c}]}
      - apiVersion: v1
        kind: Pod
        metadata: {namespace: shop, name: done}
        spec: {nodeName: alpha, containers: [{name: c}]}
        status: {phase: Succeeded}
      """;

  @Test
  void whatTheFilesSayIsKeptAndTheRestInventedAroundIt() {
    Scene scene = read(ONE_NODE_TWO_PODS, OptionalInt.empty());

    assertThat(scene.nodes()).hasSize(1);
    assertThat(scene.nodes().getFirst().node().addresses()).containsExactly(Ip.parse("10.1.2.3"));
    assertThat(scene.pods())
        .extracting(pod -> pod.pod().key().name())
        .containsExactly("given", "open");
    assertThat(pod(scene, "given").pod().ips()).containsExactly(Ip.parse("10.50.7.2"));
    assertThat(pod(scene, "open").node()).isEqualTo(new NodeName("alpha"));
    assertThat(pod(scene, "open").pod().ips()).containsExactly(Ip.parse("10.50.7.3"));
  }

  @Test
  void sameFilesAlwaysGiveTheSameScene() {
    assertThat(read(ONE_NODE_TWO_PODS, OptionalInt.empty()))
        .isEqualTo(read(ONE_NODE_TWO_PODS, OptionalInt.empty()));
  }

  @Test
  void generatedNodesAreOnTwoSubnetsAndPodsSpreadOverThem() {
    Scene scene = read(ONE_NODE_TWO_PODS, OptionalInt.of(4));

    assertThat(scene.nodes())
        .extracting(node -> node.name().text())
        .containsExactly("n1", "n2", "n3", "n4");
    assertThat(scene.host("n1").links().getFirst().segment())
        .isEqualTo(scene.host("n3").links().getFirst().segment())
        .isNotEqualTo(scene.host("n2").links().getFirst().segment());
    assertThat(pod(scene, "given").node()).isNotEqualTo(pod(scene, "open").node());
  }

  @Test
  void nodesThatShareASubnetShareASegmentAndTheRouterHasAFreeAddressThere() {
    Scene scene =
        read(
            ONE_NODE_TWO_PODS
                + """
                - apiVersion: v1
                  kind: Node
                  metadata: {name: beta}
                  spec: {podCIDR: 10.50.8.0/24}
                  status: {addresses: [{type: InternalIP, address: 10.1.2.1}]}
                - apiVersion: v1
                  kind: Node
                  metadata: {name: gamma}
                  spec: {podCIDR: 10.50.9.0/24}
                  status: {addresses: [{type: InternalIP, address: 10.9.9.9}]}
                """,
            OptionalInt.empty());

    Underlay.Link alpha = scene.host("alpha").links().getFirst();
    assertThat(scene.host("beta").links().getFirst().segment()).isEqualTo(alpha.segment());
    assertThat(scene.host("gamma").links().getFirst().segment()).isNotEqualTo(alpha.segment());
    assertThat(scene.addresses(Scene.ROUTER))
        .filteredOn(ip -> Prefix.parse("10.1.2.0/24").contains(ip))
        .singleElement()
        .isNotEqualTo(Ip.parse("10.1.2.1"));
  }

  private static ScenePod pod(Scene scene, String name) {
    return scene.pods().stream()
        .filter(pod -> pod.pod().key().name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static Scene read(String yaml, OptionalInt nodes) {
    return SceneReader.read(ManifestFiles.parse("test", yaml), nodes);
  }
}
