package dev.sund.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeapTidyingTest {
  private static final long MB = 1 << 20;

  private long used = 30 * MB;
  private long live = 20 * MB;
  private boolean quiet = true;
  private final HeapTidying tidying = new HeapTidying(() -> used, () -> used = live, () -> quiet);

  @Test
  void whatTheStartNeededIsGivenBack() {
    assertThat(tidying.step()).isTrue();
    assertThat(used).isEqualTo(live);
  }

  @Test
  void aHeapThatGrewLittleIsLeftAlone() {
    tidying.step();
    used = live + 11 * MB;
    assertThat(tidying.step()).isFalse();
    used = live + 12 * MB;
    assertThat(tidying.step()).isTrue();
  }

  @Test
  void aLargeHeapIsLookedAtOnlyWhenItGrewByHalf() {
    used = 300 * MB;
    live = 200 * MB;
    tidying.step();
    used = 299 * MB;
    assertThat(tidying.step()).isFalse();
    used = 300 * MB;
    assertThat(tidying.step()).isTrue();
  }

  @Test
  void whatALoadLeftBehindIsGivenBackHalfAMinuteLater() {
    used = 300 * MB;
    live = 200 * MB;
    tidying.step();
    used = 226 * MB;
    assertThat(tidying.step()).isFalse();
    assertThat(tidying.step()).isFalse();
    assertThat(tidying.step()).isTrue();
    used = 224 * MB;
    for (int i = 0; i < 5; i++) {
      assertThat(tidying.step()).isFalse();
    }
  }

  @Test
  void nobodyWhoWaitsIsDisturbed() {
    quiet = false;
    assertThat(tidying.step()).isFalse();
    assertThat(used).isEqualTo(30 * MB);
  }
}
