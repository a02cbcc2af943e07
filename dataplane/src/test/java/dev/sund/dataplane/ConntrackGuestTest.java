package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The table of connections of a whole machine, which a test may have to itself. */
@Tag("guest")
class ConntrackGuestTest {
  private static final String NET = "net/netfilter/nf_conntrack_";

  @TempDir private Path state;

  @BeforeAll
  static void onlyThere() {
    Assumptions.assumeTrue(
        Boolean.getBoolean("sund.test.guest"),
        "a machine's limits are tested in the guest: run sund test");
  }

  @Test
  void theLimitAndTheHashTableAreSetAndPutBack() throws Exception {
    NetNs machine = NetNs.ofProcess();
    run("modprobe", "nf_conntrack");
    String before = value(machine, "max");
    ConntrackSettings settings =
        new ConntrackSettings(
            150_000,
            131_072,
            Duration.ofHours(24),
            Duration.ofHours(1),
            true,
            Duration.ofSeconds(25),
            Duration.ofSeconds(100));
    int limit = settings.limit(ConntrackPlan.processorsOfTheMachine()).getAsInt();
    try (SocketRoutes routes = SocketRoutes.open(machine)) {
      SysctlDriver driver = new SysctlDriver(routes, state);
      driver.connections(settings);
      driver.resync();
      assertThat(driver.apply(Driver.Step.PUT, 10).conditions()).isEmpty();
    }

    assertThat(value(machine, "max")).isEqualTo(Integer.toString(limit));
    assertThat(Integer.parseInt(value(machine, "buckets"))).isGreaterThanOrEqualTo(limit / 4);
    assertThat(value(machine, "tcp_timeout_established")).isEqualTo("86400");
    assertThat(value(machine, "tcp_timeout_close_wait")).as("S24").isEqualTo("3600");
    assertThat(value(machine, "tcp_be_liberal")).isEqualTo("1");
    assertThat(value(machine, "udp_timeout")).isEqualTo("25");
    assertThat(value(machine, "udp_timeout_stream")).isEqualTo("100");

    assertThat(Cleanup.node(machine, state, false).failed()).isEmpty();
    assertThat(value(machine, "max")).isEqualTo(before);
    assertThat(value(machine, "tcp_be_liberal")).isEqualTo("0");
  }

  private static String value(NetNs machine, String name) throws Exception {
    return new Sysctl(NET + name).read(machine).orElseThrow();
  }

  private static void run(String... command) throws Exception {
    Process process = new ProcessBuilder(List.of(command)).inheritIO().start();
    assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
  }
}
