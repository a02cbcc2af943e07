package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.cli.audit.WhatIfOutput;
import dev.sund.engine.policy.audit.PolicyScene;
import dev.sund.engine.policy.audit.SeenConnection;
import dev.sund.engine.policy.audit.WhatIf;
import dev.sund.kube.policy.SceneObjects;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Severity;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund whatif}: what a change of policies, pods or labels would open and close. */
@Command(
    name = "whatif",
    header = "Say which pods and ports a change would open or close, before it is applied.",
    description = {
      "",
      "Compares the cluster as it is with what it would be, for all pods and all ports; needs no"
          + " agent (but for --seen without a file) and changes nothing. Ends with 1 when something opens or closes; with --seen,"
          + " when a connection that was seen would be cut."
    },
    footer = {
      "  sund whatif -f default-deny.yaml --state cluster.yaml",
      "  sund whatif -f old-policy.yaml --delete --kubeconfig ~/.kube/config",
      "  sund whatif -f policies/ --state cluster.yaml --seen connections.yaml -o json",
      "  sund whatif -f policies/ --kubeconfig ~/.kube/config --seen n1.json --seen n2.json",
      "  sudo sund whatif -f default-deny.yaml --kubeconfig /etc/kubernetes/admin.conf --seen"
    })
public final class WhatIfCommand implements Callable<Integer> {
  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      required = true,
      description = "What would be applied: files, folders, or - for standard input.")
  List<String> files = new ArrayList<>();

  @Option(
      names = "--state",
      paramLabel = "FILE",
      description = "The cluster as it is: files or folders.")
  List<String> state = new ArrayList<>();

  @Option(names = "--kubeconfig", paramLabel = "FILE", description = "How to reach the API server.")
  @Nullable Path kubeconfig;

  @Option(names = "--delete", description = "The objects of -f would be deleted.")
  boolean delete;

  @Option(
      names = "--seen",
      arity = "0..1",
      fallbackValue = SeenSource.AGENT_NAME,
      paramLabel = "FILE",
      description =
          "Connections that were seen: say which would be cut. A file, several times for several"
              + " nodes; without FILE what the agent of this node has recorded.")
  List<Path> seen = new ArrayList<>();

  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    SceneObjects before = SceneOption.read(state, kubeconfig, "--state", err);
    SceneObjects change = SceneOption.read(files, null, "-f", err);
    SceneObjects after = delete ? before.without(deleted(before, change)) : before.with(change);
    PolicyScene now = before.scene();
    PolicyScene then = after.scene();
    for (Condition condition : then.conditions()) {
      if (condition.severity() == Severity.ERROR && !now.conditions().contains(condition)) {
        err.println("error in the change: " + condition);
      }
    }
    WhatIf found = WhatIf.of(now, then, SeenConnection.of(SeenSource.read(seen, agent)));
    if (output.json()) {
      out.println(Json.write(WhatIfOutput.json(found)));
    } else {
      then.assumptions().forEach(line -> out.println("assumed: " + line));
      WhatIfOutput.text(found).forEach(out::println);
    }
    out.flush();
    err.flush();
    boolean cut = found.seen().stream().anyMatch(one -> one.fate() == WhatIf.Fate.CUT);
    return (seen.isEmpty() ? found.isNothing() : !cut) ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private static Set<ObjectRef> deleted(SceneObjects before, SceneObjects change) {
    Set<ObjectRef> missing = new TreeSet<>(change.names());
    missing.removeAll(before.names());
    if (!missing.isEmpty()) {
      throw CommandFailure.badInput(
          missing.iterator().next() + " is not there, and cannot be deleted.",
          "Leave it out of -f, or give all of the cluster by --state.");
    }
    return change.names();
  }
}
