package dev.sund.it.policy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.policy.reach.Decision;
import dev.sund.engine.policy.reach.Party;
import dev.sund.engine.policy.reach.PodGroup;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.engine.policy.reach.Reachability;
import dev.sund.it.policy.oracle.End;
import dev.sund.it.policy.oracle.Oracle;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * Answers about all pods and all ports at once (N1 to N30), beside the oracle: of each pair of ends
 * of generated clusters it is asked about the ports where what is open begins and ends, and about
 * those that policies name.
 */
class ReachabilityAgreesTest {
  private static final long SEED = Long.getLong("sund.seed", 20261123);
  private static final int CLUSTERS = Boolean.getBoolean("sund.long") ? 1_000 : 100;

  private long asked;
  private long open;

  @Test
  void whatIsOpenBetweenAllIsWhatTheTextSays() {
    for (long seed = SEED; seed < SEED + CLUSTERS; seed++) {
      ClusterText cluster = RandomCluster.of(seed);
      Oracle oracle = Oracle.of(cluster.text());
      Reachability reach = Compiled.of(cluster.text(), Mutant.SOUND, seed).reachability();
      for (End from : cluster.ends()) {
        for (End to : cluster.ends()) {
          if (isAsked(from, to)) {
            compare(seed, oracle, reach, from, to);
          }
        }
      }
    }
    System.out.printf(
        "%,d answers agree, %d %% of them open, seed %d%n", asked, 100 * open / asked, SEED);
    assertThat(asked).isGreaterThan(1_000L * CLUSTERS);
    assertThat(100 * open / asked).isBetween(20L, 80L);
  }

  /** Of one family, with a pod at one end, and not the same pod at both (N16). */
  private static boolean isAsked(End from, End to) {
    return ip(from).family() == ip(to).family()
        && !(from.pod().isEmpty() && to.pod().isEmpty())
        && !(from.pod().equals(to.pod()));
  }

  private void compare(long seed, Oracle oracle, Reachability reach, End from, End to) {
    Family family = ip(from).family();
    Party asking = reach.at(ip(from));
    Party asked = reach.at(ip(to));
    assertThat(asking instanceof PodGroup).isEqualTo(!from.pod().isEmpty());
    PortSet ports = reach.open(asking, asked, family);
    PortSet decided = PortSet.NONE;
    PortSet all = PortSet.NONE;
    for (Decision decision : reach.decisions(asking, asked, family)) {
      assertThat(all.intersection(decision.ports()).isEmpty()).isTrue();
      all = all.union(decision.ports());
      decided = decision.open() ? decided.union(decision.ports()) : decided;
    }
    assertThat(decided).isEqualTo(ports);
    assertThat(all.isAll()).isTrue();
    // a pod's own node reaches it whatever policies say (N15), which is not asked here
    End seen = from.node().isEmpty() ? from : End.outside(from.address().getHostAddress());
    for (Protocol protocol : Protocol.values()) {
      TreeSet<Integer> numbers = new TreeSet<>(RandomCluster.PORTS);
      for (PortSet.Range range : ports.ranges()) {
        if (range.protocol().equals(Optional.of(protocol))) {
          numbers.add(Math.max(1, range.first() - 1));
          numbers.add(Math.max(1, range.first()));
          numbers.add(range.last());
          numbers.add(Math.min(65535, range.last() + 1));
        }
      }
      for (int port : protocol == Protocol.ICMP ? Set.of(0) : numbers) {
        boolean wanted = oracle.mayConnect(seen, to, protocol.name(), port).allowed();
        assertThat(ports.contains(protocol, port))
            .as("seed %d: %s to %s %d/%s", seed, from, to, port, protocol.label())
            .isEqualTo(wanted);
        this.asked++;
        open += wanted ? 1 : 0;
      }
    }
  }

  private static Ip ip(End end) {
    return Ip.parse(end.address().getHostAddress());
  }
}
