package dev.sund.dataplane.nft;

import static dev.sund.dataplane.nft.Rows.cluster;
import static dev.sund.dataplane.nft.Rows.nat;
import static dev.sund.dataplane.nft.Rows.put;

import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.program.Masquerade;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftSocket;
import java.util.List;

/** A process that drives the table of a namespace and dies where its fail point says. */
final class NftDriverCrash {
  /** What is in force after each transaction: the table alone, then one row more each time. */
  static final List<Masquerade> ROWS =
      List.of(
          cluster("10.244.0.0/16", "a"),
          cluster("fd00:10::/56", "b"),
          nat("10.244.0.0/16", "a"),
          nat("fd00:10::/56", "b"));

  private NftDriverCrash() {}

  /** Takes the namespace's name. */
  public static void main(String[] arguments) throws Exception {
    NftDriver driver =
        new NftDriver(
            NftPort.over(NftSocket.open(NetNs.named(arguments[0]))), FailPoint.ofProperty());
    driver.resync();
    driver.apply(Step.PUT, 1000);
    driver.want(put(ROWS.toArray(Masquerade[]::new)));
    while (driver.pending() > 0) {
      driver.apply(Step.PUT, 1);
    }
  }
}
