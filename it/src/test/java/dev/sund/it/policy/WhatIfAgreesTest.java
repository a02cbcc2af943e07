package dev.sund.it.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.policy.audit.Crossing;
import dev.sund.engine.policy.audit.PathChange;
import dev.sund.engine.policy.audit.WhatIf;
import dev.sund.it.policy.oracle.End;
import dev.sund.it.policy.oracle.Oracle;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.policy.SceneObjects;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * What a change is said to open and close, beside the oracle's answers before and after it: in
 * generated clusters, read from their text, one policy goes.
 */
class WhatIfAgreesTest {
  private static final long SEED = Long.getLong("sund.seed", 20261124);
  private static final int CLUSTERS = Boolean.getBoolean("sund.long") ? 1_000 : 100;

  private long changed;

  @Test
  void whatOpensAndClosesIsWhatTheTextSaysBeforeAndAfter() {
    for (long seed = SEED; seed < SEED + CLUSTERS; seed++) {
      ClusterText cluster = RandomCluster.of(seed);
      List<Map<String, @Nullable Object>> policies =
          cluster.objects().stream()
              .filter(object -> String.valueOf(object.get("kind")).endsWith("NetworkPolicy"))
              .toList();
      List<Map<String, @Nullable Object>> fewer = new ArrayList<>(cluster.objects());
      fewer.remove(policies.get(new Random(seed).nextInt(policies.size())));
      compare(seed, cluster, new ClusterText(fewer, cluster.ends()));
    }
    System.out.printf("%,d ports open or close as they should, seed %d%n", changed, SEED);
    assertThat(changed).isGreaterThan(CLUSTERS);
  }

  private void compare(long seed, ClusterText before, ClusterText after) {
    WhatIf found = WhatIf.of(scene(before).scene(), scene(after).scene(), List.of());
    Oracle then = Oracle.of(before.text());
    Oracle now = Oracle.of(after.text());
    Map<String, List<End>> pods = new TreeMap<>();
    for (End end : before.ends()) {
      if (!end.pod().isEmpty()) {
        pods.computeIfAbsent(end.pod(), _ -> new ArrayList<>()).add(end);
      }
    }
    pods.forEach((from, asking) ->
        pods.forEach((to, asked) -> {
          if (from.equals(to)) {
            return; // nobody stops it (N16)
          }
          @Nullable PathChange change =
              found.workloads().get(new Crossing<>("Pod " + from, "Pod " + to));
          for (Protocol protocol : Protocol.values()) {
            for (int port : protocol == Protocol.ICMP ? List.of(0) : RandomCluster.PORTS) {
              boolean was = isOpen(then, asking, asked, protocol, port);
              boolean is = isOpen(now, asking, asked, protocol, port);
              String what =
                  "seed %d: %s to %s %d/%s".formatted(seed, from, to, port, protocol.label());
              assertThat(change != null && change.opened().contains(protocol, port))
                  .as("%s opens", what)
                  .isEqualTo(is && !was);
              assertThat(change != null && change.closed().contains(protocol, port))
                  .as("%s closes", what)
                  .isEqualTo(was && !is);
              changed += was == is ? 0 : 1;
            }
          }
        }));
  }

  /** By addresses of either family. */
  private static boolean isOpen(
      Oracle oracle, List<End> asking, List<End> asked, Protocol protocol, int port) {
    for (End from : asking) {
      for (End to : asked) {
        boolean same = from.address().getAddress().length == to.address().getAddress().length;
        if (same && oracle.mayConnect(from, to, protocol.name(), port).allowed()) {
          return true;
        }
      }
    }
    return false;
  }

  private static SceneObjects scene(ClusterText cluster) {
    SceneObjects objects = new SceneObjects();
    ManifestFiles.parse("cluster.json", cluster.text(), objects);
    return objects;
  }
}
