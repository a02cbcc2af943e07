package dev.sund.bench.services;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kernel.NetNs;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;

/**
 * One change among 1,000, 10,000 and 50,000 Services: an endpoint replaced, added, removed, a
 * Service added. What it costs is to follow from the change and not from the cluster.
 */
public final class ServiceChangeBenchmark implements Benchmark {
  private static final int ENDPOINTS = 5;
  private static final int CHANGES = 400;
  private static final List<Integer> SIZES = List.of(1_000, 10_000, 50_000);

  private final NetNs namespace = NetNs.ofProcess();

  @Override
  public String name() {
    return "service-change";
  }

  @Override
  public String what() {
    return "one endpoint or Service changed at 1,000, 10,000 and 50,000, event to kernel";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    List<Row> rows = new ArrayList<>();
    Map<String, Estimate> small = new LinkedHashMap<>();
    for (int size : SIZES) {
      bench.say("%,d Services".formatted(size));
      try (ServiceTable table = new ServiceTable(namespace)) {
        table.put(new ServiceCluster(size, ENDPOINTS).events());
        for (Map.Entry<String, IntFunction<ClusterEvent>> kind : kinds(size).entrySet()) {
          double[] micros = micros(table, kind.getValue());
          Estimate median = Estimate.ofMedian(micros);
          small.putIfAbsent(kind.getKey(), median);
          Estimate first = small.get(kind.getKey());
          boolean compare = size == SIZES.getLast();
          rows.add(
              new Row(
                  "%s, %,d Services".formatted(kind.getKey(), size),
                  "us",
                  median,
                  compare ? Optional.of(first) : Optional.empty(),
                  compare ? Optional.of(median.times(1 / first.median())) : Optional.empty(),
                  compare ? Optional.of(Target.ratioAtMost(1.5)) : Optional.empty(),
                  "compile, lower, one transaction; baseline: the same at 1,000"));
          rows.add(
              Row.figure(
                  "%s, %,d Services, p99".formatted(kind.getKey(), size),
                  "us",
                  Estimate.single(Estimate.percentile(micros, 99)),
                  Optional.of(Target.atMost(5_000)),
                  "of " + CHANGES));
        }
        ServiceTable.remove(namespace);
      }
    }
    return rows;
  }

  /** What can change, in an order in which each leaves what the next one needs. */
  private static Map<String, IntFunction<ClusterEvent>> kinds(int size) {
    Map<String, IntFunction<ClusterEvent>> kinds = new LinkedHashMap<>();
    kinds.put("endpoint replaced", i -> ServiceCluster.slice(at(i, size), List.of(0, 1, 2, 3, 6)));
    kinds.put("endpoint added", i -> ServiceCluster.slice(at(i, size), List.of(0, 1, 2, 3, 6, 7)));
    kinds.put("endpoint removed", i -> ServiceCluster.slice(at(i, size), List.of(0, 1, 2, 3, 6)));
    kinds.put("Service added", i -> ServiceCluster.service(size + i));
    return kinds;
  }

  /** Spread over all, so that caches help no size more than another. */
  private static int at(int change, int size) {
    return (int) ((long) change * size / CHANGES);
  }

  private static double[] micros(ServiceTable table, IntFunction<ClusterEvent> change) {
    double[] micros = new double[CHANGES];
    for (int i = 0; i < CHANGES; i++) {
      List<ClusterEvent> events = List.of(change.apply(i));
      long before = table.driver().counts().transactions();
      long began = System.nanoTime();
      table.put(events);
      micros[i] = (System.nanoTime() - began) / 1e3;
      if (table.driver().counts().transactions() == before) {
        throw new IllegalStateException("nothing was written: " + Arrays.asList(events));
      }
    }
    return micros;
  }
}
