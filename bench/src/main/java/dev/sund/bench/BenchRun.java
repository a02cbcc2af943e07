package dev.sund.bench;

import dev.sund.cli.CheckoutTool;
import dev.sund.cli.ExitCode;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.ServiceLoader;
import java.util.ServiceLoader.Provider;

/** {@code sund bench}: runs the wanted benchmarks and prints their rows. */
public final class BenchRun implements CheckoutTool {
  @Override
  public String command() {
    return "bench";
  }

  @Override
  public int run(Request request, PrintWriter out) {
    List<Benchmark> wanted =
        ServiceLoader.load(Benchmark.class).stream()
            .map(Provider::get)
            .filter(benchmark ->
                request.names().isEmpty()
                    || request.names().stream().anyMatch(benchmark.name()::contains))
            .sorted(Comparator.comparing(Benchmark::name))
            .toList();
    PrintWriter progress = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    if (wanted.isEmpty()) {
      progress.println("sund: no benchmark has " + request.names() + " in its name; there are:");
      ServiceLoader.load(Benchmark.class)
          .forEach(each -> progress.println("  " + each.name() + "  " + each.what()));
      return ExitCode.BAD_INPUT;
    }
    Bench bench = new Bench(request.thorough(), Path.of(System.getProperty("sund.root")), progress);
    List<Row> rows = new ArrayList<>();
    List<String> failures = new ArrayList<>();
    for (Benchmark benchmark : wanted) {
      progress.println(benchmark.name() + ": " + benchmark.what());
      try {
        rows.addAll(benchmark.run(bench));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return ExitCode.COULD_NOT_RUN;
      } catch (Exception failure) {
        failures.add(benchmark.name() + ": " + failure);
        failure.printStackTrace(progress);
      }
    }
    out.print(request.json() ? BenchOutput.json(rows, failures) : BenchOutput.text(rows));
    out.flush();
    failures.forEach(failure -> progress.println("sund: could not measure " + failure));
    if (!failures.isEmpty()) {
      return ExitCode.COULD_NOT_RUN;
    }
    boolean met = rows.stream().allMatch(row -> row.met().orElse(true));
    return met ? ExitCode.OK : ExitCode.DIFFERS;
  }
}
