package dev.sund.it.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Every rule of how Services behave, S1 to S27, is held by a test that names it and puts real
 * packets, programs or kernels to it: one that runs in namespaces.
 */
class RulesCitedTest {
  private static final int RULES = 27;

  @Test
  void everyRuleOfServicesIsNamedByATestInNamespaces() {
    List<String> tests = new ArrayList<>();
    for (Path file : Sources.files()) {
      if (file.toString().endsWith("Test.java")
          && file.toString().contains("src/test/java")
          && !file.endsWith("RulesCitedTest.java")) {
        String text = Sources.text(file);
        if (text.contains("@Tag(\"netns\")") || text.contains("@Tag(\"guest\")")) {
          tests.add(text);
        }
      }
    }
    assertThat(IntStream.rangeClosed(1, RULES).mapToObj(number -> "S" + number))
        .allSatisfy(rule -> {
          Pattern cited = Pattern.compile("(\\b|_)" + rule + "\\b");
          assertThat(tests.stream().filter(text -> cited.matcher(text).find()))
              .as("tests in namespaces that name " + rule)
              .isNotEmpty();
        });
  }
}
