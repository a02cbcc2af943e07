package dev.sund.agent.checks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.agent.checks.CheckRounds.Standing;
import dev.sund.doctor.Check;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What stands after several rounds of checks. */
class CheckRoundsTest {
  private final Map<String, String> facts = new TreeMap<>();
  private final Map<String, Integer> asked = new TreeMap<>();
  private final CheckRounds rounds =
      new CheckRounds(
          List.of(
              check("cheap", Facts.LINKS, Severity.WARNING),
              check("dear", Facts.PODS, Severity.ERROR)));

  /** Wrong when its fact says so. */
  private static Check<String> check(String id, String fact, Severity severity) {
    return new Check<>(
        id,
        id,
        host -> host.text(Host.FACTS + "/" + fact),
        text ->
            text.equals("good")
                ? new Verdict.Right(text)
                : new Verdict.Wrong(List.of(new Finding(severity, "it", text, "why", "mend it"))));
  }

  @BeforeEach
  void allIsWell() {
    facts.put(Facts.LINKS, "good");
    facts.put(Facts.PODS, "good");
  }

  private Standing round() throws InterruptedException {
    Facts told =
        name -> {
          asked.merge(name, 1, Integer::sum);
          String text = facts.get(name);
          if (text == null) {
            throw new UnreadException(name + " is closed", "Open it.");
          }
          return text;
        };
    Host host = new Host(Path.of("/nowhere"), Duration.ZERO, _ -> {}, told);
    return rounds.take(Examination.of(host, rounds.next()));
  }

  @Test
  void whatIsMendedIsGoneAndTheWorstComesFirst() throws Exception {
    facts.put(Facts.LINKS, "bad");
    facts.put(Facts.PODS, "worse");
    Standing first = round();
    assertThat(first.checks()).isEqualTo(2);
    assertThat(first.open()).extracting(CheckRounds.Open::check).containsExactly("dear", "cheap");

    facts.put(Facts.LINKS, "good");
    assertThat(round().open()).extracting(CheckRounds.Open::check).containsExactly("dear");
  }

  @Test
  void whatIsDearIsAskedEachTenthTimeAndHoldsBetween() throws Exception {
    facts.put(Facts.PODS, "worse");
    for (int i = 0; i < CheckRounds.DEAR_EACH; i++) {
      assertThat(round().open()).as("round %d", i).hasSize(1);
      facts.put(Facts.PODS, "good");
    }
    assertThat(asked).containsEntry(Facts.LINKS, 10).containsEntry(Facts.PODS, 1);
    assertThat(round().open()).isEmpty();
    assertThat(asked).containsEntry(Facts.PODS, 2);
  }

  @Test
  void whatCannotBeReadIsSaidAndIsNoPass() throws Exception {
    facts.remove(Facts.LINKS);
    Standing standing = round();
    assertThat(standing.open()).isEmpty();
    assertThat(standing.unread())
        .containsExactly(new CheckRounds.Unread("cheap", "links is closed", "Open it."));
    facts.put(Facts.LINKS, "good");
    assertThat(round().unread()).isEmpty();
  }
}
