package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Tells which resources there are, as kubectl asks before anything else. */
final class Discovery {
  private Discovery() {}

  /** The document at {@code path}, if it is one of discovery. */
  static Optional<Tree> document(String path, Collection<Resource> served) {
    if (path.equals("/api")) {
      return Optional.of(mapping("kind", text("APIVersions"), "versions", list(text("v1"))));
    }
    if (path.equals("/apis")) {
      List<Tree> groups = new ArrayList<>();
      for (Resource resource : served) {
        if (!resource.group().isEmpty()) {
          Tree version =
              mapping(
                  "groupVersion", text(resource.apiVersion()), "version", text(resource.version()));
          groups.add(
              mapping(
                  "name",
                  text(resource.group()),
                  "versions",
                  list(version),
                  "preferredVersion",
                  version));
        }
      }
      return Optional.of(
          mapping(
              "kind",
              text("APIGroupList"),
              "apiVersion",
              text("v1"),
              "groups",
              Tree.Sequence.of(groups)));
    }
    if (path.equals("/version")) {
      return Optional.of(
          mapping("major", text("1"), "minor", text("33"), "gitVersion", text("v1.33.0-sund-lab")));
    }
    List<Resource> here = served.stream().filter(resource -> resource.root().equals(path)).toList();
    if (here.isEmpty()) {
      return Optional.empty();
    }
    List<Tree> resources = new ArrayList<>();
    for (Resource resource : here) {
      Map<String, Tree> entry = new LinkedHashMap<>();
      entry.put("name", text(resource.plural()));
      entry.put("singularName", text(""));
      entry.put("namespaced", Tree.Scalar.plain(resource.namespaced()));
      entry.put("kind", text(resource.kind()));
      entry.put(
          "verbs",
          list(
              text("create"),
              text("delete"),
              text("get"),
              text("list"),
              text("update"),
              text("watch")));
      resources.add(Tree.Mapping.of(entry));
    }
    return Optional.of(
        mapping(
            "kind",
            text("APIResourceList"),
            "apiVersion",
            text("v1"),
            "groupVersion",
            text(here.getFirst().apiVersion()),
            "resources",
            Tree.Sequence.of(resources)));
  }

  private static Tree text(String text) {
    return Tree.Scalar.text(text);
  }

  private static Tree list(Tree... items) {
    return Tree.Sequence.of(List.of(items));
  }

  private static Tree mapping(Object... keysAndValues) {
    Map<String, Tree> fields = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      fields.put((String) keysAndValues[i], (Tree) keysAndValues[i + 1]);
    }
    return Tree.Mapping.of(fields);
  }
}
