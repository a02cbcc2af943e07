package dev.sund.it.house;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Every rule of how Services behave, S1 to S27, is held by a test that names it and puts real
 * packets, programs or kernels to it: one that runs in namespaces. Where the rule says what becomes
 * of a packet, that test asks the kernels and the tracer the same, and the two must agree.
 */
class RulesCitedTest {
  private static final int RULES = 27;

  /** The rules about something that no packet's way shows, and what that is. */
  private static final Map<String, String> OF_NO_WAY =
      Map.of(
          "S11", "a page that a balancer reads",
          "S15", "connections that the kernel forgets",
          "S16", "packets that belong to no connection",
          "S24", "a setting of the kernel",
          "S25", "how long changes take");

  /** A test in a scene's class with its rules behind its head, and its body. */
  private static final Pattern TEST =
      Pattern.compile(
          "@Test\\s+void (\\w+)\\(\\)[^{]*\\{ // (S\\d[^\\n]*)\\n(.*?)\\n  }\\n", Pattern.DOTALL);

  /** The bed's ways to ask both. */
  private static final Pattern ASKS_BOTH =
      Pattern.compile("\\bbed\\.(ask|askAll|askOften|askWith|assertNobodyAnswers)\\(");

  @Test
  void everyRuleOfServicesIsNamedByATestInNamespaces() {
    List<String> tests =
        tests()
            .map(Sources::text)
            .filter(text -> text.contains("@Tag(\"netns\")") || text.contains("@Tag(\"guest\")"))
            .toList();
    assertThat(rules())
        .allSatisfy(rule ->
            assertThat(tests.stream().filter(text -> cites(text, rule)))
                .as("tests in namespaces that name " + rule)
                .isNotEmpty());
  }

  @Test
  void whatBecomesOfPacketsIsHeldByScenesThatAskKernelsAndTracer() {
    Map<String, List<String>> held = new TreeMap<>();
    tests()
        .map(Sources::text)
        .filter(text -> text.contains("static ServiceBed bed;"))
        .forEach(text ->
            TEST.matcher(text)
                .results()
                .filter(test -> ASKS_BOTH.matcher(test.group(3)).find())
                .forEach(test ->
                    rules()
                        .filter(rule -> cites(test.group(2), rule))
                        .forEach(rule ->
                            held.computeIfAbsent(rule, _ -> new ArrayList<>())
                                .add(test.group(1)))));
    assertThat(rules().filter(rule -> !OF_NO_WAY.containsKey(rule)))
        .allSatisfy(rule ->
            assertThat(held)
                .as("a scene that names " + rule + " and asks kernels and tracer alike")
                .containsKey(rule));
  }

  private static Stream<String> rules() {
    return IntStream.rangeClosed(1, RULES).mapToObj(number -> "S" + number);
  }

  private static boolean cites(String text, String rule) {
    return Pattern.compile("(\\b|_)" + rule + "\\b").matcher(text).find();
  }

  private static Stream<Path> tests() {
    return Sources.files().stream()
        .filter(file ->
            file.toString().endsWith("Test.java")
                && file.toString().contains("src/test/java")
                && !file.endsWith("RulesCitedTest.java"));
  }
}
