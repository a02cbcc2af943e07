package dev.sund.it.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A runner that is ended by a signal takes its workers along, also those that hear of nothing. */
@Tag("netns")
@Timeout(240)
class IsolationTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** A runner with a worker that never looks at its input, as an emulator does not. */
  public static final class Runner {
    private Runner() {}

    /** Starts {@code sleep SECONDS} as a worker and waits for ever. */
    public static void main(String[] arguments) throws Exception {
      List<String> command = new ArrayList<>(Isolation.PREFIX);
      command.addAll(List.of("sleep", arguments[0]));
      Worker worker = new Worker(command, Map.of(), Path.of(arguments[1]));
      Thread.sleep(Duration.ofMinutes(2));
      worker.close();
    }
  }

  private static long sleeping(String seconds) {
    return ProcessHandle.allProcesses()
        .filter(process ->
            process.info().arguments().filter(a -> List.of(a).equals(List.of(seconds))).isPresent())
        .filter(process -> process.info().command().orElse("").endsWith("sleep"))
        .count();
  }

  private static void awaitSleeping(String seconds, long count) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (sleeping(seconds) != count) {
      assertThat(System.nanoTime()).as("%d workers", count).isLessThan(end);
      Thread.sleep(20);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"KILL", "TERM", "INT"})
  void workersEndWithTheirRunner(String signal, @TempDir Path folder) throws Exception {
    String seconds = "100" + ProcessHandle.current().pid() + signal.length();
    Process runner =
        new ProcessBuilder(
                "env", // a shell's background job ignores INT, and so would its children
                "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Runner.class.getName(),
                seconds,
                folder.resolve("stray.txt").toString())
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve("runner.txt").toFile())
            .start();
    try {
      awaitSleeping(seconds, 1);
      new ProcessBuilder("kill", "-" + signal, Long.toString(runner.pid())).start().waitFor();
      assertThat(runner.waitFor(60, TimeUnit.SECONDS)).isTrue();
      awaitSleeping(seconds, 0);
    } finally {
      runner.destroyForcibly().waitFor();
    }
  }
}
