package dev.sund.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code sund drops}: what this node's policies drop. */
@Command(
    name = "drops",
    header = "Show what policies drop on this node: how much, and who asked whom.",
    description = {
      "",
      "Asks the agent of this node. The counters are the kernel's: every packet once, by pod,"
          + " direction and reason, also while no agent ran. The packets below them are those that"
          + " the kernel's log showed since the agent reads it, with pods, Services and all policies"
          + " that isolate the pod; the log shows at most 100 a second, and what it left out is"
          + " said. A packet is dropped on the sender's node (out) or on the receiver's (in)."
    },
    footer = {
      "  sudo sund drops",
      "  sudo sund drops shop/db-0 --since 5m",
      "  sudo sund drops --follow shop/",
      "  sudo sund drops -o json | jq '.counters[] | select(.reason == \"policy-egress\")'"
    })
public final class DropsCommand implements Callable<Integer> {
  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin DropsView view = new DropsView();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException, InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    int code = view.print(List.of(new DropsView.Source("", agent)), out);
    out.flush();
    return code;
  }
}
