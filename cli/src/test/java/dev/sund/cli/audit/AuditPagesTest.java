package dev.sund.cli.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sund.engine.policy.audit.Check;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every check has its page in {@code docs/audit}, and no page is about something else. */
class AuditPagesTest {
  private static final Path PAGES =
      Path.of(System.getProperty("sund.root", "..")).resolve("docs/audit");

  @ParameterizedTest
  @EnumSource(Check.class)
  void aCheckHasAPage(Check check) throws IOException {
    Path page = PAGES.resolve(check.id() + ".md");
    assertThat(page).isRegularFile();
    List<String> lines = Files.readAllLines(page);
    assertThat(lines.getFirst()).isEqualTo("# " + check.id());
    assertThat(lines)
        .contains(
            "Severity: " + check.severity().name().toLowerCase(Locale.ROOT) + ".",
            "## How it comes",
            "## What to do",
            "## Example");
    assertThat(Files.readString(PAGES.resolve("README.md")))
        .contains("[" + check.id() + "](" + check.id() + ".md)");
  }

  @Test
  void noPageIsAboutSomethingElse() throws IOException {
    try (Stream<Path> files = Files.list(PAGES)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(
              Stream.concat(
                      Stream.of("README.md"),
                      Stream.of(Check.values()).map(check -> check.id() + ".md"))
                  .toList());
    }
  }
}
