package dev.sund.cli;

import dev.sund.kube.api.ApiObjects;
import dev.sund.kube.api.Dialer;
import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.Manifests;
import dev.sund.kube.policy.SceneObjects;
import dev.sund.model.Condition;
import dev.sund.model.Reason;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where the objects of a cluster come from that policies ask about: files, or an API server. */
final class SceneOption {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Set<String> OF_USE = Set.of("File", "Namespace", "Node", "Pod");

  private SceneOption() {}

  /**
   * Reads files, folders and standard input, or asks an API server.
   *
   * @param option by which files are given
   * @param err where it is said what is not read
   * @throws CommandFailure when neither is given, or what is given cannot be used
   */
  static SceneObjects read(
      List<String> files, @Nullable Path kubeconfig, String option, PrintWriter err)
      throws IOException {
    SceneObjects objects = new SceneObjects();
    if (kubeconfig != null) {
      if (!files.isEmpty()) {
        throw CommandFailure.badInput(
            "Both " + option + " and --kubeconfig say where the cluster is.", "Give one of them.");
      }
      ask(kubeconfig, objects);
      return objects;
    }
    if (files.isEmpty()) {
      throw CommandFailure.badInput(
          "There is no cluster to look at.", "Give " + option + " with files, or --kubeconfig.");
    }
    Manifests manifests = ManifestFiles.read(files, System.in, objects);
    int errors = 0;
    for (Finding finding : manifests.findings()) {
      Condition condition = finding.condition();
      if (finding.isError() && OF_USE.contains(condition.object().kind())) {
        err.println("error: " + finding);
        errors++;
      } else if (condition.object().kind().endsWith("NetworkPolicy")
          && (condition.reason() == Reason.IGNORED_KIND
              || condition.reason() == Reason.NOT_SUPPORTED)) {
        err.println(
            "note: "
                + finding.file()
                + ":"
                + finding.line()
                + ": "
                + condition.object()
                + " is of a version or kind that is not looked at.");
      }
    }
    err.flush();
    if (errors > 0) {
      throw CommandFailure.badInput(
          errors + (errors == 1 ? " object" : " objects") + " cannot be used.",
          "Mend what is named above.");
    }
    if (objects.isEmpty()) {
      throw CommandFailure.badInput(
          "The files hold no pods, workloads, namespaces or policies.", "Name other files.");
    }
    return objects;
  }

  private static void ask(Path kubeconfig, SceneObjects objects) throws IOException {
    try (ApiObjects api =
        new ApiObjects(KubeconfigOption.read(kubeconfig), Dialer.HERE, PATIENCE)) {
      objects.takeAll(api);
    }
  }
}
