package dev.sund.it.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.agent.AgentScene.PodHandle;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.Resource;
import dev.sund.model.Family;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nodes with two devices each: a node's address is the one that its agent finds as it was told, the
 * other nodes learn of it, and a change is followed, with packets.
 */
@Tag("netns")
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TwoDevicesTest {
  /** A change of an address has then reached the other nodes' kernels, also on a busy machine. */
  private static final Duration SOON = Duration.ofSeconds(30);

  private AgentScene scene;
  private PodHandle a;
  private PodHandle b;
  private PodHandle d;

  @BeforeAll
  void build(@TempDir Path directory) throws Exception {
    scene = AgentScene.build(directory);
    String router = name(scene.topology().machine("r").path());
    scene.run(scene.topology().machine("r"), "ip", "link", "add", "br9", "up", "type", "bridge");
    for (int node = 1; node <= scene.nodes(); node++) {
      String port = "p9-" + node;
      scene.run(
          scene.node(node),
          "ip",
          "link",
          "add",
          "eth1",
          "type",
          "veth",
          "peer",
          "name",
          port,
          "netns",
          router);
      scene.run(scene.topology().machine("r"), "ip", "link", "set", port, "master", "br9", "up");
      scene.run(scene.node(node), "ip", "link", "set", "eth1", "up");
      address(node, "add", "172.31.0.1" + node + "/24");
      address(node, "add", "fd00:172:31::1" + node + "/64");
    }
    scene.startAll();
    a = scene.addPod("a", 1);
    b = scene.addPod("b", 2);
    d = scene.addPod("d", 3);
  }

  @AfterAll
  void clear() throws Exception {
    scene.close();
  }

  private static String name(Path namespace) {
    return namespace.getFileName().toString();
  }

  private void address(int node, String verb, String address) throws Exception {
    if (address.contains(":")) {
      scene.run(scene.node(node), "ip", "-6", "addr", verb, address, "dev", "eth1", "nodad");
    } else {
      scene.run(scene.node(node), "ip", "addr", verb, address, "dev", "eth1");
    }
  }

  private static Tree.Mapping installation(String network) throws Exception {
    return (Tree.Mapping)
        JsonTrees.parse(
            "{\"apiVersion\":\"operator.tigera.io/v1\",\"kind\":\"Installation\","
                + "\"metadata\":{\"name\":\"default\"},\"spec\":{\"calicoNetwork\":{"
                + network
                + "}}}");
  }

  private void routed(int node, String range, String... words) throws Exception {
    String[] command =
        range.contains(":")
            ? new String[] {"ip", "-6", "route", "show", range}
            : new String[] {"ip", "route", "show", range};
    scene.await(
        "n" + node + " has " + range + " " + String.join(" ", words),
        SOON,
        () -> {
          String route = scene.run(scene.node(node), command);
          for (String word : words) {
            if (!route.contains(word)) {
              return false;
            }
          }
          return words.length > 0 || route.isEmpty();
        });
  }

  private String annotations(int node) {
    return scene
        .api()
        .get(Resource.NODES, "n" + node)
        .orElseThrow()
        .mapping("metadata")
        .flatMap(metadata -> metadata.get("annotations"))
        .map(JsonText::of)
        .orElse("");
  }

  private void allReach(Family family, String when) throws Exception {
    assertThat(scene.reaches(a, b, family)).as("a to b by %s %s", family, when).isTrue();
    assertThat(scene.reaches(a, d, family)).as("a to d by %s %s", family, when).isTrue();
    assertThat(scene.reaches(d, a, family)).as("d to a by %s %s", family, when).isTrue();
  }

  @Test
  void otherNodesLearnWhatAnAgentFoundAndFollowItsChanges() throws Exception {
    routed(1, "10.244.3.0/24", "dev sund-vxlan4");
    assertThat(annotations(1)).doesNotContain("sund.dev");

    scene.api().put(installation("\"nodeAddressAutodetectionV4\":{\"interface\":\"^eth1$\"}"));
    for (int node : new int[] {1, 2}) {
      routed(node, "10.244.3.0/24", "via 172.31.0.13", "dev eth1");
    }
    routed(3, "10.244.1.0/24", "via 172.31.0.11", "dev eth1");
    routed(1, "10.244.2.0/24", "via 172.31.0.12", "dev eth1");
    routed(2, "10.244.1.0/24", "via 172.31.0.11", "dev eth1");
    routed(1, "fd00:10:244:3::/64", "dev sund-vxlan6");
    assertThat(annotations(3)).isEqualTo("{\"sund.dev/ipv4-address\":\"172.31.0.13\"}");
    allReach(Family.V4, "over eth1");
    allReach(Family.V6, "over eth0 as before");

    address(3, "del", "172.31.0.13/24");
    address(3, "add", "172.31.0.33/24");
    routed(1, "10.244.3.0/24", "via 172.31.0.33");
    routed(3, "10.244.1.0/24", "src 172.31.0.33");
    allReach(Family.V4, "after n3's address changed");

    address(3, "del", "172.31.0.33/24");
    routed(1, "10.244.3.0/24");
    assertThat(annotations(3)).contains("none");
    assertThat(scene.reaches(a, d, Family.V4)).as("no other way was asked for").isFalse();
    scene.await(
        "n3 says why", SOON, () -> scene.get(3, "/metrics").contains("node-address-not-found"));
    allReach(Family.V6, "without n3's IPv4 address");

    scene.api().delete(Resource.INSTALLATIONS, "default");
    routed(1, "10.244.3.0/24", "dev sund-vxlan4");
    routed(3, "10.244.1.0/24", "dev sund-vxlan4");
    routed(1, "10.244.2.0/24", "via 192.168.1.12", "dev eth0");
    routed(2, "10.244.1.0/24", "via 192.168.1.11", "dev eth0");
    scene.await("annotations are gone", SOON, () -> !annotations(3).contains("sund.dev"));
    allReach(Family.V4, "by InternalIP again");
    address(3, "add", "172.31.0.13/24");
  }

  @Test
  void tunnelsAndTheSourceOfThisNodesOwnPacketsMoveWithTheAddress() throws Exception {
    String wrapped =
        "\"ipPools\":[{\"cidr\":\"10.244.0.0/16\",\"encapsulation\":\"VXLAN\"},"
            + "{\"cidr\":\"fd00:10:244::/48\",\"encapsulation\":\"VXLAN\"}],";
    scene
        .api()
        .put(
            installation(
                wrapped
                    + "\"nodeAddressAutodetectionV4\":{\"cidrs\":[\"172.31.0.0/16\"]},"
                    + "\"nodeAddressAutodetectionV6\":{\"canReach\":\"fd00:172:31::99\"}"));
    for (int node = 1; node <= scene.nodes(); node++) {
      tunnel(node, "sund-vxlan4", "local 172.31.0.1" + node, "dev eth1");
      tunnel(node, "sund-vxlan6", "local fd00:172:31::1" + node, "dev eth1");
    }
    scene.await(
        "n1 knows n3's tunnel ends",
        SOON,
        () ->
            scene.run(scene.node(1), "bridge", "fdb", "show").contains("dst 172.31.0.13")
                && scene.run(scene.node(1), "bridge", "fdb", "show").contains("fd00:172:31::13"));
    for (Family family : Family.values()) {
      scene.await(
          "all reach all by " + family,
          SOON,
          () ->
              scene.reaches(a, b, family)
                  && scene.reaches(a, d, family)
                  && scene.reaches(d, a, family));
    }
    allReach(Family.V4, "wrapped over eth1");
    allReach(Family.V6, "wrapped over eth1");

    // Nothing but eth1 is left: what passes, passes there.
    scene.run(scene.node(3), "nft", "add table netdev t");
    scene.run(
        scene.node(3),
        "nft",
        "add chain netdev t c { type filter hook ingress device eth0 priority 0; }");
    scene.run(scene.node(3), "nft", "add rule netdev t c udp dport 4789 drop");
    allReach(Family.V4, "with eth0 closed to VXLAN");
    allReach(Family.V6, "with eth0 closed to VXLAN");

    scene.api().put(installation(wrapped.substring(0, wrapped.length() - 1)));
    tunnel(1, "sund-vxlan4", "local 192.168.1.11", "dev eth0");
    tunnel(1, "sund-vxlan6", "local fd00:192:168:1::11", "dev eth0");
    scene.api().delete(Resource.INSTALLATIONS, "default");
    scene.run(scene.node(3), "nft", "delete table netdev t");
    for (int node = 1; node <= scene.nodes(); node++) {
      int which = node;
      scene.await("annotations are gone", SOON, () -> !annotations(which).contains("sund.dev"));
    }
    routed(1, "10.244.2.0/24", "via 192.168.1.12", "dev eth0");
  }

  private void tunnel(int node, String device, String... words) throws Exception {
    scene.await(
        "n" + node + " has " + device + " " + String.join(" ", words),
        SOON,
        () -> {
          String links = scene.run(scene.node(node), "ip", "-d", "-o", "link", "show");
          String link = links.lines().filter(line -> line.contains(device)).findFirst().orElse("");
          for (String word : words) {
            if (!link.contains(word)) {
              return false;
            }
          }
          return true;
        });
  }
}
