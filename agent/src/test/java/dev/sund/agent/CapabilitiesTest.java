package dev.sund.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CapabilitiesTest {
  @Test
  void twoAreEnough() {
    assertThat(Capabilities.missing(1L << 12 | 1L << 21)).isEmpty();
  }

  @Test
  void theOneThatIsMissingIsNamed() {
    assertThat(Capabilities.missing(1L << 21))
        .singleElement()
        .hasToString(
            "process agent: The agent lacks CAP_NET_ADMIN, by which it writes routes, devices,"
                + " nf_tables and net sysctls. Run it as root, or grant CAP_NET_ADMIN."
                + " [capability-missing]");
    assertThat(Capabilities.missing(0)).hasSize(2);
  }
}
