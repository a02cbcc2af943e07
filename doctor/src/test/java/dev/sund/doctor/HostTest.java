package dev.sund.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What only a running kernel shows. */
class HostTest {
  @Test
  void readsTheWholeOfASysctlAndNotItsFirstDigit() throws Exception {
    Host here = new Host(Path.of("/"), Duration.ZERO, _ -> {}, Facts.none());
    // Never below 301: kernel/pid.c
    assertThat(here.number("proc/sys/kernel/pid_max")).isGreaterThan(300);
    assertThat(here.text("proc/sys/net/ipv4/ip_local_port_range").split("\\s+")).hasSize(2);
  }
}
