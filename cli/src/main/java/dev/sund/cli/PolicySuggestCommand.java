package dev.sund.cli;

import dev.sund.engine.policy.audit.PolicyScene;
import dev.sund.engine.policy.audit.SeenConnection;
import dev.sund.engine.policy.audit.Suggestion;
import dev.sund.engine.policy.audit.WhatIf;
import dev.sund.engine.policy.seen.Recorded;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.policy.SceneObjects;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code sund policy suggest}: the least that a namespace's pods need, by what was seen. */
@Command(
    name = "suggest",
    header = "Write the least policies for a namespace, by connections that were seen.",
    description = {
      "",
      "Prints a default deny and a policy for each workload as YAML to be reviewed, with what was not"
          + " seen as comments. What nobody did while connections were looked at would be closed."
          + " Applies nothing. Ends with 1 when something that was seen would be cut all the same."
    },
    footer = {
      "  sund policy suggest shop --seen connections.yaml --state cluster.yaml > shop-policies.yaml",
      "  sund whatif -f shop-policies.yaml --state cluster.yaml --seen connections.yaml"
    })
public final class PolicySuggestCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "NAMESPACE", description = "Whose pods it is about.")
  String namespace = "";

  @Option(
      names = "--seen",
      paramLabel = "FILE",
      required = true,
      description = "Connections that were seen. Several times for several nodes.")
  List<Path> seen = new ArrayList<>();

  @Option(
      names = "--state",
      paramLabel = "FILE",
      description = "The cluster as it is: files or folders.")
  List<String> state = new ArrayList<>();

  @Option(names = "--kubeconfig", paramLabel = "FILE", description = "How to reach the API server.")
  @Nullable Path kubeconfig;

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    SceneObjects objects =
        SceneOption.read(state, kubeconfig, "--state", spec.commandLine().getErr());
    List<Recorded> recorded = SceneOption.seen(seen);
    List<SeenConnection> connections = SeenConnection.of(recorded);
    PolicyScene now = objects.scene();
    Suggestion suggestion;
    try {
      suggestion = Suggestion.of(now, namespace, recorded);
    } catch (IllegalArgumentException e) {
      throw CommandFailure.badInput(e.getMessage() + ".", "Look at kubectl get pods -A.");
    }
    SceneObjects proposed = new SceneObjects();
    ManifestFiles.parse("suggestion", suggestion.yaml(), proposed);
    WhatIf outcome = WhatIf.of(now, objects.with(proposed).scene(), connections);
    long cut = outcome.seen().stream().filter(one -> one.fate() == WhatIf.Fate.CUT).count();
    out.println(
        "# Seen from %s until %s: %,d connections, of which %,d would be cut."
            .formatted(
                said(Recorded.from(recorded)),
                said(Recorded.until(recorded)),
                connections.size(),
                cut));
    suggestion.remarks().forEach(line -> out.println("# " + line));
    outcome.seen().stream()
        .filter(one -> one.fate() == WhatIf.Fate.CUT)
        .forEach(one -> out.println("# cut: " + one.connection() + ": " + one.why()));
    out.print(suggestion.yaml());
    out.flush();
    return cut == 0 ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private static String said(String time) {
    return time.isEmpty() ? "(not said)" : time;
  }
}
