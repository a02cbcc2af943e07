package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.losses.LossCounters;
import dev.sund.doctor.losses.LossRow;
import dev.sund.doctor.losses.LossWeight;
import dev.sund.doctor.pods.PodNetwork;
import dev.sund.kernel.NetNs;
import java.io.Console;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sund netstat}: where packets are being lost. */
@Command(
    name = "netstat",
    header = "Show where packets are lost now: the kernel's drop counters with rates, worst first.",
    description = {
      "",
      "Of devices, queues, IP, TCP, UDP, connection tracking, neighbours and Sund's policies. Reads"
          + " the kernel's files only; works on any Linux node and needs no agent. sund doctor says"
          + " what to do about them.",
      "",
      "Without --watch it looks over one window and ends with 1 when something was lost in it."
    },
    footer = {
      "  sudo sund netstat",
      "  sudo sund netstat --watch",
      "  sudo sund netstat --pod shop/web-0 --interval 10s",
      "  sudo sund netstat -o json | jq '.counters[] | select(.grew > 0)'"
    })
public final class NetstatCommand implements Callable<Integer> {
  private static final int MOST_SECONDS = 3_600;

  @Option(
      names = {"-f", "--watch"},
      description = "Go on until Ctrl-C: on a terminal as one page that changes.")
  boolean watch;

  @Option(
      names = "--interval",
      paramLabel = "TIME",
      defaultValue = "2s",
      description = "How long a look takes (default: ${DEFAULT-VALUE}).")
  String interval = "2s";

  @Option(names = "--looks", paramLabel = "N", description = "With --watch: end after so many.")
  @Nullable Integer looks;

  @Option(names = "--pod", paramLabel = "POD", description = PodNetworks.DESCRIPTION)
  @Nullable String pod;

  @Option(
      names = "--top",
      paramLabel = "N",
      defaultValue = "25",
      description = "At most so many counters (default: ${DEFAULT-VALUE}).")
  int top = 25;

  @Option(names = "--all", description = "Also counters that are 0.")
  boolean all;

  @Mixin PodNetworks pods = new PodNetworks();

  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @ParentCommand @Nullable Sund sund;

  @Override
  public Integer call() throws IOException, InterruptedException {
    Duration wait = CaptureCommand.duration("--interval", interval);
    if (wait.isZero() || wait.toSeconds() > MOST_SECONDS || top < 1) {
      throw CommandFailure.badInput(
          "--interval is from 1s to 1h, and --top from 1.", "Give another number.");
    }
    PodNetwork network = pod == null ? null : pods.find(pod);
    LossCounters before = read(network);
    long begin = System.nanoTime();
    PrintWriter out = spec.commandLine().getOut();
    NetstatText text = new NetstatText(new Colours(sund != null && sund.colors()));
    int left = !watch ? 1 : looks == null ? Integer.MAX_VALUE : looks;
    boolean lost = false;
    while (left-- > 0) {
      Thread.sleep(wait);
      LossCounters now = read(network);
      long end = System.nanoTime();
      double seconds = Math.max(1e-3, (end - begin) / 1e9);
      List<LossRow> rows = now.since(before, seconds);
      lost = rows.stream().anyMatch(row -> row.weight() == LossWeight.LOSS && row.grew() > 0);
      print(text, rows, seconds, out);
      if (out.checkError()) {
        break; // whoever reads is gone
      }
      before = now;
      begin = end;
    }
    return lost && !watch ? ExitCode.DIFFERS : ExitCode.OK;
  }

  private void print(NetstatText text, List<LossRow> rows, double seconds, PrintWriter out) {
    String whose = pod == null ? "this node" : "pod " + pod;
    if (output.json()) {
      out.println(Json.write(NetstatText.fields(rows, seconds, whose)));
    } else if (watch) {
      page(text.lines(rows, top, all, seconds, time() + "  " + whose), out);
    } else {
      text.lines(rows, top, all, seconds, whose).forEach(out::println);
    }
    out.flush();
  }

  /** On a terminal over the page before; else below it, without signs that only terminals know. */
  private static void page(List<String> lines, PrintWriter out) {
    boolean terminal = System.console() instanceof Console console && console.isTerminal();
    StringBuilder page = new StringBuilder(terminal ? "\u001b[H" : "");
    lines.forEach(line -> page.append(line).append(terminal ? "\u001b[K\n" : "\n"));
    out.print(page.append(terminal ? "\u001b[J" : "\n"));
  }

  private static String time() {
    return LocalTime.now(java.time.ZoneId.systemDefault())
        .truncatedTo(ChronoUnit.SECONDS)
        .toString();
  }

  private LossCounters read(@Nullable PodNetwork network) throws IOException {
    try {
      if (network == null) {
        return LossCounters.read(NetstatCommand::ofNode, true).with(policies());
      }
      // The thread's own /proc/net is that of the namespace that it is in.
      return NetNs.call(
          network.namespace(),
          () ->
              LossCounters.read(
                  path ->
                      text(Path.of("/proc/thread-self/net", path.substring("proc/net".length()))),
                  false));
    } catch (UnreadException e) {
      throw CommandFailure.couldNotRun(e.getMessage() + ".", e.remedy());
    }
  }

  private static Optional<String> ofNode(String path) throws UnreadException {
    return text(Path.of("/" + path));
  }

  private static Optional<String> text(Path file) throws UnreadException {
    try {
      return Optional.of(new String(Files.readAllBytes(file), StandardCharsets.UTF_8).strip());
    } catch (NoSuchFileException _) {
      return Optional.empty();
    } catch (IOException e) {
      throw new UnreadException(file + ": " + e.getMessage(), "Run it as root, by sudo.");
    }
  }

  /** What policies dropped, where an agent of Sund says so. */
  private Map<String, Long> policies() {
    Map<String, Long> dropped = new LinkedHashMap<>();
    try {
      Map<String, Object> request = new LinkedHashMap<>();
      request.put("command", "DROPS");
      request.put("after", Long.MAX_VALUE);
      request.put("wait", 0);
      request.put("counters", true);
      Optional<AgentTalk.Said> said = agent.tryAsk(request);
      if (said.isPresent() && said.get().answer().exitCode() == 0) {
        for (Map<String, Object> one : Json.children(said.get().fields(), "counters")) {
          String name =
              "policy " + one.get("pod") + " " + one.get("direction") + " " + one.get("reason");
          dropped.merge(name, Json.number(one, "packets"), Long::sum);
        }
      }
    } catch (IOException | CommandFailure _) {
      // no agent, or one that is another's: the kernel's counters are shown without
    }
    return dropped;
  }
}
