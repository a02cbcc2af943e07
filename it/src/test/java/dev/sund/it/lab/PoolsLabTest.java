package dev.sund.it.lab;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.verify.NodeVerification;
import dev.sund.engine.ipam.Block;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kube.api.Kubeconfig;
import dev.sund.kube.claims.AddressBlocks;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.Console;
import dev.sund.lab.LabCluster;
import dev.sund.lab.agents.AgentsInProcess;
import dev.sund.lab.matrix.Matrix;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.Scene.ScenePod;
import dev.sund.lab.scene.SceneReader;
import dev.sund.lab.topology.LabHome;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import dev.sund.model.NodeName;
import dev.sund.model.Prefix;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The lab in mode {@code pools}, as {@code sund lab -f examples/blocks} runs it: agents claim
 * blocks, one of them borrows, packets find every pod, and a node that boots claims anew.
 */
@Tag("netns")
@Timeout(300)
class PoolsLabTest {
  private static final Path ROOT = Path.of(System.getProperty("sund.root", ".."));
  private static final Prefix POOL = Prefix.parse("10.99.0.0/27");
  private static final NodeName N1 = new NodeName("n1");
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final ByteArrayOutputStream said = new ByteArrayOutputStream();

  @Test
  void blocksAreRoutedBorrowedAddressesToo() throws Exception {
    Scene scene =
        SceneReader.read(
            ManifestFiles.read(
                List.of(ROOT.resolve("examples/blocks").toString()), InputStream.nullInputStream()),
            OptionalInt.empty());
    PrintStream stream = new PrintStream(said, true, UTF_8);
    LabHome.sweep();
    try (LabHome home = LabHome.create();
        LabCluster cluster =
            LabCluster.stand(
                scene,
                home,
                new AgentsInProcess(),
                Optional.of(ROOT.resolve("deploy")),
                new Console(stream, stream, false))) {
      everybodyReachesEverybody(cluster);
      routesAreOfBlocks(cluster);
      verifyFindsNothing(cluster, home);

      Map<String, String> before = boots(cluster);
      cluster.restartNode(N1);
      cluster.follow(_ -> {});
      everybodyReachesEverybody(cluster);
      Map<String, String> after = boots(cluster);
      assertThat(after.get("n1")).isNotEqualTo(before.get("n1")).endsWith("-2");
      assertThat(after.get("n2")).isEqualTo(before.get("n2")).endsWith("-1");
      assertThat(usedOutsideOfClaims(cluster)).isEmpty();
      verifyFindsNothing(cluster, home);
    }
  }

  private void everybodyReachesEverybody(LabCluster cluster) throws Exception {
    Matrix matrix = cluster.matrix(cluster.questions(true));
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(printed, true, UTF_8);
    new Console(out, out, false).print(matrix, true, false);
    assertThat(matrix.agrees())
        .as(
            printed
                    .toString(UTF_8)
                    .lines()
                    .filter(line -> line.contains("DIFFER") || line.contains("drift"))
                    .toList()
                + "\n"
                + said.toString(UTF_8))
        .isTrue();
    // A lab that agrees that nobody reaches anybody would agree too.
    List<ScenePod> pods = cluster.scene().pods();
    assertThat(pods).hasSize(4);
    for (ScenePod pod : pods) {
      assertThat(pod.pod().ips()).hasSize(2);
      assertThat(POOL.contains(pod.pod().ips().getFirst())).isTrue();
    }
    assertThat(pods.stream().flatMap(pod -> pod.pod().ips().stream()).distinct()).hasSize(8);
    for (String from : List.of("shop/web", "shop/cart", "shop/db", "shop/search")) {
      for (String to : List.of("shop/web", "shop/cart", "shop/db", "shop/search")) {
        assertThat(printed.toString(UTF_8).lines().filter(line -> line.contains(from + " ")))
            .as(from + " to " + to + "\n" + printed.toString(UTF_8))
            .anyMatch(line -> from.equals(to) || line.contains(to) && line.contains("yes=yes"));
      }
    }
  }

