package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.dataplane.FailPoint;
import dev.sund.doctor.Blind;
import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.doctor.report.PackedTree;
import dev.sund.doctor.tune.KernelModules;
import dev.sund.doctor.tune.NotTunedException;
import dev.sund.doctor.tune.TunePlan;
import dev.sund.doctor.tune.TunePlanner;
import dev.sund.doctor.tune.Tuner;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code sund tune}: the kernel's settings that suit this machine. */
@Command(
    name = "tune",
    header = "Set what sund doctor finds wrong with the kernel's settings, and put it back.",
    description = {
      "",
      "Computes settings for this machine's memory, processors and network: what the checks of sund"
          + " doctor find and a setting mends, now and after the next start, and nothing else. Says"
          + " of each key what holds, which file sets it, what should hold and why.",
      "",
      "--apply loads modules, sets the running values, reads each back, and writes"
          + " /etc/sysctl.d/99-sund.conf and /etc/modules-load.d/sund.conf. What was before is kept"
          + " first; when a step fails all is taken back. --revert puts back what was before the"
          + " first --apply; a value that somebody has changed since is left."
    },
    exitCodeList = {
      "0:nothing would change; or it has been applied, or put back",
      "1:--plan: something would change",
      "2:bad input: an argument",
      "3:no root, a step failed and was taken back, or a check could not read what it needs"
    },
    footer = {
      "  sudo sund tune                    the difference; changes nothing",
      "  sudo sund tune --apply",
      "  sudo sund tune --revert",
      "  sund tune --root /host -o json    plan for a node whose file systems are there"
    })
public final class TuneCommand implements Callable<Integer> {
  private static final Path HERE = Path.of("/");

  /** What is asked for. */
  static final class Deed {
    @Option(names = "--plan", description = "Print the difference, and change nothing (default).")
    boolean plan;

    @Option(names = "--apply", description = "Make it so, now and for the next start.")
    boolean apply;

    @Option(names = "--revert", description = "Put back what was before the first --apply.")
    boolean revert;
  }

  @ArgGroup Deed deed = new Deed();

  @Option(
      names = "--root",
      paramLabel = "DIR",
      defaultValue = "/",
      description =
          "Plan for the node whose file systems are there, or whose sund report it is (default:"
              + " /).")
  Path root = HERE;

  @Mixin WindowOption window = new WindowOption();

  @Mixin StateDirOption state = new StateDirOption();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @ParentCommand @Nullable Sund sund;

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    try {
      if (deed.apply || deed.revert) {
        mayChange(deed.apply ? "--apply" : "--revert");
      }
      return deed.revert ? revert(out) : plan(out);
    } catch (NotTunedException e) {
      throw CommandFailure.couldNotRun(String.valueOf(e.getMessage()), e.remedy());
    } catch (UnreadException e) {
      throw CommandFailure.couldNotRun(e.getMessage() + ".", e.remedy());
    } finally {
      out.flush();
    }
  }

  private void mayChange(String option) throws IOException {
    if (!root.toAbsolutePath().normalize().equals(HERE)) {
      throw CommandFailure.badInput(
          option + " sets the kernel that runs here, and --root " + root + " is another tree.",
          "Leave --root out, or plan only.");
    }
    if (!Integer.valueOf(0).equals(Files.getAttribute(Path.of("/proc/self"), "unix:uid"))) {
      throw CommandFailure.couldNotRun(
          "sund tune " + option + " changes the kernel's settings, which only root may.",
          "Run it as root, by sudo.");
    }
  }

  private Tuner tuner() {
    FailPoint failPoint = FailPoint.ofProperty();
    return new Tuner(HERE, state.stateDir, KernelModules.modprobe(), _ -> failPoint.passed("tune"));
  }

  private int plan(PrintWriter out)
      throws IOException, InterruptedException, UnreadException, NotTunedException {
    TunePlan plan;
    try (PackedTree tree = RootArgument.open(root)) {
      Path whole = tree.root().toAbsolutePath().normalize();
      plan =
          TunePlanner.of(
              new Host(
                  whole, window.length(), Thread::sleep, LiveFacts.of(whole), Blind.here(whole)));
    }
    TuneText text = new TuneText(new Colours(sund != null && sund.colors()));
    if (!deed.apply) {
      if (output.json()) {
        out.println(Json.write(TuneText.whole(plan)));
      } else {
        text.print(plan, out);
      }
      if (plan.changes()) {
        return ExitCode.DIFFERS;
      }
      return plan.unread().isEmpty() ? ExitCode.OK : ExitCode.COULD_NOT_RUN;
    }
    List<String> done = tuner().apply(plan);
    if (output.json()) {
      out.println(Json.write(Map.of("done", done, "plan", TuneText.whole(plan))));
    } else {
      done.forEach(out::println);
      text.notes(plan, out);
      out.println(
          done.isEmpty()
              ? "all is as it should be; nothing was changed"
              : "all keys have been read back; sund tune --revert puts back what was before");
    }
    return plan.unread().isEmpty() ? ExitCode.OK : ExitCode.COULD_NOT_RUN;
  }

  private int revert(PrintWriter out) throws IOException, NotTunedException {
    List<String> done = tuner().revert(false);
    if (output.json()) {
      out.println(Json.write(Map.of("done", done)));
    } else {
      done.forEach(out::println);
      if (done.isEmpty()) {
        out.println("nothing of sund tune's is here");
      }
    }
    return ExitCode.OK;
  }
}
