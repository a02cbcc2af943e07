package dev.sund.it.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.kernel.Fd;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.lab.measure.Traffic;
import dev.sund.lab.measure.Traffic.Account;
import dev.sund.lab.measure.Traffic.Flow;
import dev.sund.lab.measure.Traffic.Kind;
import dev.sund.lab.scene.Scene;
import dev.sund.lab.scene.SceneReader;
import dev.sund.lab.topology.Topology;
import dev.sund.model.Ip;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The account of flows over links that hold, and over one that is cut for a moment. */
@Tag("netns")
class TrafficTest {
  @Test
  void accountIsFlawlessWhileTheLinkHoldsAndCountsWhatACutLoses() throws Exception {
    Scene scene = SceneReader.read(ManifestFiles.parse("none", ""), OptionalInt.of(2));
    try (Topology topology =
        Topology.build("sundt-t" + ProcessHandle.current().pid() + "-", scene.underlay())) {
      try (Traffic traffic = Traffic.start(flows(scene, topology))) {
        awaitMore(traffic, 100);
        List<Account> accounts = traffic.stop();
        assertThat(accounts).allMatch(Account::flawless);
        assertThat(accounts).allMatch(account -> account.sent() > 50);
      }
      try (Traffic traffic = Traffic.start(flows(scene, topology))) {
        awaitMore(traffic, 20);
        topology.setUplink("n2", false);
        awaitMore(traffic, 30);
        topology.setUplink("n2", true);
        awaitMore(traffic, 20);
        List<Account> accounts = traffic.stop();
        assertThat(accounts)
            .filteredOn(account -> account.name().startsWith("DATAGRAMS"))
            .allMatch(account -> account.lost() > 0 || account.failed() > 0);
      }
    }
    assertThat(Fd.openDescriptors()).isEmpty();
  }

  /** Each flow sends so often again, however long a busy machine takes for it. */
  private static void awaitMore(Traffic traffic, long messages) throws InterruptedException {
    long enough = traffic.tried() + messages;
    long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (traffic.tried() < enough) {
      assertThat(System.nanoTime()).as("%d messages more", messages).isLessThan(end);
      Thread.sleep(5);
    }
  }

  private static List<Flow> flows(Scene scene, Topology topology) {
    List<Flow> flows = new ArrayList<>();
    int port = 9000;
    for (Kind kind : Kind.OF_OWN_ENDS) {
      for (Ip ip : scene.addresses("n2")) {
        flows.add(
            new Flow(
                kind + " " + ip.family().label(),
                kind,
                topology.machine("n1"),
                topology.machine("n2"),
                new Endpoint(ip, port++)));
      }
    }
    return flows;
  }
}
