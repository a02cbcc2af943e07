package dev.sund.it.policy;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** N1 to N30, on clusters that chance makes. */
class PoliciesAgreeTest {
  private static final long SEED = Long.getLong("sund.seed", 20261121);
  private static final int PROBES = Boolean.getBoolean("sund.long") ? 1_000_000 : 100_000;

  @Test
  void theProgramSaysOfEveryConnectionWhatTheTextSays() {
    Comparison compared = Comparison.run(SEED, PROBES, Mutant.SOUND);
    assertThat(compared.failure().orElse("")).isEmpty();
    int share = (int) (100L * compared.allowed() / compared.probes());
    System.out.printf(
        "%,d connections agree, %d %% of them allowed, seed %d%n", compared.probes(), share, SEED);
    assertThat(share).as("per cent allowed").isBetween(20, 80);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "SOUND")
  void aMistakeIsFound(Mutant mutant) {
    Comparison compared = Comparison.run(SEED, PROBES / 2, mutant);
    assertThat(compared.failure()).as("%s, seed %d", mutant, SEED).isPresent();
    System.out.printf("%s: found by connection %,d%n", mutant, compared.probes());
  }
}
