package dev.sund.fuzz;

import com.fasterxml.jackson.core.JsonParser;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.ManifestObject;
import dev.sund.kube.manifest.Manifests;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** Whatever a manifest says: objects and findings, never an exception; and the watch agrees. */
public final class ManifestTarget {
  private ManifestTarget() {}

  /** Reads a file of these bytes. */
  public static void fuzzerTestOneInput(byte[] data) {
    Manifests read = ManifestFiles.parse("fuzz.yaml", new String(data, StandardCharsets.UTF_8));
    for (Finding finding : read.findings()) {
      Claim.check(!finding.condition().text().isEmpty(), "a finding says what is wrong");
      Claim.check(!finding.condition().remedy().isEmpty(), "a finding says what to do");
      Claim.check(finding.headline().indexOf('\n') < 0, "a headline is one line");
    }
    for (ManifestObject object : read.objects()) {
      Claim.check(object.usable() || read.hasErrors(), "a refused object has an error");
      Claim.check(sameFromTheWatch(object), "the same object on a watch gives the same event");
    }
  }

  /** An object as an API server would tell it, read with the shape of its kind. */
  private static boolean sameFromTheWatch(ManifestObject object) {
    String json = JsonText.of(object.tree());
    try (JsonParser parser = JsonTrees.factory().createParser(json)) {
      parser.nextToken();
      Tree.Mapping tree = (Tree.Mapping) JsonTrees.value(parser, object.kind().shape());
      ObjectRef ref = object.kind().ref(tree).orElseThrow();
      Optional<ClusterEvent> event = object.kind().parse(ref, tree).value();
      return !object.usable() || event.equals(object.event());
    } catch (IOException e) {
      throw new AssertionError(json, e);
    }
  }
}
