package dev.sund.cli;

import dev.sund.agent.cni.CniFiles;
import dev.sund.agent.cni.FlannelEnv;
import dev.sund.dataplane.Cleanup;
import dev.sund.doctor.tune.KernelModules;
import dev.sund.doctor.tune.NotTunedException;
import dev.sund.doctor.tune.Tuner;
import dev.sund.kernel.KernelException;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund cleanup}: removes all that is ours from a node and nothing else. */
@Command(
    name = "cleanup",
    header = "Remove all that Sund made on this node, undo its sysctls, and touch nothing else.",
    description = {
      "",
      "Sysctls are put back as they were before the agent, and before sund tune --apply, unless"
          + " somebody has changed them since."
    },
    footer = {
      "  sudo sund cleanup --dry-run       say what would be removed",
      "  sudo sund cleanup --netns /run/netns/n1 --state-dir /var/lib/sund"
    })
public final class CleanupCommand implements Callable<Integer> {
  @Option(names = "--dry-run", description = "Say what would be removed; remove nothing.")
  boolean dryRun;

  @Option(
      names = "--flannel-env",
      paramLabel = "FILE",
      defaultValue = "/run/flannel/subnet.env",
      description = "Removed when Sund wrote it (default: ${DEFAULT-VALUE}).")
  Path flannelEnv = FlannelEnv.USUAL;

  @Mixin NetnsOption place = new NetnsOption();

  @Mixin StateDirOption state = new StateDirOption();

  @Mixin CniDirs cni = new CniDirs();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws KernelException {
    List<String> done = new ArrayList<>();
    List<Condition> problems = new ArrayList<>();
    files(done, problems); // first: from then on the runtime starts no pod here
    Cleanup.Report ofKernel = Cleanup.node(place.namespace(), state.stateDir, dryRun);
    done.addAll(ofKernel.done());
    problems.addAll(ofKernel.failed());
    settings(done, problems);
    Cleanup.Report report = new Cleanup.Report(done, problems);
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.printf(
          "{\"dryRun\":%s,\"done\":%s,\"failed\":%s}%n",
          dryRun, JsonText.strings(report.done()), JsonText.conditions(report.failed()));
    } else {
      report.done().forEach(line -> out.println((dryRun ? "would " : "") + line));
      report.failed().forEach(failed -> out.println("failed: " + failed));
      if (report.done().isEmpty() && report.failed().isEmpty()) {
        out.println("nothing of Sund's is here");
      }
    }
    out.flush();
    return report.failed().isEmpty() ? ExitCode.OK : ExitCode.DIFFERS;
  }

  /** What {@code sund tune} has set. */
  private void settings(List<String> done, List<Condition> problems) {
    try {
      done.addAll(
          new Tuner(Path.of("/"), state.stateDir, KernelModules.modprobe(), _ -> {})
              .revert(dryRun));
    } catch (NotTunedException e) {
      problems.add(unsettled(String.valueOf(e.getMessage()), e.remedy()));
    } catch (IOException e) {
      problems.add(unsettled(e.getMessage() + ".", "Run sund tune --revert."));
    }
  }

  private Condition unsettled(String why, String remedy) {
    return new Condition(
        Reason.STATE_UNREADABLE,
        new ObjectRef("file", state.stateDir + "/tune"),
        "",
        "What sund tune has set cannot be put back: " + why,
        remedy);
  }

  private void files(List<String> done, List<Condition> problems) {
    Path confDir = cni.confOrUsual();
    try {
      done.addAll(CniFiles.remove(confDir, cni.binDir, dryRun));
      done.addAll(FlannelEnv.remove(flannelEnv, dryRun));
    } catch (IOException e) {
      problems.add(
          new Condition(
              Reason.CNI_NOT_INSTALLED,
              new ObjectRef("file", confDir.resolve(Marks.CONFLIST).toString()),
              "",
              "The runtime's files cannot be removed: " + e.getMessage() + ".",
              "Remove it and " + cni.binDir.resolve(Marks.PLUGIN) + " by hand."));
    }
  }
}
