package dev.sund.lab;

import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.ManifestObject;
import dev.sund.kube.manifest.Manifests;
import dev.sund.kube.object.Kinds;
import dev.sund.kube.tree.Tree;
import dev.sund.lab.api.LabApi;
import dev.sund.lab.api.Resource;
import dev.sund.lab.scene.SceneReader;
import dev.sund.model.NodeName;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * {@code sund lab apply} and {@code delete}: what manifests say becomes what the API server has.
 * Nothing is done unless all of it can be done.
 */
final class LabManifests {
  private final LabCluster cluster;
  private final LabApi api;

  LabManifests(LabCluster cluster) {
    this.cluster = cluster;
    this.api = cluster.api();
  }

  /** Creates or changes every object; whether the files could be used. */
  boolean apply(List<String> files, PrintStream out) throws IOException {
    Manifests manifests = read(files);
    if (isUseless(manifests, out)) {
      return false;
    }
    for (ManifestObject object : manifests.objects()) {
      if (object.kind() == Kinds.NODE) {
        standing(object);
      } else {
        resource(object);
      }
    }
    for (ManifestObject object : manifests.objects()) {
      Resource resource = resource(object);
      Optional<Tree.Mapping> before = api.get(resource, object.ref().name());
      Tree.Mapping after =
          before.isPresent()
              ? changed(object, before.get())
              : object.kind() == Kinds.POD ? object.tree().without("status") : object.tree();
      long version = api.resourceVersion();
      api.put(after);
      String how =
          before.isEmpty()
              ? "created"
              : version == api.resourceVersion() ? "unchanged" : "configured";
      out.println(object.ref() + " " + how);
    }
    return true;
  }

  /** Deletes every object; whether the files could be used. */
  boolean delete(List<String> files, PrintStream out) throws IOException {
    Manifests manifests = read(files);
    if (isUseless(manifests, out)) {
      return false;
    }
    for (ManifestObject object : manifests.objects()) {
      if (object.kind() == Kinds.NODE) {
        throw new IllegalArgumentException(
            object.ref()
                + ": the nodes of a lab stand as long as it does; switch one off by sund lab fault"
                + " kill-node NODE");
      }
    }
    for (ManifestObject object : manifests.objects().reversed()) {
      String name = object.ref().name();
      boolean was = api.delete(resource(object), name);
      if (object.kind() == Kinds.NAMESPACE) {
        deletePodsOf(name);
      }
      out.println(object.ref() + (was ? " deleted" : " not found"));
    }
    return true;
  }

  private void deletePodsOf(String namespace) {
    for (Tree.Mapping pod : api.list(Resource.PODS)) {
      Kinds.POD
          .ref(pod)
          .filter(ref -> ref.name().startsWith(namespace + "/"))
          .ifPresent(ref -> api.delete(Resource.PODS, ref.name()));
    }
  }

  private static Manifests read(List<String> files) throws IOException {
    List<String> names = new ArrayList<>();
    byte[] standardInput = {};
    for (String file : files) {
      if (file.startsWith(Lab.STANDARD_INPUT_COPY)) {
        Path copy = Path.of(file.substring(Lab.STANDARD_INPUT_COPY.length()));
        standardInput = Files.readAllBytes(copy);
        names.add(ManifestFiles.STANDARD_INPUT);
      } else {
        names.add(file);
      }
    }
    return ManifestFiles.read(names, new ByteArrayInputStream(standardInput));
  }

  private static boolean isUseless(Manifests manifests, PrintStream out) {
    List<Finding> errors = SceneReader.beyondRepair(manifests);
    manifests.findings().stream()
        .filter(finding ->
            !finding.isError() || errors.contains(finding) || SceneReader.isOfPolicy(finding))
        .forEach(out::println);
    return !errors.isEmpty();
  }

  private Resource resource(ManifestObject object) {
    return api.resource(object.apiVersion(), object.kind().kind())
        .orElseThrow(() ->
            new IllegalArgumentException(
                object.ref()
                    + ": the lab's API server has no "
                    + object.apiVersion()
                    + " of this"
                    + " kind"));
  }

  private void standing(ManifestObject object) {
    String name = object.ref().name();
    if (cluster.scene().node(new NodeName(name)).isEmpty()) {
      throw new IllegalArgumentException(
          object.ref()
              + ": the nodes of a lab stand from its beginning; start the lab anew with this file"
              + " among its own");
    }
  }

  /**
   * Of a node only labels and annotations change, since its machine stands already; of others
   * everything but the status, which is not the manifests' to say.
   */
  private static Tree.Mapping changed(ManifestObject object, Tree.Mapping before) {
    if (object.kind() != Kinds.NODE) {
      Tree.Mapping after = object.tree();
      if (object.kind() == Kinds.POD) {
        // Where it runs was decided when it came.
        Tree.Mapping spec = after.mapping("spec").orElse(Tree.Mapping.of(Map.of()));
        Optional<Tree> node = before.mapping("spec").flatMap(old -> old.get("nodeName"));
        if (spec.get("nodeName").isEmpty() && node.isPresent()) {
          after = after.with("spec", spec.with("nodeName", node.get()));
        }
      }
      Optional<Tree> status = before.get("status");
      return status.isPresent() ? after.with("status", status.get()) : after;
    }
    Tree.Mapping metadata = before.mapping("metadata").orElse(Tree.Mapping.of(Map.of()));
    Tree.Mapping stated = object.tree().mapping("metadata").orElse(metadata);
    for (String field : List.of("labels", "annotations")) {
      if (stated.get(field).isPresent()) {
        metadata = metadata.with(field, stated.get(field).get());
      }
    }
    return before.with("metadata", metadata);
  }
}
