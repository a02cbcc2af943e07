package dev.sund.bench;

import dev.sund.bench.traffic.Ends;
import dev.sund.bench.traffic.Flow;
import dev.sund.bench.traffic.HandMade;
import dev.sund.bench.traffic.Ours;
import dev.sund.bench.traffic.Programs;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/** TCP from pod to pod, beside the same set up by hand. */
public final class PodTraffic implements Benchmark {
  private static final int UNDERLAY_MTU = 1500;
  private static final Duration SAMPLE = Duration.ofMillis(60);
  private static final Target TARGET = Target.ratioAtLeast(0.97);

  @Override
  public String name() {
    return "pod-traffic";
  }

  @Override
  public String what() {
    return "TCP from pod to pod, beside veth pairs and a VXLAN device set up by hand";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    List<Row> rows = new ArrayList<>();
    try (Ours ours = new Ours(UNDERLAY_MTU)) {
      compare(
          bench,
          "same node",
          ours.sameNode(),
          HandMade.sameNode(UNDERLAY_MTU - 50),
          "a routed veth pair with connection tracking",
          rows);
      compare(
          bench,
          "across nodes",
          ours.acrossNodes(),
          HandMade.acrossNodes(UNDERLAY_MTU),
          "a VXLAN device set up by hand",
          rows);
    }
    return rows;
  }

  private static void compare(
      Bench bench, String where, Ends ours, Ends byHand, String baseline, List<Row> rows)
      throws Exception {
    // Short samples in turns: what else the machine does then weighs on both of a pair.
    int pairs = bench.pairs() * 5;
    String note =
        "IPv4, beside %s; %d pairs of %d ms".formatted(baseline, pairs, SAMPLE.toMillis());
    try (Flow our = new Flow(ours);
        Flow hand = new Flow(byHand)) {
      bench.say(where + ": throughput");
      rows.add(
          Row.compared(
              "pod to pod, %s, throughput".formatted(where),
              "Gbit/s",
              Pairs.run(pairs, () -> our.throughput(SAMPLE), () -> hand.throughput(SAMPLE)),
              TARGET,
              note));
      bench.say(where + ": requests and responses");
      rows.add(
          Row.compared(
              "pod to pod, %s, requests".formatted(where),
              "1/s",
              onOneProcessor(
                  () -> Pairs.run(pairs, () -> our.requests(SAMPLE), () -> hand.requests(SAMPLE))),
              TARGET,
              note + ", both ends on one processor"));
    }
  }

  /**
   * Measures with all of this process on one processor. On two, an idle machine's scheduler puts
   * the ends now together and now apart, which weighs more than any difference between the paths.
   */
  private static Pairs onOneProcessor(Callable<Pairs> measure) throws Exception {
    long self = ProcessHandle.current().pid();
    String shown = Programs.run("taskset -p -c " + self);
    String all = shown.substring(shown.lastIndexOf(' ') + 1); // such as 0,1 or 0-7
    Programs.run("taskset -a -p -c " + all.split("[,-]", 2)[0] + " " + self);
    try {
      return measure.call();
    } finally {
      Programs.run("taskset -a -p -c " + all + " " + self);
    }
  }
}
