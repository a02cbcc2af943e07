package dev.sund.agent.peers;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.model.NodeName;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom each node measures. */
class PeerRingTest {
  private static final long SEED = Long.getLong("sund.seed", 20_260);

  private static List<NodeName> nodes(int count) {
    return IntStream.range(0, count).mapToObj(i -> new NodeName("node-" + i)).toList();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 8, 9, 10, 100, 1_000})
  void everyNodeIsMeasuredByAsManyAsItMeasuresAndNobodyByItself(int count) {
    List<NodeName> nodes = nodes(count);
    Map<NodeName, Integer> measured = new HashMap<>();
    for (NodeName node : nodes) {
      List<NodeName> peers = PeerRing.of(node, nodes, 8);
      assertThat(peers)
          .hasSize(Math.min(8, count - 1))
          .doesNotHaveDuplicates()
          .doesNotContain(node);
      peers.forEach(peer -> measured.merge(peer, 1, Integer::sum));
    }
    assertThat(measured).hasSize(count == 1 ? 0 : count);
    assertThat(measured.values()).allMatch(times -> times == Math.min(8, count - 1));
  }

  @Test
  void theOrderInWhichNodesAreToldChangesNothing() {
    List<NodeName> nodes = new ArrayList<>(nodes(50));
    List<NodeName> expected = PeerRing.of(nodes.getFirst(), nodes, 8);
    NodeName self = nodes.getFirst();
    for (int i = 0; i < 20; i++) {
      Collections.shuffle(nodes, new Random(SEED + i));
      assertThat(PeerRing.of(self, nodes, 8)).as("seed %d", SEED + i).isEqualTo(expected);
    }
  }

  @Test
  void aNodeThatComesOrGoesChangesOnePeerOfItsNeighboursAndNothingElse() {
    Random random = new Random(SEED);
    for (int round = 0; round < 50; round++) {
      List<NodeName> many = nodes(2 + random.nextInt(60));
      NodeName gone = many.get(random.nextInt(many.size()));
      List<NodeName> fewer = many.stream().filter(node -> !node.equals(gone)).toList();
      int changed = 0;
      for (NodeName node : fewer) {
        List<NodeName> before = PeerRing.of(node, many, 8);
        List<NodeName> after = PeerRing.of(node, fewer, 8);
        List<NodeName> stay = before.stream().filter(peer -> !peer.equals(gone)).toList();
        assertThat(after)
            .as("seed %d round %d", SEED, round)
            .startsWith(stay.toArray(NodeName[]::new));
        assertThat(after.size() - stay.size()).isBetween(0, 1);
        changed += before.equals(after) ? 0 : 1;
      }
      assertThat(changed).as("seed %d round %d", SEED, round).isLessThanOrEqualTo(8);
    }
  }

  @Test
  void aNodeThatTheClusterDoesNotKnowMeasuresAllTheSame() {
    assertThat(PeerRing.of(new NodeName("stranger"), nodes(3), 8)).hasSize(3);
    assertThat(PeerRing.of(new NodeName("stranger"), nodes(3), 0)).isEmpty();
  }
}
