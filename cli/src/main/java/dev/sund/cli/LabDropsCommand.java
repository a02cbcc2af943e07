package dev.sund.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sund lab drops}: what policies drop on the lab's nodes. */
@Command(
    name = "drops",
    header = "Show what policies drop on the lab's nodes, as sund drops does on one.",
    footer = {
      "  sudo ./sund lab drops",
      "  sudo ./sund lab drops --follow production/",
    })
final class LabDropsCommand implements Callable<Integer> {
  @Mixin LabTalk lab = new LabTalk();

  @Mixin DropsView view = new DropsView();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    int code = view.print(lab.agents(), out);
    out.flush();
    return code;
  }
}
