package dev.sund.bench.services;

import dev.sund.dataplane.ApplyReport;
import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.dataplane.nft.MasqueradeLowering;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.NftPort;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.model.Checks;
import java.util.List;

/** A compiler and the driver of the table, as the agent has them, on one thread. */
final class ServiceTable implements AutoCloseable {
  /** How many changes one transaction has at most, as in the agent. */
  private static final int SLICE = 512;

  private final ProgramCompiler compiler =
      new ProgramCompiler(ServiceCluster.SELF, FabricSettings.DEFAULT);
  private final NftDriver driver;

  ServiceTable(NetNs namespace) throws KernelException {
    driver = new NftDriver(NftPort.over(NftSocket.open(namespace)), FailPoint.NONE);
    driver.resync();
  }

  NftDriver driver() {
    return driver;
  }

  /** From events to the kernel, all of it. */
  void put(List<ClusterEvent> events) {
    driver.want(compiler.apply(events).delta());
    if (events.getLast() instanceof ClusterEvent.Synced) {
      driver.allowSweep();
    }
    apply();
  }

  /** Applies what is wanted, a slice at a time. */
  void apply() {
    while (driver.pending() > 0) {
      ApplyReport report = driver.apply(Step.PUT, SLICE).plus(driver.apply(Step.REMOVE, SLICE));
      Checks.that(report.failed().isEmpty(), "not applied: " + report.failed());
    }
  }

  /** Removes the table without reading it. */
  static void remove(NetNs namespace) throws KernelException {
    try (NftSocket socket = NftSocket.open(namespace)) {
      socket
          .commit(
              List.of(
                  new NftOp.DeleteTable(
                      MasqueradeLowering.TABLE.family(), MasqueradeLowering.TABLE.name())))
          .orThrow();
    }
  }

  @Override
  public void close() {
    driver.close();
  }
}
