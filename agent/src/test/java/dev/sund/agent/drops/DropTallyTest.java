package dev.sund.agent.drops;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.drops.DropTally.Standing;
import dev.sund.dataplane.nft.PolicyDrops.Count;
import dev.sund.model.Ip;
import dev.sund.model.RuleId.Direction;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What was dropped and not told is the difference between the counters and the log. */
class DropTallyTest {
  private final DropTally tally = new DropTally();

  @Test
  void whatTheLogDidNotShowIsTheDifference() {
    tally.begin(List.of(count("10.244.1.5", 100)));
    tally.told();
    tally.told();
    tally.lost(3);
    tally.see(List.of(count("10.244.1.5", 110), count("10.244.1.6", 5)));
    assertThat(tally.standing()).isEqualTo(new Standing(2, 13, 3));
  }

  /** A table that was made anew, and a pod that went, take their numbers with them. */
  @Test
  void countersThatBeginAnewTakeNothingBack() {
    tally.begin(List.of(count("10.244.1.5", 100)));
    tally.see(List.of(count("10.244.1.5", 110)));
    tally.see(List.of(count("10.244.1.5", 4)));
    tally.see(List.of());
    tally.see(List.of(count("10.244.1.5", 1)));
    assertThat(tally.standing().untold()).isEqualTo(10 + 4 + 1);
  }

  @Test
  void beforeTheLogIsReadNothingIsMissing() {
    tally.see(List.of(count("10.244.1.5", 100)));
    assertThat(tally.standing()).isEqualTo(new Standing(0, 0, 0));
  }

  private static Count count(String pod, long packets) {
    return new Count(
        Optional.of(Ip.parse(pod)), "", Direction.INGRESS, "policy-ingress", packets, 60 * packets);
  }
}
