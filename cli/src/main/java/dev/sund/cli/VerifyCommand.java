package dev.sund.cli;

import dev.sund.agent.verify.NodeVerification;
import dev.sund.engine.FabricSettings;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kernel.NetNs;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sund verify}: does the kernel hold what the cluster's objects want. */
@Command(
    name = "verify",
    header = "Compare what the kernel holds with what the cluster's objects want.",
    description = {
      "",
      "Reads the API server or files, and the kernel; asks no agent. Names every entry that is"
          + " missing, changed, stray or foreign. Changes nothing."
    },
    footer = {
      "  sudo sund verify --kubeconfig /etc/kubernetes/sund.conf --node n1",
      "  sudo sund verify -f cluster.yaml --node n1 --netns /run/netns/n1 -o json"
    })
public final class VerifyCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description = "Manifests: files, folders, or - for standard input.")
  List<String> files = new ArrayList<>();

  @Option(names = "--kubeconfig", paramLabel = "FILE", description = "How to reach the API server.")
  @Nullable Path kubeconfig;

  @Option(
      names = "--node",
      paramLabel = "NAME",
      required = true,
      description = "The node's name in the cluster.")
  String node = "";

  @Mixin NetnsOption place = new NetnsOption();

  @Mixin FabricOption fabric = new FabricOption();

  @Mixin OutputFormat output = new OutputFormat();

  @Spec CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws Exception {
    NetNs namespace = place.namespace();
    FabricSettings settings = fabric.settings(spec.commandLine().getErr());
    NodeVerification found =
        NodeVerification.of(new NodeName(node), namespace, events(namespace), settings);
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.println(json(found));
    } else {
      found.conditions().forEach(condition -> out.println("cluster: " + condition));
      found.report().unread().forEach(what -> out.println("not compared: " + what));
      found.report().drift().forEach(drift -> out.println("differs: " + drift));
      out.printf(
          "node %s: %d entries, %d differ%n",
          node, found.report().rows(), found.report().drift().size());
    }
    out.flush();
    return found.report().isRight() ? ExitCode.OK : ExitCode.DIFFERS;
  }

  private List<ClusterEvent> events(NetNs namespace) throws IOException, InterruptedException {
    if (kubeconfig == null) {
      if (files.isEmpty()) {
        throw CommandFailure.badInput(
            "There is nothing to compare with.", "Give --kubeconfig or -f.");
      }
      return ManifestArguments.read(files, spec.commandLine().getErr()).events();
    }
    return NodeVerification.list(KubeconfigOption.read(kubeconfig), namespace, PATIENCE);
  }

  static String json(NodeVerification found) {
    return "{\"node\":%s,\"entries\":%d,\"right\":%s,\"drift\":%s,\"unread\":%s,\"cluster\":%s}"
        .formatted(
            JsonText.quote(found.report().node().text()),
            found.report().rows(),
            found.report().isRight(),
            JsonText.conditions(found.report().drift()),
            JsonText.strings(found.report().unread()),
            JsonText.conditions(found.conditions()));
  }
}
