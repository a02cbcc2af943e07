package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.agent.state.StateDir;
import dev.sund.model.Marks;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.LinkedHashMap;
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

/** {@code sund status}: the node in ten lines, as its agent sees it. */
@Command(
    name = "status",
    header = "Print this node in a few lines: agent, API server, pods, Services, what is wrong.",
    description = {"", "Without an agent it says what is known all the same, and what to do."},
    exitCodeList = {
      "0:the agent is ready and nothing is open",
      "1:the agent is not ready, or something is open",
      "2:bad input: an argument",
      "3:no agent answers, or it may not be asked"
    },
    footer = {
      "  sudo sund status",
      "  sudo sund status --all                  every condition and pod, too",
      "  sudo sund status -o json --run-dir /run/sund"
    })
public final class StatusCommand implements Callable<Integer> {
  @ParentCommand @Nullable Sund sund;

  @Option(names = "--all", description = "Print every condition and pod, too.")
  boolean all;

  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin StateDirOption state = new StateDirOption();

  @Mixin CniDirs cni = new CniDirs();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    Optional<AgentTalk.Said> said = agent.tryAsk(Map.of("command", "STATUS"));
    Colours colours = new Colours(sund != null && sund.colors());
    if (said.isEmpty()) {
      withoutAgent(out, colours);
      out.flush();
      return ExitCode.COULD_NOT_RUN;
    }
    StatusText text =
        new StatusText(
            said.get().fields(), InstantSource.system().instant(), ZoneId.systemDefault(), colours);
    if (output.json()) {
      out.println(said.get().answer().json());
    } else {
      text.lines().forEach(out::println);
      if (all) {
        text.details().forEach(out::println);
      }
    }
    out.flush();
    return text.well() ? ExitCode.OK : ExitCode.DIFFERS;
  }

  /** What can be known without an agent. */
  private void withoutAgent(PrintWriter out, Colours colours) throws IOException {
    int pods = StateDir.attached(state.stateDir, StateDir.bootIdOfThisKernel());
    Path conflist = cni.confOrUsual().resolve(Marks.CONFLIST);
    boolean written = Files.exists(conflist);
    String remedy =
        "Start it: 'sund agent' (sund agent --help), or look why its pod does not run: kubectl -n"
            + " kube-system get pods -l app.kubernetes.io/name=sund. If it runs, name its --run-dir.";
    if (output.json()) {
      Map<String, Object> file = new LinkedHashMap<>();
      file.put("conflist", conflist.toString());
      file.put("written", written);
      Map<String, Object> status = new LinkedHashMap<>();
      status.put("running", false);
      status.put("ready", false);
      status.put("attached", pods);
      status.put("cni", file);
      status.put("remedy", remedy);
      out.println(Json.write(status));
      return;
    }
    out.println(
        StatusText.line(
            "agent", colours.bad("not running") + ": nothing answers in " + agent.runDir));
    out.println(
        StatusText.line(
            "pods",
            pods == 0
                ? "none that an agent has attached since the machine's start"
                : pods + " keep the network that the last agent gave them"));
    out.println(
        StatusText.line(
            "CNI",
            written
                ? conflist + " is there: pods that start now wait (code 11) for an agent"
                : "there is no " + conflist));
    out.println(StatusText.line("do", remedy));
  }
}
