package dev.sund.it.run;

import dev.sund.it.run.Result.Status;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.platform.engine.DiscoverySelector;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestSource;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * The process that runs tests, one class at a time, as told on its standard input:
 *
 * <pre>
 *                          -> ready
 *   discover TAGS          -> class NAME COUNT ..., done
 *   run TAGS CLASS REPORT  -> test STATUS NAME MILLIS DETAIL ..., left TEXT ..., done
 *   end
 * </pre>
 *
 * <p>Arguments: the folders of test classes joined by {@code :}, then the wanted parts of names.
 * What a test prints goes to the class's report.
 */
final class WorkerMain {
  private final List<Path> roots;
  private final List<String> names;
  private final PrintStream answers =
      new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
  private final Launcher launcher = LauncherFactory.create();
  private final Leftovers leftovers = new Leftovers();

  private WorkerMain(List<Path> roots, List<String> names) {
    this.roots = roots;
    this.names = names;
  }

  /** Serves until told to end, or until the end of standard input. */
  public static void main(String[] arguments) throws IOException {
    List<Path> roots = Stream.of(arguments[0].split(":", -1)).map(Path::of).toList();
    List<String> names = List.of(arguments).subList(1, arguments.length);
    new WorkerMain(roots, names).serve();
    System.exit(0); // a thread that a test left must not keep the worker
  }

  private void serve() throws IOException {
    BufferedReader orders =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    answers.println(Line.encode("ready"));
    for (String line = orders.readLine(); line != null; line = orders.readLine()) {
      List<String> words = Line.decode(line).orElseThrow();
      switch (words.getFirst()) {
        case "discover" -> discover(words.get(1));
        case "end" -> {
          return;
        }
        case "run" -> run(words.get(1), words.get(2), Path.of(words.get(3)));
        default -> throw new IllegalArgumentException("unknown order " + words);
      }
      answers.println(Line.encode("done"));
    }
  }

  private void discover(String tags) {
    TestPlan plan =
        launcher.discover(
            request(tags, DiscoverySelectors.selectClasspathRoots(Set.copyOf(roots))));
    Map<String, Integer> counts = new TreeMap<>();
    for (TestIdentifier root : plan.getRoots()) {
      for (TestIdentifier test : plan.getDescendants(root)) {
        switch (test.getSource().orElse(null)) {
          case MethodSource method ->
              counts.merge(outermost(method.getClassName()), 1, Integer::sum);
          // Of a class with parameters nobody knows how many tests it has before it runs.
          case ClassSource type when plan.getChildren(test).isEmpty() ->
              counts.merge(outermost(type.getClassName()), 1, Integer::sum);
          case null, default -> {}
        }
      }
    }
    counts.forEach((name, count) -> answers.println(Line.encode("class", name, "" + count)));
  }

  private static String outermost(String className) {
    int nested = className.indexOf('$');
    return nested < 0 ? className : className.substring(0, nested);
  }

  private void run(String tags, String className, Path report) throws IOException {
    Files.createDirectories(report.toAbsolutePath().getParent());
    leftovers.remember();
    try (PrintStream output =
        new PrintStream(Files.newOutputStream(report), true, StandardCharsets.UTF_8)) {
      System.setOut(output);
      System.setErr(output);
      launcher.execute(
          request(tags, List.of(DiscoverySelectors.selectClass(className))), new Reporter(output));
    }
    leftovers.found().forEach(text -> answers.println(Line.encode("left", text)));
  }

  private LauncherDiscoveryRequest request(
      String tags, List<? extends DiscoverySelector> selectors) {
    LauncherDiscoveryRequestBuilder builder =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(selectors)
            .filters(TagFilter.includeTags(tags))
            .configurationParameter(
                "junit.jupiter.execution.timeout.testable.method.default", "300 s");
    if (!names.isEmpty()) {
      PostDiscoveryFilter wanted =
          test -> FilterResult.includedIf(test.getSource().map(this::isWanted).orElse(false));
      builder.filters(wanted);
    }
    return builder.build();
  }

  /** A class is asked about only if its tests are not known before it runs: all of it or none. */
  private boolean isWanted(TestSource source) {
    return switch (source) {
      case MethodSource method -> isNamed(method.getClassName() + "#" + method.getMethodName());
      case ClassSource type -> isNamed(type.getClassName());
      default -> false;
    };
  }

  private boolean isNamed(String full) {
    String lower = full.toLowerCase(Locale.ROOT);
    return names.stream().anyMatch(name -> lower.contains(name.toLowerCase(Locale.ROOT)));
  }

  /** Tells the runner how each test ended. */
  private final class Reporter implements TestExecutionListener {
    private final PrintStream report;
    private final Map<String, Long> begun = new ConcurrentHashMap<>();
    private TestPlan plan;

    Reporter(PrintStream report) {
      this.report = report;
      this.plan = launcher.discover(LauncherDiscoveryRequestBuilder.request().build());
    }

    @Override
    public void testPlanExecutionStarted(TestPlan testPlan) {
      plan = testPlan;
    }

    @Override
    public void executionStarted(TestIdentifier test) {
      begun.put(test.getUniqueId(), System.nanoTime());
      if (test.isTest()) {
        report.println("--- " + name(test));
      }
    }

    @Override
    public void executionSkipped(TestIdentifier test, String reason) {
      List<TestIdentifier> skipped =
          test.isTest()
              ? List.of(test)
              : plan.getDescendants(test).stream().filter(TestIdentifier::isTest).toList();
      for (TestIdentifier each : skipped.isEmpty() ? List.of(test) : skipped) {
        tell(Status.SKIPPED, each, 0, reason);
      }
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
      long millis =
          (System.nanoTime() - begun.getOrDefault(test.getUniqueId(), System.nanoTime()))
              / 1_000_000;
      String detail = result.getThrowable().map(WorkerMain::stack).orElse("");
      switch (result.getStatus()) {
        case SUCCESSFUL -> {
          if (test.isTest()) {
            tell(Status.PASSED, test, millis, "");
          }
        }
        case ABORTED ->
            tell(
                Status.SKIPPED,
                test,
                millis,
                result.getThrowable().map(WorkerMain::message).orElse("aborted"));
        case FAILED -> tell(Status.FAILED, test, millis, detail);
      }
    }

    private void tell(Status status, TestIdentifier test, long millis, String detail) {
      if (status != Status.PASSED) {
        report.println(status + " " + name(test) + "\n" + detail);
      }
      answers.println(Line.encode("test", status.name(), name(test), "" + millis, detail));
    }

    private String name(TestIdentifier test) {
      List<String> parts = new ArrayList<>();
      TestSource source = test.getSource().orElse(null);
      if (source instanceof MethodSource method) {
        parts.add(simple(method.getClassName()) + "." + method.getMethodName());
        if (!test.getDisplayName().startsWith(method.getMethodName())) {
          parts.add(test.getDisplayName());
        }
      } else if (source instanceof ClassSource type) {
        parts.add(simple(type.getClassName()));
      } else {
        parts.add(test.getDisplayName());
      }
      return parts.stream()
          .map(part -> part.replaceAll("\\s+", " "))
          .collect(Collectors.joining(" "));
    }

    private static String simple(String className) {
      return className.substring(className.lastIndexOf('.') + 1).replace('$', '.');
    }
  }

  private static String message(Throwable aborted) {
    return String.valueOf(aborted.getMessage()).replaceFirst("^Assumption failed: ", "");
  }

  private static String stack(Throwable failure) {
    java.io.StringWriter text = new java.io.StringWriter();
    failure.printStackTrace(new java.io.PrintWriter(text));
    return text.toString();
  }
}
