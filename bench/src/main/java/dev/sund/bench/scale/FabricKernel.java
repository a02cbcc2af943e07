package dev.sund.bench.scale;

import dev.sund.bench.PodlessKernel;
import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Dataplane;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The drivers of tunnels and routes under the agent's own loop, without the rest of a node's: what
 * {@code ip} and {@code bridge} can be compared with.
 */
final class FabricKernel extends PodlessKernel {
  private volatile int awaited = Integer.MAX_VALUE;
  private volatile CompletableFuture<Long> reached = new CompletableFuture<>();
  private int done;

  FabricKernel(Dataplane dataplane) {
    super(dataplane);
  }

  /** From now on {@link #await} is for so many changes since the start. Before they come. */
  void expect(int changes) {
    reached = new CompletableFuture<>();
    awaited = changes;
  }

  /** When the kernel had given its last answer, in {@link System#nanoTime}. */
  long await() throws InterruptedException, ExecutionException, TimeoutException {
    return reached.get(30, TimeUnit.SECONDS);
  }

  @Override
  public Map<String, ApplyReport> apply(int most) {
    Map<String, ApplyReport> reports = super.apply(most);
    for (ApplyReport report : reports.values()) {
      done += report.done().size();
      if (!report.failed().isEmpty()) {
        reached.completeExceptionally(new IllegalStateException(report.failed().toString()));
      }
    }
    if (done >= awaited && dataplane.pending() == 0) {
      reached.complete(System.nanoTime());
    }
    return reports;
  }
}
