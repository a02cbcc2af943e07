package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.check.Peer.Echoes;
import dev.sund.doctor.probe.Limits;
import dev.sund.it.doctor.ProbeBed.Probed;
import dev.sund.kernel.testing.TestNetns;
import dev.sund.model.Family;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A slow and uneven way back, made by netem, which is in the guest's kernel. */
@Tag("guest")
@Timeout(120)
class ProbeGuestTest {
  @BeforeEach
  void onlyInTheGuest() {
    Assumptions.assumeTrue(Boolean.getBoolean("sund.test.guest"), "needs sch_netem: run sund test");
  }

  @Test
  void roundTripsAreMeasuredAndJitterIsToldOfItsDirection() throws Exception {
    try (ProbeBed bed = ProbeBed.bridged()) {
      bed.answer();
      TestNetns.run(
          bed.b, "tc", "qdisc", "add", "dev", "eth0", "root", "netem", "delay", "60ms", "25ms");
      Limits limits = new Limits(2_000, 5_000, 50_000, 5_000, 500, 900);
      Probed probed = bed.probe(Family.V4, "", limits);
      // Who shares a machine with others waits for its processor now and then, on both ways.
      for (int i = 0; i < 5 && !isUneven(probed); i++) {
        probed = bed.probe(Family.V4, "", limits);
      }

      assertThat(probed.peer().echoes().median()).isBetween(45_000L, 150_000L);
      assertThat(probed.peer().echoes().jitterBack())
          .isGreaterThan(2 * probed.peer().echoes().jitterThere());
      assertThat(probed.findings())
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("error probe-latency: A round trip takes")
                  .contains("the limit is 50 ms"))
          .anySatisfy(text ->
              assertThat(text)
                  .startsWith("warning probe-latency: Packets from 10.77.1.2 take")
                  .contains("more or less than the one before"));
    }
  }

  private static boolean isUneven(Probed probed) throws Exception {
    Echoes echoes = probed.peer().echoes();
    return echoes.median() < 150_000 && echoes.jitterBack() > 2 * echoes.jitterThere();
  }
}
