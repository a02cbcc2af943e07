package dev.sund.cli;

import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.Manifests;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.lab.scene.SceneReader;
import java.io.PrintWriter;
import java.util.List;

/** Reads the manifests that a command was given, and says what is wrong with them. */
final class ManifestArguments {
  private ManifestArguments() {}

  /**
   * Reads files, folders and standard input ({@code -}).
   *
   * @param err where findings are printed
   * @throws CommandFailure when a file or an object in it cannot be used
   */
  static Manifests read(List<String> files, PrintWriter err) {
    Manifests manifests = ManifestFiles.read(files, System.in);
    List<Finding> errors = SceneReader.beyondRepair(manifests);
    for (Finding finding : manifests.findings()) {
      if (errors.contains(finding)) {
        err.println("error: " + finding);
      } else if (!finding.isError()) {
        err.println("note: " + finding.headline());
      }
    }
    err.flush();
    if (!errors.isEmpty()) {
      throw CommandFailure.badInput(
          errors.size() + (errors.size() == 1 ? " object" : " objects") + " cannot be used.",
          "Mend what is named above.");
    }
    return manifests;
  }

  /** The cluster that the files describe. */
  static OfflineCluster cluster(List<String> files, PrintWriter err) {
    return OfflineCluster.of(read(files, err));
  }
}
