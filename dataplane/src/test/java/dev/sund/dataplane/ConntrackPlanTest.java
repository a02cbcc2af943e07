package dev.sund.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.dataplane.testing.FakeRoutes;
import dev.sund.dataplane.testing.FakeRoutes.Call;
import dev.sund.dataplane.testing.Programs;
import dev.sund.engine.cluster.ConntrackSettings;
import dev.sund.engine.program.PacketProgram;
import dev.sund.kernel.Errno;
import dev.sund.kernel.Sysctl;
import dev.sund.model.NodeName;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conntrack's settings as kube-proxy sets them; S24. */
class ConntrackPlanTest {
  private static final String NET = "net/netfilter/nf_conntrack_";

  @Test
  void theDefaultsAreThoseOfKubeProxy() {
    ConntrackPlan plan = new ConntrackPlan(ConntrackSettings.DEFAULT, 8);

    assertThat(texts(plan.needed(kernel(), true)))
        .containsExactly(
            Map.entry("max", "262144"),
            Map.entry("buckets", "65536"),
            Map.entry("tcp_timeout_established", "86400"),
            Map.entry("tcp_timeout_close_wait", "3600"));
  }

  @Test
  void aHashTableThatIsLargeEnoughStays() {
    Map<Sysctl, String> values = kernel();
    values.put(new Sysctl(NET + "buckets"), "65536");

    assertThat(texts(new ConntrackPlan(ConntrackSettings.DEFAULT, 8).needed(values, true)))
        .doesNotContainKey("buckets");
  }

  @Test
  void allFieldsAreSettings() {
    ConntrackSettings settings =
        new ConntrackSettings(
            0,
            0,
            Duration.ofMinutes(2),
            Duration.ofSeconds(30),
            true,
            Duration.ofSeconds(20),
            Duration.ofSeconds(60));

    assertThat(texts(new ConntrackPlan(settings, 2).needed(kernel(), true)))
        .containsExactly(
            Map.entry("tcp_timeout_established", "120"),
            Map.entry("tcp_timeout_close_wait", "30"),
            Map.entry("tcp_be_liberal", "1"),
            Map.entry("udp_timeout", "20"),
            Map.entry("udp_timeout_stream", "60"));
  }

  @Test
  void whatTheKernelDoesNotHaveIsNotNeeded() {
    assertThat(new ConntrackPlan(ConntrackSettings.DEFAULT, 8).needed(Map.of(), true)).isEmpty();
    assertThat(texts(new ConntrackPlan(ConntrackSettings.DEFAULT, 8).needed(kernel(), false)))
        .containsOnlyKeys("tcp_timeout_established", "tcp_timeout_close_wait");
    assertThat(ConntrackPlan.NONE.needed(kernel(), true)).isEmpty();
  }

  @Test
  void processorsAreCountedAsTheKernelListsThem() {
    assertThat(ConntrackPlan.count("0")).isEqualTo(1);
    assertThat(ConntrackPlan.count("0-3,8")).isEqualTo(5);
    assertThat(ConntrackPlan.count("0-1,4-5,7")).isEqualTo(5);
    assertThat(ConntrackPlan.processorsOfTheMachine()).isPositive();
  }

  @Test
  void settingsAreWrittenOnceConntrackIsThereAndPutBackWhenChanged(@TempDir Path state)
      throws Exception {
    FakeRoutes node = new FakeRoutes();
    SysctlDriver driver = new SysctlDriver(node, state);
    driver.connections(ConntrackSettings.DEFAULT);
    driver.resync();
    driver.apply(Driver.Step.PUT, 10);
    assertThat(node.sysctl(NET + "tcp_timeout_close_wait")).isEqualTo("none");

    kernel().forEach((setting, value) -> node.sysctl(setting.key(), value));
    driver.want(
        Programs.between(
            PacketProgram.empty(new NodeName("n1")), Programs.random(new Random(7), 20)));
    assertThat(driver.pending()).isPositive();
    driver.apply(Driver.Step.PUT, 10);
    assertThat(node.sysctl(NET + "tcp_timeout_close_wait")).isEqualTo("3600");
    assertThat(SysctlRecord.read(state).entries())
        .containsEntry(
            new Sysctl(NET + "tcp_timeout_close_wait"), new SysctlRecord.Entry("60", "3600"));

    node.sysctl(NET + "tcp_timeout_close_wait", "7");
    driver.resync();
    driver.apply(Driver.Step.PUT, 10);
    assertThat(node.sysctl(NET + "tcp_timeout_close_wait")).isEqualTo("3600");
    assertThat(driver.pending()).isZero();
  }

  @Test
  void aSettingThatIsRefusedIsAConditionAndTriedAgain(@TempDir Path state) throws Exception {
    FakeRoutes node = new FakeRoutes();
    kernel().forEach((setting, value) -> node.sysctl(setting.key(), value));
    SysctlDriver driver = new SysctlDriver(node, state);
    driver.connections(ConntrackSettings.DEFAULT);
    node.fail(Call.WRITE_SYSCTLS, Errno.EROFS);
    driver.resync();

    assertThat(driver.apply(Driver.Step.PUT, 10).conditions()).isNotEmpty();

    node.heal();
    driver.retry();
    driver.apply(Driver.Step.PUT, 10);
    assertThat(node.sysctl(NET + "max")).isNotEqualTo("65536");
  }

  private static Map<Sysctl, String> kernel() {
    Map<Sysctl, String> values = new LinkedHashMap<>();
    Map.of(
            "max", "65536",
            "buckets", "16384",
            "tcp_timeout_established", "432000",
            "tcp_timeout_close_wait", "60",
            "tcp_be_liberal", "0",
            "udp_timeout", "30",
            "udp_timeout_stream", "120")
        .forEach((name, value) -> values.put(new Sysctl(NET + name), value));
    return values;
  }

  private static Map<String, String> texts(Map<Sysctl, String> settings) {
    Map<String, String> texts = new LinkedHashMap<>();
    settings.forEach((setting, value) -> texts.put(setting.key().substring(NET.length()), value));
    return texts;
  }
}
