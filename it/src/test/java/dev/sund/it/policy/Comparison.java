package dev.sund.it.policy;

import dev.sund.it.policy.oracle.End;
import dev.sund.it.policy.oracle.Oracle;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/**
 * Sund's verdicts beside the oracle's, for generated clusters.
 *
 * @param probes how many connections were asked about
 * @param allowed how many of them are allowed
 * @param failure the first on which they disagree, the cluster made as small as it goes
 */
record Comparison(int probes, int allowed, Optional<String> failure) {
  private static final int PROBES_OF_A_CLUSTER = 200;
  private static final List<Protocol> PROTOCOLS =
      List.of(
          Protocol.TCP,
          Protocol.TCP,
          Protocol.TCP,
          Protocol.UDP,
          Protocol.UDP,
          Protocol.SCTP,
          Protocol.ICMP);

  /** A connection. */
  private record Probe(End from, End to, Protocol protocol, int port) {
    @Override
    public String toString() {
      return from + " to " + to + " " + port + "/" + protocol.label();
    }
  }

  /**
   * Compares until so many connections were asked about, or until one disagrees.
   *
   * @param seed the first cluster's; the next has the next
   */
  static Comparison run(long seed, int probes, Mutant mutant) {
    int asked = 0;
    int allowed = 0;
    for (long next = seed; asked < probes; next++) {
      ClusterText cluster = RandomCluster.of(next);
      String text = cluster.text();
      Oracle oracle = Oracle.of(text);
      Compiled compiled = Compiled.of(text, mutant, next);
      Random random = new Random(next);
      for (int i = 0; i < PROBES_OF_A_CLUSTER; i++) {
        Probe probe = probe(cluster.ends(), random);
        asked++;
        Oracle.Answer wanted = said(oracle, probe);
        if (wanted.allowed()) {
          allowed++;
        }
        if (!wanted.equals(said(compiled, probe))) {
          return new Comparison(
              asked, allowed, Optional.of(explained(next, cluster, probe, mutant)));
        }
      }
    }
    return new Comparison(asked, allowed, Optional.empty());
  }

  private static Probe probe(List<End> ends, Random random) {
    while (true) {
      End from = ends.get(random.nextInt(ends.size()));
      End to = ends.get(random.nextInt(ends.size()));
      boolean sameFamily = from.address().getAddress().length == to.address().getAddress().length;
      boolean judged = !from.pod().isEmpty() || !to.pod().isEmpty();
      // a few of these are asked too, though no table says anything of them
      if (sameFamily && (judged || random.nextInt(50) == 0)) {
        Protocol protocol = PROTOCOLS.get(random.nextInt(PROTOCOLS.size()));
        int port =
            protocol == Protocol.ICMP
                ? 0
                : RandomCluster.PORTS.get(random.nextInt(RandomCluster.PORTS.size()));
        return new Probe(from, to, protocol, port);
      }
    }
  }

  private static Oracle.Answer said(Oracle oracle, Probe probe) {
    return oracle.mayConnect(probe.from(), probe.to(), probe.protocol().name(), probe.port());
  }

  private static Oracle.Answer said(Compiled compiled, Probe probe) {
    return compiled.mayConnect(probe.from(), probe.to(), probe.protocol(), probe.port());
  }

  private static String explained(long seed, ClusterText found, Probe probe, Mutant mutant) {
    ClusterText cluster = found;
    if (mutant == Mutant.SOUND) { // a mutant's findings are counted and not read
      cluster = smallest(found, probe, seed);
    }
    return "seed %d (-Dsund.seed=%d): %s: wanted %s, compiled %s%n%s"
        .formatted(
            seed,
            seed,
            probe,
            said(Oracle.of(cluster.text()), probe),
            said(Compiled.of(cluster.text(), mutant, seed), probe),
            cluster.text());
  }

  /** Things are left out, one after another, while it still disagrees. */
  private static ClusterText smallest(ClusterText found, Probe probe, long seed) {
    List<String> needed = new ArrayList<>();
    for (End end : List.of(probe.from(), probe.to())) {
      needed.add(end.pod());
      needed.add(end.node());
    }
    needed.addAll(List.of("n1", "n2", "a", "b", "c"));
    ClusterText cluster = found;
    boolean smaller = true;
    while (smaller) {
      smaller = false;
      for (ClusterText less : cluster.smaller(needed)) {
        if (disagrees(less, probe, seed)) {
          cluster = less;
          smaller = true;
          break;
        }
      }
    }
    return cluster;
  }

  private static boolean disagrees(ClusterText cluster, Probe probe, long seed) {
    String text = cluster.text();
    return !said(Oracle.of(text), probe).equals(said(Compiled.of(text, Mutant.SOUND, seed), probe));
  }
}
