package dev.sund.lab.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kube.tree.Tree;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever happens to objects and connections on the way: in the end the watch knows the truth. */
class ClusterWatchChaosTest {
  private static final int CHANGES = 300;

  static List<Long> seeds() {
    int count = Boolean.getBoolean("sund.long") ? 30 : 3;
    long first = Long.getLong("sund.seed", System.nanoTime());
    List<Long> seeds = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      seeds.add(first + i);
    }
    return seeds;
  }

  @ParameterizedTest(name = "seed {0}")
  @MethodSource("seeds")
  void inTheEndTheWatchKnowsWhatTheServerHas(long seed) {
    Random random = new Random(seed);
    try (WatchScene scene = new WatchScene()) {
      scene.api.bookmarksEach(Duration.ofMillis(20));
      scene.watch();
      for (int i = 0; i < CHANGES; i++) {
        change(scene.api, random);
        disturb(scene.api, random);
      }
      scene.api.faults().none();
      scene.until(() -> scene.state().equals(truth(scene.api)));
      scene.synced();
      assertThat(scene.state()).isEqualTo(truth(scene.api));
    }
  }

  private static void change(LabApi api, Random random) {
    String name = "x" + random.nextInt(12);
    String ip = "10.1." + random.nextInt(4) + "." + (1 + random.nextInt(200));
    switch (random.nextInt(6)) {
      case 0, 1 -> api.put(Objects.pod("shop", name, "n1", ip));
      case 2 -> api.put(Objects.node(name, ip));
      case 3 -> api.delete(Resource.PODS, "shop/" + name);
      case 4 -> api.delete(Resource.NODES, name);
      default -> pool(api, random, random.nextBoolean() ? Resource.POOLS_V3 : Resource.POOLS_V1);
    }
  }

  private static void pool(LabApi api, Random random, Resource resource) {
    String name = "pool" + random.nextInt(3);
    if (random.nextInt(3) == 0) {
      api.delete(resource, name);
    } else {
      String cidr = "10." + random.nextInt(250) + ".0.0/16";
      String mode = random.nextBoolean() ? "Always" : "Never";
      api.put(Objects.pool(resource.apiVersion(), name, cidr, mode));
    }
  }

  private static void disturb(LabApi api, Random random) {
    switch (random.nextInt(60)) {
      case 0, 1 -> api.dropConnections();
      case 2 -> api.boundLog(1 + random.nextInt(5));
      case 3 -> api.boundLog(Store.DEFAULT_LOG);
      case 4 -> api.faults().twice(random.nextBoolean());
      case 5 -> api.faults().delay(Duration.ofMillis(random.nextInt(4)));
      case 6 -> api.faults().unavailable(random.nextInt(4));
      case 7, 8, 9 -> pause(random.nextInt(20));
      default -> {
        // Mostly nothing happens.
      }
    }
  }

  private static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** What {@link WatchScene#state} should say. */
  private static List<String> truth(LabApi api) {
    List<String> lines = new ArrayList<>();
    for (Tree.Mapping node : api.list(Resource.NODES)) {
      lines.add("Node " + name(node) + " [" + find(node, "address") + "]");
    }
    for (Tree.Mapping pod : api.list(Resource.PODS)) {
      lines.add("Pod shop/" + name(pod) + " [" + find(pod, "podIP") + "]");
    }
    for (Tree.Mapping pool : api.list(Resource.POOLS_V3)) {
      lines.add(line(pool));
    }
    for (Tree.Mapping pool : api.list(Resource.POOLS_V1)) {
      if (api.get(Resource.POOLS_V3, name(pool)).isEmpty()) {
        lines.add(line(pool));
      }
    }
    return lines.stream().sorted().toList();
  }

  private static String line(Tree.Mapping pool) {
    String mode = find(pool, "vxlanMode").equals("Always") ? "ALWAYS" : "NEVER";
    return "IPPool " + name(pool) + " " + find(pool, "cidr") + " " + mode;
  }

  private static String name(Tree.Mapping object) {
    return object.mapping("metadata").flatMap(meta -> meta.text("name")).orElseThrow();
  }

  private static String find(Tree tree, String key) {
    return switch (tree) {
      case Tree.Mapping mapping ->
          mapping
              .text(key)
              .orElseGet(() ->
                  mapping.fields().values().stream()
                      .map(value -> find(value, key))
                      .filter(text -> !text.isEmpty())
                      .findFirst()
                      .orElse(""));
      case Tree.Sequence sequence ->
          sequence.items().stream()
              .map(value -> find(value, key))
              .filter(text -> !text.isEmpty())
              .findFirst()
              .orElse("");
      case Tree.Scalar _ -> "";
    };
  }
}
