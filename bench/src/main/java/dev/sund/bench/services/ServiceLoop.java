package dev.sund.bench.services;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.apply.Mailbox;
import dev.sund.agent.apply.Timing;
import dev.sund.agent.log.LogLevel;
import dev.sund.agent.log.LogSink;
import dev.sund.bench.PodlessKernel;
import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Dataplane;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The agent's own loop, with its two threads and its pace, over the table of Services alone: an
 * agent that runs and knows its cluster's nodes, and is then told of Services.
 */
final class ServiceLoop implements AutoCloseable {
  private final NftDriver driver;
  private final Dataplane dataplane;
  private final Kernel kernel;
  private final ApplyLoop loop;

  /** The driver under the loop; tells when so many elements are there and nothing is pending. */
  private static final class Kernel extends PodlessKernel {
    private final NftDriver driver;
    private volatile int awaited;
    private volatile CompletableFuture<Long> reached = new CompletableFuture<>();

    Kernel(Dataplane dataplane, NftDriver driver) {
      super(dataplane);
      this.driver = driver;
    }

    /** From now on {@link #await} is for exactly so many elements. Before they come. */
    void expect(int elements) {
      awaited = elements;
      reached = new CompletableFuture<>();
    }

    /** When the kernel had given its last answer, in {@link System#nanoTime}. */
    long await() throws InterruptedException, ExecutionException, TimeoutException {
      return reached.get(60, TimeUnit.SECONDS);
    }

    @Override
    public Map<String, ApplyReport> apply(int most) {
      Map<String, ApplyReport> reports = super.apply(most);
      for (ApplyReport report : reports.values()) {
        if (!report.failed().isEmpty()) {
          reached.completeExceptionally(new IllegalStateException(report.failed().toString()));
        }
      }
      if (driver.pending() == 0 && driver.counts().ranges() == awaited) {
        reached.complete(System.nanoTime());
      }
      return reports;
    }
  }

  /**
   * Makes the table, without Services.
   *
   * @param nodes of the cluster
   */
  ServiceLoop(NetNs namespace, List<ClusterEvent> nodes) throws Exception {
    driver = new NftDriver(NftPort.over(NftSocket.open(namespace)), FailPoint.NONE);
    dataplane = new Dataplane(List.of(driver));
    kernel = new Kernel(dataplane, driver);
    loop =
        new ApplyLoop(
            new Mailbox(),
            new ProgramCompiler(ServiceCluster.SELF, FabricSettings.DEFAULT),
            kernel,
            Timing.DEFAULT,
            new AgentMetrics(),
            LogSink.toStandardError("", LogLevel.ERROR));
    nodes.forEach(loop.mailbox()::put);
    loop.mailbox().put(new ClusterEvent.Synced());
    loop.start();
    do {
      Thread.sleep(Timing.DEFAULT.minimum());
    } while (loop.state().applied() == 0);
  }

  /**
   * Milliseconds from the first event's coming until the kernel holds all.
   *
   * @param elements how many elements they become, but for the one that says how to choose
   */
  double load(List<ClusterEvent> events, int elements) throws Exception {
    kernel.expect(driver.counts().ranges() + elements + 1);
    long began = System.nanoTime();
    events.forEach(loop.mailbox()::put);
    return (kernel.await() - began) / 1e6;
  }

  @Override
  public void close() throws InterruptedException {
    loop.close();
    dataplane.close();
  }
}
