package dev.sund.cli;

import dev.sund.doctor.Catalogue;
import dev.sund.doctor.Check;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.cluster.ClusterDns;
import dev.sund.doctor.cluster.ClusterFacts;
import dev.sund.doctor.inside.PodInside;
import dev.sund.doctor.inside.PodNames;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.doctor.pods.NoSuchPodException;
import dev.sund.doctor.pods.PodNetwork;
import dev.sund.doctor.pods.PodSearch;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What {@code sund doctor} looks at beside the node: a cluster's objects, or one pod instead. */
final class DoctorTargets {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "POD",
      description = {
        "Look from inside a pod, and not at the node: " + PodNetworks.DESCRIPTION,
        "Ends with a sentence of what it comes to."
      })
  @Nullable String pod;

  @Option(
      names = "--ask",
      paramLabel = "NAME",
      description =
          "With POD: a name to ask its DNS for, as a program would (default: the API server's);"
              + " several times.")
  List<String> asked = new ArrayList<>();

  @Option(
      names = "--kubeconfig",
      paramLabel = "FILE",
      description = "Look at the cluster too, as its API server shows it.")
  @Nullable Path kubeconfig;

  @Option(
      names = {"-f", "--filename"},
      paramLabel = "FILE",
      description =
          "Look at the cluster too, as these manifests show it: files, folders, or - for standard"
              + " input.")
  List<String> files = new ArrayList<>();

  @Mixin StateDirOption state = new StateDirOption();

  @Mixin AgentTalk agent = new AgentTalk();

  /** Whether one pod is looked at. */
  boolean ofPod() {
    return pod != null;
  }

  /**
   * What is looked at when nobody names checks.
   *
   * @param root of the node, or of a recorded tree, which may have a cluster's objects
   */
  List<Check<?>> checks(Path root) {
    if (ofPod()) {
      List<Check<?>> checks = new ArrayList<>(Catalogue.pod());
      if (hasCluster()) {
        Catalogue.named("service-endpoints").ifPresent(checks::add);
      }
      return checks;
    }
    List<Check<?>> checks = new ArrayList<>(Catalogue.node());
    if (hasCluster() || Files.exists(root.resolve(Host.FACTS).resolve(Facts.CLUSTER))) {
      checks.addAll(Catalogue.cluster());
    }
    return checks;
  }

  private boolean hasCluster() {
    return kubeconfig != null || !files.isEmpty();
  }

  /**
   * A node's facts with those of the cluster and the pod.
   *
   * @param node the node's own
   * @param root of its file systems
   * @throws CommandFailure when there is no such pod, or the options contradict each other
   */
  Facts facts(Facts node, Path root) {
    refuseContradictions();
    Facts all = node;
    if (hasCluster()) {
      Facts cluster =
          kubeconfig != null
              ? ClusterFacts.ofServer(kubeconfig, System.getenv(), PATIENCE)
              : ClusterFacts.ofFiles(files, System.in);
      all =
          all.with(Facts.CLUSTER, cluster)
              .with(Facts.CLUSTER_DNS, new ClusterDns(cluster, LiveFacts.networkOf(root)));
    }
    if (pod != null) {
      PodNetwork network = find(pod, root);
      PodNames names = new PodNames(root, network, asked);
      all =
          all.with(Facts.POD, new PodInside(root, network))
              .with(Facts.POD_DNS, names)
              .with(Facts.POD_POLICY, new PodPolicyFacts(agent, network, names));
    }
    return all;
  }

  private PodNetwork find(String name, Path root) {
    try {
      return new PodSearch(root, state.stateDir).find(name);
    } catch (NoSuchPodException e) {
      throw CommandFailure.badInput(String.valueOf(e.getMessage()), e.remedy());
    }
  }

  private void refuseContradictions() {
    if (kubeconfig != null && !files.isEmpty()) {
      throw CommandFailure.badInput(
          "Both -f and --kubeconfig say where the cluster is.", "Give one of them.");
    }
    if (pod == null && !asked.isEmpty()) {
      throw CommandFailure.badInput(
          "--ask " + asked.getFirst() + " asks the DNS of a pod, and there is none.",
          "Name it: sund doctor NAMESPACE/POD --ask " + asked.getFirst() + ".");
    }
    for (String name : asked) {
      if (!name.matches("[^.\\s]{1,63}(\\.[^.\\s]{1,63})*\\.?") || name.length() > 253) {
        throw CommandFailure.badInput(
            "--ask '" + name + "' is no name that DNS knows.",
            "Write it as a program would: db, db.shop or www.example.org.");
      }
    }
  }
}
