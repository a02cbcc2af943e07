package dev.sund.cli;

import dev.sund.agent.local.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What is asked about dropped packets, of one agent or of several, and how it is printed. */
final class DropsView {
  private static final Duration COUNTERS_PACE = Duration.ofSeconds(5);
  private static final int LAST = 20;

  @Parameters(
      arity = "0..*",
      paramLabel = "POD",
      description =
          "Only packets of these pods, at either end: NAMESPACE/NAME; NAMESPACE/ for all of one.")
  List<String> pods = new ArrayList<>();

  @Option(
      names = {"-f", "--follow"},
      description = "Go on printing packets as they are dropped, until Ctrl-C.")
  boolean follow;

  @Option(
      names = "--since",
      paramLabel = "TIME",
      defaultValue = "",
      description =
          "Only packets that were dropped in the last TIME, such as 30s, 5m or 2h (default: the"
              + " last 20 that the agent has).")
  String since = "";

  @Mixin OutputFormat output = new OutputFormat();

  private final DropsText text = new DropsText(ZoneId.systemDefault());

  /**
   * An agent.
   *
   * @param node its node; empty where there is one agent alone
   * @param talk how to ask it
   */
  record Source(String node, AgentTalk talk) {}

  /** What is known of an agent from one question to the next. */
  private static final class Followed {
    final Source source;
    long last;
    long untold;
    long nextCounters;
    String trouble = "";

    Followed(Source source) {
      this.source = source;
    }
  }

