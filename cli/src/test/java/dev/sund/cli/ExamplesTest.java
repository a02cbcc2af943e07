package dev.sund.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** What the help and the documents tell people to type is what the commands take. */
class ExamplesTest {
  private static final Path ROOT = Path.of(System.getProperty("sund.root", ".."));

  /** A command to type: what leads to it, and what it is given. */
  private static final Pattern TYPED = Pattern.compile("(?:sudo )?(?:\\./)?sund (?<given>\\S.*)");

  /** Where a shell ends a command, or a reader knows that a remark begins. */
  private static final Pattern END = Pattern.compile(" {2,}|[;|>&#]");

  /** Commands with their options where a sentence names them. */
  private static final Pattern NAMED =
      Pattern.compile("`(?:sudo )?sund (?<words>[a-z-]+(?: [a-z]+)?)(?<options>(?: --?[a-z-]+)*)");

  /** A synopsis, or what is to be thought between two examples. */
  private static final Pattern NOT_TYPED = Pattern.compile("\\.\\.\\.|\\[|^[a-z]+:");

  @Test
  void helpShowsWhatCommandsTake() {
    List<String> examples =
        commands(Sund.commandLine(Map.of()))
            .flatMap(command -> Stream.of(command.getCommandSpec().usageMessage().footer()))
            .map(line -> line.replace("%%", "%"))
            .flatMap(line -> typed(line).stream())
            .toList();
    assertThat(examples).hasSizeGreaterThan(100);
    assertThat(refused(examples)).isEmpty();
  }

  @Test
  void documentsShowWhatCommandsTake() throws IOException {
    List<String> examples = new ArrayList<>();
    for (Path document : documents()) {
      examples.addAll(inBlocks(Files.readString(document)));
    }
    assertThat(examples).hasSizeGreaterThan(50);
    assertThat(refused(examples)).isEmpty();
  }

  @Test
  void sentencesNameCommandsAndOptionsThatAreThere() throws IOException {
    List<String> wrong = new ArrayList<>();
    int named = 0;
    for (Path document : documents()) {
      for (MatchResult one : NAMED.matcher(Files.readString(document)).results().toList()) {
        named++;
        if (!isThere(one.group("words"), one.group("options"))) {
          wrong.add(ROOT.relativize(document) + ": " + one.group());
        }
      }
    }
    assertThat(named).isGreaterThan(200);
    assertThat(wrong).isEmpty();
  }

  private static boolean isThere(String words, String options) {
    String[] named = words.split(" ");
    CommandLine command = Sund.commandLine(Map.of(), named);
    for (String word : named) {
      CommandLine sub = command.getSubcommands().get(word);
      if (sub == null && command.getParent() == null) {
        return false;
      }
      command = sub == null ? command : sub;
    }
    return Stream.of(options.strip().split(" "))
        .filter(option -> !option.isEmpty())
        .allMatch(command.getCommandSpec().optionsMap()::containsKey);
  }

  private static List<Path> documents() throws IOException {
    try (Stream<Path> files = Files.walk(ROOT.resolve("docs"));
        Stream<Path> first = Files.list(ROOT)) {
      return Stream.concat(files, first)
          .filter(file -> file.toString().endsWith(".md"))
          .sorted()
          .toList();
    }
  }

  private static Stream<CommandLine> commands(CommandLine line) {
    return Stream.concat(
        Stream.of(line), line.getSubcommands().values().stream().flatMap(ExamplesTest::commands));
  }

  /** Where a block has prompts, what is without one was printed. */
  private static List<String> inBlocks(String document) {
    List<String> examples = new ArrayList<>();
    String[] parts = document.split("(?m)^ *```.*$", -1);
    for (int block = 1; block < parts.length; block += 2) {
      boolean prompts = parts[block].contains("$ ");
      for (String line : parts[block].lines().map(String::strip).toList()) {
        if (!prompts || line.startsWith("$ ")) {
          examples.addAll(typed(prompts ? line.substring(2) : line));
        }
      }
    }
    return examples;
  }

  private static List<String> typed(String line) {
    if (!TYPED.matcher(line.strip()).matches()) { // others' commands, and what is printed
      return List.of();
    }
    return END.splitAsStream(line.strip())
        .map(part -> TYPED.matcher(part.strip()))
        .filter(match -> match.matches() && !NOT_TYPED.matcher(match.group("given")).find())
        .map(match -> match.group("given"))
        .toList();
  }

  private static List<String> refused(List<String> examples) {
    List<String> refused = new ArrayList<>();
    for (String example : examples) {
      String[] arguments = example.split(" ");
      try {
        Sund.commandLine(Map.of(), arguments).parseArgs(arguments);
      } catch (ParameterException e) {
        refused.add(example + ": " + e.getMessage());
      }
    }
    return refused;
  }
}
