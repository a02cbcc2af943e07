package dev.sund.bench.agents;

import dev.sund.bench.Bench;
import dev.sund.bench.Benchmark;
import dev.sund.bench.Estimate;
import dev.sund.bench.Row;
import dev.sund.bench.Target;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.model.Marks;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Pods that start while 50,000 Services with five endpoints each come to an agent that is ready.
 */
public final class CniUnderServices implements Benchmark {
  private static final int SERVICES = 50_000;
  private static final long LIMIT_NANOS = 240_000_000_000L;
  private static final long LOOK_NANOS = 3_000_000_000L;

  @Override
  public String name() {
    return "cni-services";
  }

  @Override
  public String what() {
    return "CNI ADD while 50,000 Services are loaded";
  }

  @Override
  public List<Row> run(Bench bench) throws Exception {
    try (CniBed bed = new CniBed(bench)) {
      for (int i = 0; i < 30; i++) {
        CniUnderLoad.one(bed);
      }
      bench.say("an agent is ready; " + SERVICES + " Services come while pods come and go");
      AtomicReference<Optional<Exception>> failure = new AtomicReference<>(Optional.empty());
      Thread telling =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try {
                  ManyServices.addTo(bed.cluster(), SERVICES);
                } catch (Exception e) {
                  failure.set(Optional.of(e));
                }
              });
      List<Double> samples = new ArrayList<>();
      long began = System.nanoTime();
      long looked = began;
      int written = 0;
      while (written < SERVICES
          && System.nanoTime() - began < LIMIT_NANOS
          && failure.get().isEmpty()) {
        samples.add(CniUnderLoad.one(bed));
        if (System.nanoTime() - looked > LOOK_NANOS) {
          looked = System.nanoTime();
          written = frontends(bed);
        }
      }
      telling.join();
      if (failure.get().isPresent()) {
        throw failure.get().get();
      }
      if (written < SERVICES) {
        throw new IllegalStateException("only " + written + " Services were written");
      }
      double[] millis = samples.stream().mapToDouble(Double::doubleValue).toArray();
      return List.of(
          Row.figure(
              "CNI ADD while 50,000 Services load, p99",
              "ms",
              Estimate.single(Estimate.percentile(millis, 99)),
              Optional.of(Target.atMost(100)),
              "%d pods one after the other, fork to exit; median %.1f ms, slowest %.1f ms; %.0f s"
                  .formatted(
                      millis.length,
                      Estimate.percentile(millis, 50),
                      Estimate.percentile(millis, 100),
                      (System.nanoTime() - began) / 1e9)));
    }
  }

  /** How many are written; nobody counts while the agent knows of fewer, or is writing them. */
  private static int frontends(CniBed bed) throws Exception {
    if (bed.cluster().metric(0, Marks.METRIC_PREFIX + "program_entries{table=\"frontends\"}")
        < SERVICES) {
      return 0;
    }
    try (NftSocket kernel = NftSocket.open(bed.cluster().namespace(0))) {
      return kernel.elements(NftFamily.INET, Marks.TABLE, "frontends-v4").size();
    } catch (KernelException.DumpInterrupted growing) {
      return 0;
    }
  }
}
