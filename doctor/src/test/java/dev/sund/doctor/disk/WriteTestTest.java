package dev.sund.doctor.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.Result;
import dev.sund.doctor.Verdict;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The writes are few and small, and leave nothing. */
class WriteTestTest {
  private static final long MILLISECOND = 1_000_000;

  @TempDir Path folder;

  @Test
  void itMeasuresARealDiskAndLeavesNothing() throws Exception {
    WriteTest.Times times =
        new WriteTest(20, 2_300, Duration.ofSeconds(10)).run(folder, System::nanoTime);
    assertThat(times.micros()).hasSize(20).isSorted();
    assertThat(times.micros()[0]).isPositive();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void itEndsWhenItsTimeIsOver() throws Exception {
    AtomicLong clock = new AtomicLong();
    WriteTest.Times times =
        new WriteTest(200, 10, Duration.ofSeconds(1))
            .run(folder, () -> clock.getAndAdd(300 * MILLISECOND));
    assertThat(times.micros()).containsExactly(300_000, 300_000, 300_000, 300_000);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void itsFileGoesWhenItIsInterrupted() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> WriteTest.OF_ETCD.run(folder, System::nanoTime))
        .isInstanceOf(ClosedByInterruptException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void percentilesAreThoseOfTheWrites() {
    long[] micros = new long[200];
    for (int i = 0; i < micros.length; i++) {
      micros[i] = i + 1;
    }
    WriteTest.Times times = new WriteTest.Times(micros);
    assertThat(times.percentile(50)).isEqualTo(100);
    assertThat(times.percentile(99)).isEqualTo(198);
    assertThat(times.percentile(100)).isEqualTo(200);
  }

  @Test
  void theCheckTellsWhatWasMeasuredAndWhatCannotBe() throws Exception {
    assertThat(outcome(folder))
        .isInstanceOfSatisfying(
            Result.Judged.class,
            judged ->
                assertThat(judged.verdict().toString())
                    .contains("writes of 2,300 bytes in " + folder + " (as given)"));
    assertThat(folder).isEmptyDirectory();
    assertThat(outcome(folder.resolve("none")))
        .isEqualTo(
            new Result.Unread(
                folder.resolve("none") + " is no folder",
                "Name one on etcd's disk: sund doctor --fsync=DIR."));
    assertThat(outcome(Path.of("/proc")))
        .isInstanceOfSatisfying(
            Result.Unread.class,
            unread -> assertThat(unread.why()).contains("no file can be made in /proc"));
  }

  @Test
  void aNodeWithoutEtcdHasNothingToMeasure() throws Exception {
    Host host = new Host(folder, Duration.ZERO, _ -> {}, new FsyncFacts(folder, Optional.empty()));
    List<Check<?>> checks = List.of(Catalogue.named("fsync").orElseThrow());
    assertThat(Examination.of(host, checks).results().getFirst().outcome())
        .isInstanceOfSatisfying(
            Result.Judged.class,
            judged -> assertThat(judged.verdict()).isInstanceOf(Verdict.NotHere.class));
  }

  private Result.Outcome outcome(Path where) throws Exception {
    Facts facts = Facts.none().with(Facts.FSYNC, new FsyncFacts(Path.of("/"), Optional.of(where)));
    Host host = new Host(Path.of("/"), Duration.ZERO, _ -> {}, facts);
    List<Check<?>> checks = List.of(Catalogue.named("fsync").orElseThrow());
    return Examination.of(host, checks).results().getFirst().outcome();
  }
}
