package dev.sund.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeapTidyingTest {
  private static final long MB = 1 << 20;

  private long held = 30 * MB;
  private long live = 20 * MB;
  private boolean quiet = true;
  private final HeapTidying tidying = new HeapTidying(() -> held, () -> held = live, () -> quiet);

  @Test
  void whatTheStartNeededIsGivenBack() {
    assertThat(tidying.step()).isTrue();
    assertThat(held).isEqualTo(live);
  }

  @Test
  void aHeapThatGrewLittleIsLeftAlone() {
    tidying.step();
    held = live + 9 * MB;
    assertThat(tidying.step()).isFalse();
    held = live + 10 * MB;
    assertThat(tidying.step()).isTrue();
  }

  @Test
  void whatRoundsOfChecksLeaveIsGivenBackHalfAMinuteLater() {
    held = 16 * MB;
    live = 12 * MB;
    tidying.step();
    held = 14 * MB;
    assertThat(tidying.step()).isFalse();
    assertThat(tidying.step()).isFalse();
    assertThat(tidying.step()).isTrue();
    held = 14 * MB - 1;
    for (int i = 0; i < 5; i++) {
      assertThat(tidying.step()).isFalse();
    }
  }

  @Test
  void aLargeHeapIsLookedAtOnlyWhenItGrewByHalf() {
    held = 300 * MB;
    live = 200 * MB;
    tidying.step();
    held = 299 * MB;
    assertThat(tidying.step()).isFalse();
    held = 300 * MB;
    assertThat(tidying.step()).isTrue();
  }

  @Test
  void whatALoadLeftBehindIsGivenBackHalfAMinuteLater() {
    held = 300 * MB;
    live = 200 * MB;
    tidying.step();
    held = 226 * MB;
    assertThat(tidying.step()).isFalse();
    assertThat(tidying.step()).isFalse();
    assertThat(tidying.step()).isTrue();
    held = 224 * MB;
    for (int i = 0; i < 5; i++) {
      assertThat(tidying.step()).isFalse();
    }
  }

  @Test
  void nobodyWhoWaitsIsDisturbed() {
    quiet = false;
    assertThat(tidying.step()).isFalse();
    assertThat(held).isEqualTo(30 * MB);
  }
}
