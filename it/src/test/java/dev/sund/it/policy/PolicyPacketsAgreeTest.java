package dev.sund.it.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.it.policy.PolicyBed.Outcome;
import dev.sund.it.policy.PolicyBed.Question;
import dev.sund.it.policy.oracle.End;
import dev.sund.it.policy.oracle.Oracle;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** N1 to N30 in kernels, on policies that chance makes: packets, tracer and oracle must agree. */
@Tag("netns")
@Timeout(300)
class PolicyPacketsAgreeTest {
  private static final long SEED = Long.getLong("sund.seed", 20261121);
  private static final int PROBES = Boolean.getBoolean("sund.long") ? 10_000 : 1_000;
  private static final int PROBES_OF_A_CLUSTER = 100;
  private static final List<Protocol> PROTOCOLS =
      List.of(Protocol.TCP, Protocol.TCP, Protocol.UDP, Protocol.UDP, Protocol.SCTP, Protocol.ICMP);

  @TempDir private Path directory;

  @Test
  void packetsGoWhereTheTextAndTheTracerSay() throws Exception {
    int asked = 0;
    int allowed = 0;
    Map<Protocol, Integer> protocols = new EnumMap<>(Protocol.class);
    try (PolicyBed bed = PolicyBed.build(RandomCluster.machines(), directory)) {
      for (long seed = SEED; asked < PROBES; seed++) {
        ClusterText cluster = RandomCluster.placed(seed);
        Oracle oracle = Oracle.of(cluster.text());
        bed.have(cluster.text());
        Map<Question, Boolean> questions = new LinkedHashMap<>();
        Map<Question, String> places = new HashMap<>();
        Random random = new Random(seed);
        while (questions.size() < PROBES_OF_A_CLUSTER) {
          End from = pick(cluster.ends(), random);
          End to = pick(cluster.ends(), random);
          boolean judged = !from.pod().isEmpty() || !to.pod().isEmpty();
          if (!judged || from.address().getAddress().length != to.address().getAddress().length) {
            continue;
          }
          Protocol protocol = pick(PROTOCOLS, random);
          int port = protocol == Protocol.ICMP ? 0 : pick(RandomCluster.PORTS, random);
          Question question = new Question(place(from), ip(from), ip(to), protocol, port);
          questions.put(question, oracle.mayConnect(from, to, protocol.name(), port).allowed());
          places.put(question, place(to));
        }
        for (Map.Entry<Question, Outcome> one : bed.ask(questions).entrySet()) {
          Question question = one.getKey();
          boolean may = Boolean.TRUE.equals(questions.get(question));
          String place = may ? places.getOrDefault(question, "") : "";
          Outcome outcome = one.getValue();
          assertThat(List.of(outcome.heard().orElse(""), outcome.traced().orElse("")))
              .as(
                  "seed %d (-Dsund.seed=%d): %s: packets and tracer%n%s%n%s",
                  seed, seed, question, outcome.trace().there(), cluster.text())
              .containsExactly(place, place);
          if (question.protocol() == Protocol.TCP) {
            assertThat(outcome.refused()).as("%s hears of it (N18)", question).isEqualTo(may);
          }
          allowed += may ? 1 : 0;
          protocols.merge(question.protocol(), 1, Integer::sum);
        }
        asked += questions.size();
      }
    }
    System.out.printf(
        "%,d connections %s, %d %% allowed: packets, tracer and text agree, seed %d%n",
        asked, protocols, 100L * allowed / asked, SEED);
    assertThat(100L * allowed / asked).as("per cent allowed").isBetween(20L, 80L);
  }

  private static String place(End end) {
    return !end.pod().isEmpty() ? end.pod() : !end.node().isEmpty() ? end.node() : "outside";
  }

  private static Ip ip(End end) {
    return Ip.parse(end.address().getHostAddress());
  }

  private static <T> T pick(List<T> all, Random random) {
    return all.get(random.nextInt(all.size()));
  }
}
