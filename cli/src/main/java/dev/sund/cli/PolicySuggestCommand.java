package dev.sund.cli;

import dev.sund.agent.local.Json;
import dev.sund.cli.audit.WhatIfOutput;
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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
      "Prints a default deny, the way to the cluster's DNS and a policy for each workload as YAML to"
          + " be reviewed, with the time in which somebody looked and what was not seen as comments."
          + " What nobody did while connections were looked at would be closed. Applies nothing."
          + " Ends with 1 when something that was seen would be cut all the same.",
      "",
      "Connections are those that the agent of this node has recorded (sund policy record), or of"
          + " files: one of each node, as sund policy record show -o json prints them."
    },
    footer = {
      "  sudo sund policy record start       # on each node; then let a day's work pass",
      "  sudo sund policy suggest shop --kubeconfig /etc/kubernetes/admin.conf > shop.yaml",
      "  sund policy suggest shop --seen n1.json --seen n2.json > shop.yaml",
      "  sund whatif -f shop.yaml --kubeconfig ~/.kube/config --seen n1.json --seen n2.json",
      "  sund policy suggest shop --seen connections.yaml --state cluster.yaml -o json"
    })
public final class PolicySuggestCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "NAMESPACE", description = "Whose pods it is about.")
  String namespace = "";

  @Option(
      names = "--seen",
      paramLabel = "FILE",
      description =
          "Connections that were seen, several times for several nodes (default: what the agent of"
              + " this node has recorded).")
  List<Path> seen = new ArrayList<>();

  @Option(
      names = "--state",
      paramLabel = "FILE",
      description = "The cluster as it is: files or folders.")
  List<String> state = new ArrayList<>();

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description =
          "How to reach the API server (default: KUBECONFIG, ~/.kube/config, the service account's"
              + " folder).")
  @Nullable Path kubeconfig;

  @Mixin AgentTalk agent = new AgentTalk();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    @Nullable Path asked =
        kubeconfig == null && state.isEmpty() ? SeenSource.kubeconfig().orElse(null) : kubeconfig;
    SceneObjects objects = SceneOption.read(state, asked, "--state", spec.commandLine().getErr());
    List<Recorded> recorded =
        SeenSource.read(seen.isEmpty() ? List.of(SeenSource.AGENT) : seen, agent);
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
    Set<String> nodes = new TreeSet<>();
    now.nodes().forEach(node -> nodes.add(node.name().text()));
    List<String> notSeen = SeenSource.notSeen(recorded, nodes);
    long cut = cut(outcome).size();
    if (output.json()) {
      out.println(Json.write(json(suggestion, recorded, notSeen, outcome)));
    } else {
      text(out, suggestion, recorded, notSeen, outcome);
    }
    out.flush();
    return cut == 0 ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private static List<WhatIf.Seen> cut(WhatIf outcome) {
    return outcome.seen().stream().filter(one -> one.fate() == WhatIf.Fate.CUT).toList();
  }

  private static void text(
      PrintWriter out,
      Suggestion suggestion,
      List<Recorded> recorded,
      List<String> notSeen,
      WhatIf outcome) {
    out.println(
        "# Seen from %s until %s: %,d connections, of which %,d would be cut."
            .formatted(
                said(Recorded.from(recorded)),
                said(Recorded.until(recorded)),
                outcome.seen().size(),
                cut(outcome).size()));
    notSeen.forEach(line -> out.println("# not seen: " + line));
    suggestion.remarks().forEach(line -> out.println("# " + line));
    cut(outcome).forEach(one -> out.println("# cut: " + one.connection() + ": " + one.why()));
    out.print(suggestion.yaml());
  }

  private static Map<String, Object> json(
      Suggestion suggestion, List<Recorded> recorded, List<String> notSeen, WhatIf outcome) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("namespace", suggestion.namespace());
    all.put("from", Recorded.from(recorded));
    all.put("until", Recorded.until(recorded));
    all.put("notSeen", notSeen);
    all.put("remarks", suggestion.remarks());
    all.put("yaml", suggestion.yaml());
    all.put("whatif", WhatIfOutput.json(outcome));
    return all;
  }

  private static String said(String time) {
    return time.isEmpty() ? "(not said)" : time;
  }
}
