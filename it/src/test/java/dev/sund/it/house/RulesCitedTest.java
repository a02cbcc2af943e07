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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every rule of how Services behave, S1 to S27, and of how policies do, N1 to N30, is held by a
 * test that names it and puts real packets, programs or kernels to it: one that runs in namespaces.
 * Where the rule says what becomes of a packet, that test asks the kernels and the tracer the same,
 * and the two must agree.
 */
class RulesCitedTest {
  /** A test in a scene's class with its rules behind its head, and its body. */
  private static final Pattern TEST =
      Pattern.compile(
          "@Test\\s+void (\\w+)\\(\\)[^{]*\\{ // ([SN]\\d[^\\n]*)\\n(.*?)\\n  }\\n",
          Pattern.DOTALL);

  /** The rules of one letter. */
  private enum Rules {
    SERVICES(
        "S",
        27,
        "static ServiceBed bed;",
        Pattern.compile("\\bbed\\.(ask|askAll|askOften|askWith|assertNobodyAnswers)\\("),
        Map.of(
            "S11", "a page that a balancer reads",
            "S15", "connections that the kernel forgets",
            "S16", "packets that belong to no connection",
            "S24", "a setting of the kernel",
            "S25", "how long changes take")),
    POLICIES("N", 30, "static PolicyBed bed;", Pattern.compile("\\bbed\\.check\\("), Map.of());

    private final String letter;
    private final int last;

    /** What the classes of scenes have. */
    private final String bed;

    /** The bed's ways to ask both. */
    private final Pattern asksBoth;

    /** The rules about something that no packet's way shows, and what that is. */
    private final Map<String, String> ofNoWay;

    Rules(String letter, int last, String bed, Pattern asksBoth, Map<String, String> ofNoWay) {
      this.letter = letter;
      this.last = last;
      this.bed = bed;
      this.asksBoth = asksBoth;
      this.ofNoWay = ofNoWay;
    }

    private Stream<String> all() {
      return IntStream.rangeClosed(1, last).mapToObj(number -> letter + number);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyRuleIsNamedByATestInNamespaces(Rules rules) {
    List<String> tests =
        tests()
            .map(Sources::text)
            .filter(text -> text.contains("@Tag(\"netns\")") || text.contains("@Tag(\"guest\")"))
            .toList();
    assertThat(rules.all())
        .allSatisfy(rule ->
            assertThat(tests.stream().filter(text -> cites(text, rule)))
                .as("tests in namespaces that name " + rule)
                .isNotEmpty());
  }

  @ParameterizedTest
  @EnumSource
  void whatBecomesOfPacketsIsHeldByScenesThatAskKernelsAndTracer(Rules rules) {
    Map<String, List<String>> held = new TreeMap<>();
    tests()
        .map(Sources::text)
        .filter(text -> text.contains(rules.bed))
        .forEach(text ->
            TEST.matcher(text)
                .results()
                .filter(test -> rules.asksBoth.matcher(test.group(3)).find())
                .forEach(test ->
                    rules
                        .all()
                        .filter(rule -> cites(test.group(2), rule))
                        .forEach(rule ->
                            held.computeIfAbsent(rule, _ -> new ArrayList<>())
                                .add(test.group(1)))));
    assertThat(rules.all().filter(rule -> !rules.ofNoWay.containsKey(rule)))
        .allSatisfy(rule ->
            assertThat(held)
                .as("a scene that names " + rule + " and asks kernels and tracer alike")
                .containsKey(rule));
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
