package dev.sund.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Examination;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.Recording;
import dev.sund.doctor.Result;
import dev.sund.doctor.Verdict;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.doctor.report.PackedTree;
import dev.sund.doctor.report.Report;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A report of the machine that runs this: every check says of it what it said of the machine. */
@Tag("netns")
class ReportLiveTest {
  private static final Path ROOT = Path.of("/");

  @TempDir Path folder;

  @Test
  void everyCheckSaysOfTheArchiveWhatItSaidOfTheMachine() throws Exception {
    Recording recording = new Recording();
    Host live =
        new Host(
            ROOT, Duration.ofMillis(200), Thread::sleep, LiveFacts.of(ROOT), Set.of(), recording);
    Examination here = Examination.of(live, Catalogue.node());
    assertThat(live.lines(Facts.LINKS)).anyMatch(line -> line.text("link").equals("lo"));
    assertThat(live.lines(Facts.EVERY_ROUTE)).isNotNull();
    Report report = new Report();
    report.add(recording);
    Path archive = folder.resolve("here.tar.gz");
    report.write(archive, "here", Instant.EPOCH, false);

    try (PackedTree tree = PackedTree.of(archive)) {
      Host recorded = new Host(tree.root(), Duration.ZERO, _ -> {}, Facts.none());
      assertThat(said(Examination.of(recorded, Catalogue.node()))).isEqualTo(said(here));
      assertThat(recorded.lines(Facts.EVERY_ROUTE)).isEqualTo(live.lines(Facts.EVERY_ROUTE));
    }
    assertThat(said(here)).hasSizeGreaterThan(50);
  }

  /** Without numbers that count on while it is looked at. */
  private static List<String> said(Examination found) {
    List<String> said = new ArrayList<>();
    for (Result result : found.results()) {
      said.add(result.check().id() + " " + words(result.outcome()));
    }
    return said;
  }

  private static String words(Result.Outcome outcome) {
    return switch (outcome) {
      case Result.Unread unread -> unread.toString();
      case Result.Judged(Verdict.Right _) -> "right";
      case Result.Judged(Verdict.NotHere(var why)) -> why;
      case Result.Judged(Verdict.Wrong(var findings)) ->
          findings.stream().map(one -> one.severity() + " " + one.object()).toList().toString();
    };
  }
}
