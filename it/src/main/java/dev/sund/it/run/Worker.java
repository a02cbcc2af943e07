package dev.sund.it.run;

import dev.sund.it.run.Result.Status;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** The runner's side of a {@link WorkerMain} process. One thread uses it at a time. */
final class Worker implements AutoCloseable {
  private static final List<String> ENDED = List.of("ended");

  private boolean ready;
  private final Process process;
  private final BufferedWriter orders;
  private final BlockingQueue<List<String>> answers = new LinkedBlockingQueue<>();

  /**
   * Starts a worker.
   *
   * @param command the program and its arguments
   * @param environment added to this process's
   * @param stray what the process prints beside its answers
   */
  Worker(List<String> command, Map<String, String> environment, Path stray) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(stray.toFile());
    builder.environment().putAll(environment);
    process = builder.start();
    orders = process.outputWriter();
    Thread reader = new Thread(this::read, "sund-test-worker");
    reader.setDaemon(true);
    reader.start();
  }

  private void read() {
    try (BufferedReader lines = process.inputReader()) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        Line.decode(line).ifPresent(answers::add);
      }
    } catch (IOException | UncheckedIOException died) {
      // Told below.
    }
    answers.add(ENDED);
  }

  /** The classes with tests of these tags, and how many each has. */
  Map<String, Integer> discover(String tags) throws IOException, InterruptedException {
    awaitReady();
    order("discover", tags);
    Map<String, Integer> classes = new TreeMap<>();
    while (true) {
      List<String> answer = Optional.ofNullable(answers.poll(600, TimeUnit.SECONDS)).orElse(ENDED);
      switch (answer.getFirst()) {
        case "class" -> classes.put(answer.get(1), Integer.parseInt(answer.get(2)));
        case "done" -> {
          return classes;
        }
        default -> throw new IOException("the worker died while it looked for tests");
      }
    }
  }

  /**
   * What became of a class.
   *
   * @param results its tests
   * @param usable whether the worker can go on: it lives and nothing was left behind
   * @param died whether the worker ended by itself
   */
  record Outcome(List<Result> results, boolean usable, boolean died) {}

  /**
   * Runs one class.
   *
   * @param silence how long the worker may say nothing before it counts as hung
   */
  Outcome run(String tags, String className, Path report, Duration silence)
      throws IOException, InterruptedException {
    String name = className.substring(className.lastIndexOf('.') + 1);
    List<Result> results = new ArrayList<>();
    boolean clean = true;
    awaitReady();
    order("run", tags, className, report.toString());
    while (true) {
      List<String> answer = answers.poll(silence.toMillis(), TimeUnit.MILLISECONDS);
      if (answer == null) {
        String threads = threads();
        process.destroyForcibly();
        results.add(
            failed(name, "nothing heard for " + silence.toSeconds() + " s; killed\n" + threads));
        return new Outcome(results, false, false);
      }
      switch (answer.getFirst()) {
        case "test" ->
            results.add(
                new Result(
                    Status.valueOf(answer.get(1)),
                    answer.get(2),
                    Long.parseLong(answer.get(3)),
                    answer.get(4)));
        case "left" -> {
          clean = false;
          results.add(failed(name + " leaves nothing behind", "left behind: " + answer.get(1)));
        }
        case "done" -> {
          return new Outcome(results, clean, false);
        }
        default -> {
          results.add(
              failed(name, "the worker died: exit code " + process.waitFor() + " (see stray.txt)"));
          return new Outcome(results, false, true);
        }
      }
    }
  }

  private static Result failed(String test, String detail) {
    return new Result(Status.FAILED, test, 0, detail);
  }

  private String threads() {
    try {
      Process jstack =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jstack").toString(),
                  Long.toString(
                      process
                          .descendants()
                          .reduce((_, last) -> last)
                          .orElse(process.toHandle())
                          .pid()))
              .redirectErrorStream(true)
              .start();
      try (BufferedReader output = jstack.inputReader()) {
        return String.join("\n", output.lines().limit(400).toList());
      }
    } catch (IOException e) {
      return "no thread dump: " + e.getMessage();
    }
  }

  /** Waits until the process listens: what is sent to a guest's line before is lost. */
  private void awaitReady() throws IOException, InterruptedException {
    if (!ready) {
      List<String> answer = Optional.ofNullable(answers.poll(600, TimeUnit.SECONDS)).orElse(ENDED);
      if (!answer.getFirst().equals("ready")) {
        throw new IOException("the worker did not start: its output lies beside the reports");
      }
      ready = true;
    }
  }

  private void order(String... words) throws IOException {
    orders.write(Line.encode(words));
    orders.newLine();
    orders.flush();
  }

  /** Ends the worker, and with it all that its tests may have left. */
  @Override
  public void close() {
    try {
      order("end"); // a guest does not see its line being closed
      orders.close();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        process.waitFor(5, TimeUnit.SECONDS);
      }
    } catch (IOException broken) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
