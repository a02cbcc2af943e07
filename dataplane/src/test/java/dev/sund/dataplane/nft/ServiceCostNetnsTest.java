package dev.sund.dataplane.nft;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.Driver.Step;
import dev.sund.dataplane.FailPoint;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.ProgramCompiler;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.EndpointSlice.SlicePort;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.NftContents;
import dev.sund.kernel.nft.NftElement;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What a change writes follows from the change, and not from how many Services there are: netlink
 * messages and elements, counted, with few Services and with many (50,000 with {@code -Dsund.long},
 * 2,000 without).
 */
@Tag("netns")
class ServiceCostNetnsTest {
  private static final int FEW = 100;
  private static final int MANY = Boolean.getBoolean("sund.long") ? 50_000 : 2_000;
  private static final int SLICE = 512;

  private final TestNetns net = TestNetns.open();

  /** What one change wrote; messages with the begin and end of each transaction. */
  private record Cost(
      String change, long transactions, long messages, long elements, long chains) {}

  @AfterEach
  void close() {
    net.close();
  }

  @Test
  void aChangeWritesAsMuchAmongManyServicesAsAmongFew() throws Exception {
    List<Cost> few = costs("few", FEW);
    assertThat(costs("many", MANY)).isEqualTo(few);
    assertThat(few)
        .containsExactly(
            new Cost("endpoint replaced", 1, 4, 2, 0),
            new Cost("endpoint added", 1, 9, 4, 1),
            new Cost("endpoint removed", 2, 9, 4, 0),
            new Cost("Service added", 1, 8, 4, 1));
  }

  private List<Cost> costs(String name, int services) throws Exception {
    NetNs node = net.create(name);
    ProgramCompiler compiler = new ProgramCompiler(new NodeName("n1"), FabricSettings.DEFAULT);
    try (Counting counting = new Counting(NftPort.over(NftSocket.open(node)));
        NftDriver driver = new NftDriver(counting, FailPoint.NONE)) {
      driver.resync();
      List<ClusterEvent> events = new ArrayList<>();
      for (int i = 0; i < services; i++) {
        events.add(service(i));
        events.add(slice(i, 0, 1, 2, 3, 4));
      }
      events.add(new ClusterEvent.Synced());
      driver.want(compiler.apply(events).delta());
      driver.allowSweep();
      settle(driver);

      int one = services / 2;
      List<Cost> costs = new ArrayList<>();
      costs.add(cost("endpoint replaced", compiler, driver, counting, slice(one, 0, 1, 2, 3, 9)));
      costs.add(cost("endpoint added", compiler, driver, counting, slice(one, 0, 1, 2, 3, 9, 10)));
      costs.add(cost("endpoint removed", compiler, driver, counting, slice(one, 0, 1, 2, 3, 9)));
      costs.add(
          cost(
              "Service added",
              compiler,
              driver,
              counting,
              slice(services, 0, 1),
              service(services)));
      assertThat(driver.pending()).isZero();
      return costs;
    }
  }

  private static Cost cost(
      String change,
      ProgramCompiler compiler,
      NftDriver driver,
      Counting counting,
      ClusterEvent... events) {
    NftDriver.Counts before = driver.counts();
    counting.elements = 0;
    counting.chains = 0;
    driver.want(compiler.apply(List.of(events)).delta());
    settle(driver);
    NftDriver.Counts after = driver.counts();
    return new Cost(
        change,
        after.transactions() - before.transactions(),
        after.messages() - before.messages(),
        counting.elements,
        counting.chains);
  }

  private static void settle(NftDriver driver) {
    for (int i = 0; i < 10_000 && driver.pending() > 0; i++) {
      assertThat(driver.apply(Step.PUT, SLICE).failed()).isEmpty();
      assertThat(driver.apply(Step.REMOVE, SLICE).failed()).isEmpty();
    }
  }

  private static ClusterEvent service(int i) {
    return new ClusterEvent.ServiceSeen(
        new Service(
            new ServiceKey("shop", "web-" + i),
            "uid-" + i,
            i,
            Service.Type.CLUSTER_IP,
            Optional.empty(),
            List.of(Ip.parse("10.96.0.1").plus(i)),
            List.of(),
            List.of(),
            List.of(new ServicePort("", Protocol.TCP, 80, Optional.empty())),
            List.of(),
            false,
            false,
            Optional.empty(),
            Optional.empty(),
            false,
            true,
            Optional.empty()));
  }

  private static ClusterEvent slice(int i, int... numbers) {
    List<Backend> backends = new ArrayList<>();
    for (int number : numbers) {
      backends.add(
          new Backend(
              Ip.parse("11.0.0.0").plus(64L * i + number),
              true,
              true,
              false,
              Optional.empty(),
              Optional.empty(),
              List.of(),
              List.of(),
              Optional.empty()));
    }
    return new ClusterEvent.SliceSeen(
        new EndpointSlice(
            "shop/web-" + i + "-a",
            "uid-slice-" + i,
            new ServiceKey("shop", "web-" + i),
            Family.V4,
            List.of(new SlicePort("", Protocol.TCP, 8080)),
            backends));
  }

  /** Counts what transactions have in them. */
  private static final class Counting implements NftPort {
    private final NftPort kernel;
    private long elements;
    private long chains;

    Counting(NftPort kernel) {
      this.kernel = kernel;
    }

    @Override
    public Optional<NftContents> contents() throws KernelException {
      return kernel.contents();
    }

    @Override
    public int generation() throws KernelException {
      return kernel.generation();
    }

    @Override
    public List<NftElement> elements(String set) throws KernelException {
      return kernel.elements(set);
    }

    @Override
    public Commit commit(List<NftOp> ops) throws KernelException {
      for (NftOp op : ops) {
        if (op instanceof NftOp.AddElements add) {
          elements += add.elements().size();
        } else if (op instanceof NftOp.DeleteElements delete) {
          elements += delete.elements().size();
        } else if (op instanceof NftOp.CreateChain) {
          chains++;
        }
      }
      return kernel.commit(ops);
    }

    @Override
    public Commit commitAt(int generation, List<NftOp> ops) throws KernelException {
      return kernel.commitAt(generation, ops);
    }

    @Override
    public void close() {
      kernel.close();
    }
  }
}
