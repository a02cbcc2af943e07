package dev.sund.it.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.foreign.ProxyLeavings;
import dev.sund.it.agent.OtherBuild;
import dev.sund.it.service.TakeoverBed.Comers;
import dev.sund.it.service.TakeoverBed.Talk;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * From kube-proxy to Sund and back, with a live agent, connections that stay and others that come
 * all the while.
 */
@Tag("netns")
@Timeout(300)
class TakeoverTest {
  @TempDir private Path directory;

  @Test
  void takeoverAndTheWayBackLoseNoConnection() throws Exception {
    try (TakeoverBed bed = TakeoverBed.build(directory)) {
      for (String mode : new String[] {"nft", "iptables"}) {
        thereAndBack(bed, mode);
      }
    }
  }

  @Test
  void anAgentOfAnotherVersionMakesItsOwnTableAndConnectionsLiveOn() throws Exception {
    Path other = OtherBuild.ofAnotherLayout(directory.resolve("other"));
    try (TakeoverBed bed = TakeoverBed.build(directory)) {
      bed.agent(true);
      try (Talk old = bed.talk()) {
        bed.classesFirst(other);
        bed.agent(true);
        assertThat(ours(bed)).contains("chain choose-v4-1").doesNotContain("chain lb-");
        old.goesOn();
        try (Talk between = bed.talk()) {
          bed.classesFirst();
          bed.agent(true);
          assertThat(ours(bed)).contains("chain lb-v4-1").doesNotContain("chain choose-");
          old.goesOn();
          between.goesOn();
          bed.talk().close();
        }
      }
    }
  }

  private static String ours(TakeoverBed bed) throws Exception {
    return ServiceBed.run(bed.node(), "nft", "list", "table", "inet", "sund");
  }

  private static void thereAndBack(TakeoverBed bed, String mode) throws Exception {
    bed.kubeProxy(mode);
    try (Comers comers = bed.comers();
        Talk old = bed.talk()) {
      assertThat(bed.left()).as(mode).isNotEmpty();
      bed.agent(true);
      bed.awaitTold(bed.left().getFirst());
      try (Talk beside = bed.talk()) {
        assertThat(bed.takeover("--dry-run").out()).contains("would remove ");
        assertThat(bed.left()).as("a dry run").isNotEmpty();

        TakeoverBed.Ended taken = bed.takeover();

        assertThat(taken.exitCode()).as(taken.out()).isZero();
        assertThat(bed.left()).isEmpty();
        assertThat(bed.takeover().out()).isEqualTo("nothing of kube-proxy's is here\n");
        old.goesOn();
        beside.goesOn();
        try (Talk ours = bed.talk()) {
          // The way back: kube-proxy writes its rules, then Sund serves no Services any more.
          bed.kubeProxy(mode);
          bed.agent(false);
          old.goesOn();
          beside.goesOn();
          ours.goesOn();
          try (Talk back = bed.talk()) {
            back.goesOn();
          }
          assertThat(ours(bed)).doesNotContain("10.96.0.10");
        }
      }
      assertThat(comers.stop()).as(mode).isEmpty();
    }
    assertThat(ProxyLeavings.remove(bed.node(), false).failed()).isEmpty();
  }
}
