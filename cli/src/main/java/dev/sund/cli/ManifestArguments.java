package dev.sund.cli;

import dev.sund.engine.FabricSettings;
import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.Manifests;
import dev.sund.lab.scene.SceneReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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
      if (errors.contains(finding) || SceneReader.isOfPolicy(finding)) {
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

  /**
   * What a file sets for the fabric as a whole.
   *
   * @param file with one {@code sund.dev/v1alpha1 Fabric}; nothing is set when there is none
   * @throws CommandFailure when the file cannot be used or holds no Fabric
   */
  static FabricSettings fabric(Optional<Path> file, PrintWriter err) {
    if (file.isEmpty()) {
      return FabricSettings.DEFAULT;
    }
    String name = file.get().toString();
    return read(List.of(name), err)
        .fabric()
        .orElseThrow(() ->
            CommandFailure.badInput(
                name + " holds no Fabric.",
                "Write apiVersion: sund.dev/v1alpha1, kind: Fabric, and what is to be set."));
  }
}