  private static void routesAreOfBlocks(LabCluster cluster) throws Exception {
    List<Block> blocks = blocks(cluster);
    List<Block> four = blocks.stream().filter(each -> POOL.contains(each.cidr())).toList();
    assertThat(four).hasSize(2);
    int borrowed = 0;
    for (String node : List.of("n1", "n2", "n3")) {
      Map<Prefix, RouteEntry> routes = routes(cluster.topology().machine(node));
      for (Block block : blocks) {
        boolean own = block.node().equals(Optional.of(new NodeName(node)));
        assertThat(routes).as(node + " " + block).containsKey(block.cidr());
        assertThat(routes.get(block.cidr()).type().isDeadEnd()).isEqualTo(own);
        for (var claim : block.claims().entrySet()) {
          if (!block.node().equals(Optional.of(claim.getKey()))) {
            for (int place : claim.getValue().offsets().stream().toArray()) {
              borrowed++;
              assertThat(routes).containsKey(Prefix.host(block.address(place)));
            }
          }
        }
      }
    }
    assertThat(borrowed).isPositive();
    // A pod in its node's own block costs other nodes no route.
    Map<Prefix, RouteEntry> routes = routes(cluster.topology().machine("n3"));
    for (ScenePod pod : cluster.scene().pods()) {
      for (Ip ip : pod.pod().ips()) {
        boolean inOwn =
            blocks.stream()
                .anyMatch(block ->
                    block.cidr().contains(ip) && block.node().equals(Optional.of(pod.node())));
        if (inOwn && !pod.node().text().equals("n3")) {
          assertThat(routes).doesNotContainKey(Prefix.host(ip));
        }
      }
    }
  }

  private static List<Ip> usedOutsideOfClaims(LabCluster cluster) throws Exception {
    List<Ip> stray = new ArrayList<>();
    List<Block> blocks = blocks(cluster);
    for (ScenePod pod : cluster.scene().pods()) {
      for (Ip ip : pod.pod().ips()) {
        if (blocks.stream()
            .noneMatch(block ->
                block.cidr().contains(ip) && block.claimed(pod.node()).has(block.offset(ip)))) {
          stray.add(ip);
        }
      }
    }
    return stray;
  }

  /** The boot that each node's claims name: the same in all of them. */
  private static Map<String, String> boots(LabCluster cluster) throws Exception {
    Map<String, Set<String>> claimed = claimed(cluster);
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (claimed.values().stream().anyMatch(boots -> boots.size() > 1)
        && System.nanoTime() < end) {
      Thread.sleep(100); // an agent that has begun writes its claims anew, one after the other
      claimed = claimed(cluster);
    }
    assertThat(claimed.values())
        .as("boots that claims name: %s", claimed)
        .allMatch(boots -> boots.size() == 1);
    Map<String, String> of = new TreeMap<>();
    claimed.forEach((node, boots) -> of.put(node, boots.iterator().next()));
    return of;
  }

  private static Map<String, Set<String>> claimed(LabCluster cluster) {
    Map<String, Set<String>> claimed = new TreeMap<>();
    for (Block block : blocks(cluster)) {
      block
          .claims()
          .forEach((node, claim) ->
              claimed.computeIfAbsent(node.text(), _ -> new TreeSet<>()).add(claim.boot()));
    }
    return claimed;
  }

  /** Agents may be claiming or giving back between the two readings: then once more. */
  private static void verifyFindsNothing(LabCluster cluster, LabHome home) throws Exception {
    for (String node : List.of("n1", "n2", "n3")) {
      NodeVerification found = verify(cluster, home, node);
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (!found.report().drift().isEmpty() && System.nanoTime() < end) {
        Thread.sleep(100);
        found = verify(cluster, home, node);
      }
      assertThat(found.report().drift()).isEmpty();
      assertThat(found.conditions()).isEmpty();
    }
  }

  private static NodeVerification verify(LabCluster cluster, LabHome home, String node)
      throws Exception {
    NetNs namespace = cluster.topology().machine(node);
    Path kubeconfig = home.directory().resolve(node).resolve("kubeconfig");
    return NodeVerification.of(
        new NodeName(node),
        namespace,
        NodeVerification.list(
            Kubeconfig.read(kubeconfig, List.of(), Map.of()), namespace, Duration.ofSeconds(10)),
        cluster.scene().fabric());
  }

  private static List<Block> blocks(LabCluster cluster) {
    List<Block> blocks = new ArrayList<>();
    for (Tree.Mapping object :
        cluster
            .api()
            .list(cluster.api().resource("sund.dev/v1alpha1", "AddressBlock").orElseThrow())) {
      blocks.add(AddressBlocks.read(object));
    }
    return blocks;
  }

  private static Map<Prefix, RouteEntry> routes(NetNs node) throws Exception {
    Map<Prefix, RouteEntry> found = new TreeMap<>();
    try (RouteSocket socket = RouteSocket.open(node)) {
      for (Family family : Family.values()) {
        socket.routes(RouteFilter.main(family)).stream()
            .filter(route -> route.protocol() == Marks.ROUTE_PROTOCOL)
            .forEach(route -> found.put(route.destination(), route));
      }
    }
    return found;
  }
}