  /** Prints what these agents say; the exit code. */
  int print(List<Source> sources, PrintWriter out) throws IOException, InterruptedException {
    pods.forEach(DropsView::check);
    Instant from = since.isEmpty() ? Instant.MIN : Instant.now().minus(duration(since));
    List<Followed> all = sources.stream().map(Followed::new).toList();
    List<Map<String, Object>> counters = new ArrayList<>();
    List<Map<String, Object>> events = new ArrayList<>();
    Map<String, Object> logs = new LinkedHashMap<>();
    boolean nodes = sources.size() > 1;
    for (Followed one : all) {
      Map<String, Object> said = ask(one, true, 0);
      named(one, Json.children(said, "counters")).stream()
          .filter(this::isAsked)
          .forEach(counters::add);
      named(one, Json.children(said, "events")).stream()
          .filter(this::isAsked)
          .filter(event -> !Instant.parse(Json.text(event, "time")).isBefore(from))
          .forEach(events::add);
      logs.put(one.source.node(), Json.child(said, "log"));
    }
    events.sort(Comparator.comparing(event -> Json.text(event, "time")));
    List<Map<String, Object>> shown =
        since.isEmpty() && !output.json() && events.size() > LAST
            ? events.subList(events.size() - LAST, events.size())
            : events;
    if (follow) {
      shown.forEach(event -> print(event, nodes, out));
      out.flush();
      follow(all, nodes, out);
      return ExitCode.OK;
    }
    if (output.json()) {
      Map<String, Object> report = new LinkedHashMap<>();
      report.put("counters", counters);
      report.put("events", shown);
      report.put("log", nodes ? logs : logs.values().iterator().next());
      out.println(Json.write(report));
    } else {
      text.counters(out, counters, nodes);
      if (!shown.isEmpty()) {
        out.println();
        shown.forEach(event -> out.println(text.event(event, nodes)));
      }
    }
    boolean well = true;
    for (Followed one : all) {
      Map<String, Object> log = Json.child(logs, one.source.node());
      well &= !log.containsKey("trouble");
      if (!output.json()) {
        text.log(log, whose(one)).forEach(line -> out.println("! " + line));
      }
    }
    return well ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private static String whose(Followed one) {
    return one.source.node().isEmpty() ? "" : one.source.node() + ": ";
  }

  private void print(Map<String, Object> event, boolean nodes, PrintWriter out) {
    out.println(output.json() ? Json.write(event) : text.event(event, nodes));
  }

  private void follow(List<Followed> all, boolean nodes, PrintWriter out)
      throws IOException, InterruptedException {
    int wait = (int) (COUNTERS_PACE.toMillis() / (5L * all.size()));
    while (!out.checkError()) { // whoever reads may be gone
      for (Followed one : all) {
        Map<String, Object> said =
            ask(one, System.nanoTime() - one.nextCounters >= 0, Math.max(wait, 50));
        named(one, Json.children(said, "events")).stream()
            .filter(this::isAsked)
            .forEach(event -> print(event, nodes, out));
        tellLosses(one, Json.child(said, "log"), out);
      }
      out.flush();
    }
  }

  /** Says what is new of what the log did not show. */
  private void tellLosses(Followed one, Map<String, Object> log, PrintWriter out) {
    long untold = Json.number(log, "untold");
    String trouble = String.valueOf(log.getOrDefault("trouble", ""));
    if (untold <= one.untold && trouble.equals(one.trouble)) {
      return;
    }
    one.untold = untold;
    one.trouble = trouble;
    if (output.json()) {
      out.println(Json.write(Map.of("node", one.source.node(), "log", log)));
    } else {
      text.log(log, whose(one)).forEach(line -> out.println("! " + line));
    }
  }

  private static Map<String, Object> ask(Followed one, boolean counters, int wait)
      throws IOException {
    Map<String, Object> request = new LinkedHashMap<>();
    request.put("command", "DROPS");
    request.put("after", one.last);
    request.put("wait", wait);
    request.put("counters", counters);
    AgentTalk.Said said = one.source.talk().ask(request);
    if (said.answer().exitCode() != 0) {
      throw CommandFailure.couldNotRun(
          String.valueOf(said.fields().get("msg")), String.valueOf(said.fields().get("details")));
    }
    if (counters) {
      one.nextCounters = System.nanoTime() + COUNTERS_PACE.toNanos();
    }
    one.last = Json.number(said.fields(), "last"); // less than before, of an agent that began anew
    return said.fields();
  }

  private static List<Map<String, Object>> named(Followed one, List<Map<String, Object>> fields) {
    if (one.source.node().isEmpty()) {
      return fields;
    }
    List<Map<String, Object>> named = new ArrayList<>();
    for (Map<String, Object> each : fields) {
      Map<String, Object> with = new LinkedHashMap<>();
      with.put("node", one.source.node());
      with.putAll(each);
      named.add(with);
    }
    return named;
  }

  private boolean isAsked(Map<String, Object> fields) {
    if (pods.isEmpty()) {
      return true;
    }
    for (String pod : pods) {
      if (fields.get("pod") instanceof String name) {
        if (matches(pod, name)) {
          return true;
        }
      } else if (matches(pod, Json.text(Json.child(fields, "pod"), "name"))
          || matches(pod, Json.text(Json.child(fields, "peer"), "name"))) {
        return true;
      }
    }
    return false;
  }

  private static boolean matches(String asked, String name) {
    return asked.endsWith("/") ? name.startsWith(asked) : name.equals(asked);
  }

  private static void check(String pod) {
    if (pod.indexOf('/') <= 0) {
      throw CommandFailure.badInput(
          "'" + pod + "' is no pod.", "Name it as NAMESPACE/NAME, or NAMESPACE/ for all of one.");
    }
  }

  /** {@code 30s}, {@code 5m}, {@code 2h}. */
  static Duration duration(String text) {
    if (text.matches("[0-9]{1,6}[smh]")) {
      long number = Long.parseLong(text.substring(0, text.length() - 1));
      return switch (text.charAt(text.length() - 1)) {
        case 's' -> Duration.ofSeconds(number);
        case 'm' -> Duration.ofMinutes(number);
        default -> Duration.ofHours(number);
      };
    }
    throw CommandFailure.badInput(
        "--since " + text + " is no time.", "Write a number and s, m or h, such as 30s or 5m.");
  }
}
