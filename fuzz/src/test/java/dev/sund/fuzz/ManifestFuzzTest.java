package dev.sund.fuzz;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.core.JsonParser;
import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.ManifestObject;
import dev.sund.kube.manifest.Manifests;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.Tree;
import dev.sund.model.ObjectRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;

/** Whatever a manifest says: objects and findings, never an exception; and the watch agrees. */
@Tag("fuzz")
class ManifestFuzzTest {
  @FuzzTest(maxDuration = "2m")
  void manifests(byte[] data) {
    Manifests read = ManifestFiles.parse("fuzz.yaml", new String(data, StandardCharsets.UTF_8));
    for (Finding finding : read.findings()) {
      check(!finding.condition().text().isEmpty(), "a finding says what is wrong");
      check(!finding.condition().remedy().isEmpty(), "a finding says what to do");
      check(finding.headline().indexOf('\n') < 0, "a headline is one line");
    }
    for (ManifestObject object : read.objects()) {
      check(object.usable() || read.hasErrors(), "a refused object has an error");
      check(sameFromTheWatch(object), "the same object on a watch gives the same event");
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

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError("not " + what + ": " + List.of(Kinds.values()));
    }
  }
}
