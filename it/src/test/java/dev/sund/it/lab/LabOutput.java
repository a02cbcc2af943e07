package dev.sund.it.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.sund.lab.Console;
import dev.sund.lab.Lab;
import dev.sund.lab.LabOptions;
import dev.sund.lab.agents.AgentsInProcess;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * What {@code sund lab --once} said, with the agents in this process.
 *
 * @param exitCode of {@link Lab#run}
 * @param out what it printed
 * @param err what it complained of
 */
record LabOutput(int exitCode, String out, String err) {
  /** Runs it over these files of the project. */
  static LabOutput of(String... files) {
    Path root = Path.of(System.getProperty("sund.root", ".."));
    List<String> paths = Stream.of(files).map(file -> root.resolve(file).toString()).toList();
    LabOptions options =
        new LabOptions(
            paths,
            OptionalInt.empty(),
            true,
            false,
            false,
            false,
            Optional.of(root.resolve("deploy")),
            _ -> new AgentsInProcess());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exitCode =
        Lab.run(
            options,
            new Console(
                new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8), false),
            InputStream.nullInputStream());
    return new LabOutput(exitCode, out.toString(UTF_8), err.toString(UTF_8));
  }

  /** The first line with this in it; empty when there is none. */
  String line(String part) {
    return out.lines().filter(line -> line.contains(part)).findFirst().orElse("");
  }

  /** The last line: the count. */
  String lastLine() {
    return out.strip().lines().toList().getLast();
  }
}
