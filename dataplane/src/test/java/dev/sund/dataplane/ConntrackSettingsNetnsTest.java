package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.testing.TestNetns;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In a namespace other than the machine's first, which has timeouts of its own but no limit. */
@Tag("netns")
class ConntrackSettingsNetnsTest {
  private static final String NET = "net/netfilter/nf_conntrack_";

  @TempDir private Path state;
  private final TestNetns net = TestNetns.open();
  private final NetNs node = net.create("node");

  @AfterEach
  void close() {
    net.close();
  }

  @Test
  void timeoutsAreSetAndTheMachinesLimitIsLeft() throws Exception {
    String limit = value("max");
    try (SocketRoutes routes = SocketRoutes.open(node)) {
      SysctlDriver driver = new SysctlDriver(routes, state);
      driver.connections(ConntrackSettings.DEFAULT);
      driver.resync();

      assertThat(driver.apply(Driver.Step.PUT, 10).conditions()).isEmpty();

      assertThat(value("tcp_timeout_close_wait")).as("S24").isEqualTo("3600");
      assertThat(value("tcp_timeout_established")).isEqualTo("86400");
      assertThat(value("max")).isEqualTo(limit);
      driver.resync();
      assertThat(driver.pending()).isZero();
    }
    assertThat(Cleanup.node(node, state, false).done())
        .anyMatch(line -> line.contains("tcp_timeout_close_wait"));
    assertThat(value("tcp_timeout_close_wait")).isEqualTo("60");
  }

  /** N19: what a policy cut must not come back from the other side. */
  @Test
  void tcpFromItsStartAloneIsSetAndPutBackByTurns() throws Exception {
    String before = value("tcp_loose");
    try (SocketRoutes routes = SocketRoutes.open(node)) {
      SysctlDriver driver = new SysctlDriver(routes, state);
      for (boolean strict : new boolean[] {false, true, false, true, false}) {
        driver.connections(ConntrackSettings.AS_IT_IS.withTcpFromStart(strict));
        driver.resync();
        driver.apply(Driver.Step.PUT, 10);

        assertThat(value("tcp_loose")).isEqualTo(strict ? "0" : before);
      }
    }
  }

  private String value(String name) throws Exception {
    return new Sysctl(NET + name).read(node).orElseThrow();
  }
}
