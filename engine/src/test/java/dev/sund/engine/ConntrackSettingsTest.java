package dev.sund.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.engine.cluster.ConntrackSettings;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ConntrackSettingsTest {
  @Test
  void theLimitIsByProcessorsWithALeastAndAMost() {
    assertThat(ConntrackSettings.DEFAULT.limit(2)).hasValue(131_072);
    assertThat(ConntrackSettings.DEFAULT.limit(8)).hasValue(262_144);
    assertThat(ConntrackSettings.DEFAULT.limit(64)).hasValue(1_048_576);
    assertThat(of(1000, 0).limit(4)).hasValue(4000);
    assertThat(of(1000, 9000).limit(4)).hasValue(9000);
    // As kube-proxy has it: a least limit above the most counts while processors give less.
    assertThat(of(1000, 2_000_000).limit(4)).hasValue(2_000_000);
    assertThat(of(Integer.MAX_VALUE, 0).limit(1000)).hasValue(1_048_576);
  }

  @Test
  void withoutALimitForEachProcessorTheLimitStays() {
    assertThat(of(0, 131_072).limit(8)).isEmpty();
    assertThat(ConntrackSettings.AS_IT_IS.limit(8)).isEmpty();
  }

  @Test
  void whatCannotBeIsRefused() {
    assertThatThrownBy(() -> of(-1, 0)).hasMessageContaining("maxPerCore");
    assertThatThrownBy(() -> of(0, -1)).hasMessageContaining("min");
    assertThatThrownBy(() ->
            new ConntrackSettings(
                0, 0, Duration.ofSeconds(-1), Duration.ZERO, false, Duration.ZERO, Duration.ZERO))
        .hasMessageContaining("tcpEstablishedTimeout");
  }

  private static ConntrackSettings of(int maxPerCore, int min) {
    return new ConntrackSettings(
        maxPerCore, min, Duration.ZERO, Duration.ZERO, false, Duration.ZERO, Duration.ZERO);
  }
}
