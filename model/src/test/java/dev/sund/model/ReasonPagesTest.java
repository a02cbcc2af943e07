package dev.sund.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Every reason has its page in {@code docs/reasons}, and no page is about something else. */
class ReasonPagesTest {
  private static final Path PAGES =
      Path.of(System.getProperty("sund.root", "..")).resolve("docs/reasons");

  @ParameterizedTest
  @EnumSource(Reason.class)
  void aReasonHasAPage(Reason reason) throws IOException {
    Path page = PAGES.resolve(reason.code() + ".md");
    assertThat(page).isRegularFile();
    List<String> lines = Files.readAllLines(page);
    assertThat(lines.getFirst()).isEqualTo("# " + reason.code());
    assertThat(lines)
        .contains(
            "Severity: " + reason.severity().name().toLowerCase(Locale.ROOT) + ".",
            "## How it comes",
            "## What to do",
            "## Example");
    assertThat(Files.readString(PAGES.resolve("README.md")))
        .contains("[" + reason.code() + "](" + reason.code() + ".md)");
  }

  @Test
  void noPageIsAboutSomethingElse() throws IOException {
    try (Stream<Path> files = Files.list(PAGES)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(
              Stream.concat(
                      Stream.of("README.md"),
                      Stream.of(Reason.values()).map(reason -> reason.code() + ".md"))
                  .toList());
    }
  }

  @Test
  void linksBetweenPagesLeadSomewhere() throws IOException {
    try (Stream<Path> files = Files.list(PAGES)) {
      for (Path file : files.toList()) {
        var links = Pattern.compile("\\]\\(([^)]+)\\)");
        var matcher = links.matcher(Files.readString(file));
        while (matcher.find()) {
          assertThat(PAGES.resolve(matcher.group(1))).as("link in %s", file).exists();
        }
      }
    }
  }
}
