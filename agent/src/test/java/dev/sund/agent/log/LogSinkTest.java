package dev.sund.agent.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LogSinkTest {
  private final List<String> lines = new ArrayList<>();
  private long nanos = 5_000_000_000L;
  private final LogSink sink =
      new LogSink(
          lines::add,
          InstantSource.fixed(Instant.parse("2026-03-01T10:00:00.123Z")),
          () -> nanos,
          "node=n1",
          LogLevel.INFO);
  private final Log log = sink.log("apply");

  @Test
  void aLineIsKeysAndValues() {
    log.info("routes applied", "done", 12, "took", "3 ms", "empty", "", "quote", "a\"b\\c\nd");
    assertThat(lines)
        .containsExactly(
            "time=2026-03-01T10:00:00.123Z level=info node=n1 part=apply msg=\"routes applied\""
                + " done=12 took=\"3 ms\" empty=\"\" quote=\"a\\\"b\\\\c\\nd\"");
  }

  @Test
  void linesBelowTheLevelAreLeftOut() {
    log.debug("detail");
    assertThat(lines).isEmpty();
    assertThat(log.writes(LogLevel.DEBUG)).isFalse();
  }

  @Test
  void theLevelChangesWhileItRuns() {
    sink.level("apply", LogLevel.DEBUG);
    log.debug("detail");
    sink.log("other").debug("detail");
    assertThat(lines).hasSize(1);
    sink.level(LogLevel.ERROR);
    log.warn("quiet now");
    assertThat(lines).hasSize(1);
  }

  @Test
  void aRepeatedLineIsCountedAndItsCountIsSaid() {
    for (int i = 0; i < 1_000; i++) {
      log.warn("API server unreachable", "error", "refused");
    }
    assertThat(lines).hasSize(1);
    nanos += LogSink.REPEAT_SECONDS * 1_000_000_000L;
    log.warn("API server unreachable", "error", "refused");
    assertThat(lines).hasSize(2);
    assertThat(lines.get(1)).endsWith("error=refused repeats=999");
  }

  @Test
  void theCountOfALineThatDoesNotComeAgainIsSaidByFlush() {
    log.warn("flap");
    log.warn("flap");
    log.info("once");
    sink.flush();
    assertThat(lines).hasSize(2);
    nanos += LogSink.REPEAT_SECONDS * 1_000_000_000L;
    sink.flush();
    sink.flush();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(2)).contains("msg=flap repeats=1");
  }

  @Test
  void otherValuesAreAnotherLine() {
    log.info("applied", "done", 1);
    log.info("applied", "done", 2);
    assertThat(lines).hasSize(2);
  }

  @Test
  void rememberingHasABound() {
    log.info("first");
    log.info("first");
    for (int i = 0; i < 10_000; i++) {
      log.info("line", "i", i);
    }
    assertThat(lines).hasSize(10_002).anyMatch(line -> line.endsWith("msg=first repeats=1"));
  }
}
