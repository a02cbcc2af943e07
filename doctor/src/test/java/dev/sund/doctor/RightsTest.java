package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RightsTest {
  @Test
  void aRootThatIsDeniedIsNotSentToRoot() {
    assertThat(Rights.remedyFor("alice")).isEqualTo("Run it as root, by sudo.");
    assertThat(Rights.remedyFor("root")).contains("CAP_SYS_PTRACE").doesNotContain("sudo");
  }
}
