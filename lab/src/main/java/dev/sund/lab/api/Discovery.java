package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Tells which resources there are, as kubectl asks before anything else. */
final class Discovery {
  private static final List<String> VERBS =
      List.of("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch");

  private Discovery() {}

  /** The document at {@code path}, if it is one of discovery. */
  static Optional<Tree> document(String path, Collection<Resource> served) {
    switch (path) {
      case "/api" -> {
        return Optional.of(
            Json.object("kind", "APIVersions", "versions", Json.texts(List.of("v1"))));
      }
      case "/apis" -> {
        return Optional.of(
            Json.object(
                "kind", "APIGroupList", "apiVersion", "v1", "groups", Json.list(groups(served))));
      }
      case "/version" -> {
        return Optional.of(
            Json.object(
                "major", "1", "minor", "33", "gitVersion", "v1.33.0-sund-lab", "platform", "lab"));
      }
      default -> {
        return resources(path, served);
      }
    }
  }

  private static List<Tree> groups(Collection<Resource> served) {
    Map<String, Set<String>> versions = new LinkedHashMap<>();
    for (Resource resource : sorted(served)) {
      if (!resource.group().isEmpty()) {
        versions
            .computeIfAbsent(resource.group(), _ -> new LinkedHashSet<>())
            .add(resource.version());
      }
    }
    List<Tree> groups = new ArrayList<>();
    versions.forEach((group, names) -> {
      List<Tree> all =
          names.stream()
              .<Tree>map(name -> Json.object("groupVersion", group + "/" + name, "version", name))
              .toList();
      groups.add(
          Json.object(
              "name", group, "versions", Json.list(all), "preferredVersion", all.getFirst()));
    });
    return groups;
  }

  private static Optional<Tree> resources(String path, Collection<Resource> served) {
    List<Resource> here =
        sorted(served).stream().filter(resource -> resource.root().equals(path)).toList();
    if (here.isEmpty()) {
      return Optional.empty();
    }
    List<Tree> resources = new ArrayList<>();
    for (Resource resource : here) {
      resources.add(
          Json.object(
              "name",
              resource.plural(),
              "singularName",
              resource.singular(),
              "namespaced",
              resource.namespaced(),
              "kind",
              resource.kind(),
              "verbs",
              Json.texts(VERBS),
              "shortNames",
              Json.texts(resource.shortNames())));
      if (resource.status()) {
        resources.add(
            Json.object(
                "name",
                resource.plural() + "/status",
                "singularName",
                "",
                "namespaced",
                resource.namespaced(),
                "kind",
                resource.kind(),
                "verbs",
                Json.texts(List.of("get", "patch", "update"))));
      }
    }
    return Optional.of(
        Json.object(
            "kind",
            "APIResourceList",
            "apiVersion",
            "v1",
            "groupVersion",
            here.getFirst().apiVersion(),
            "resources",
            Json.list(resources)));
  }

  private static List<Resource> sorted(Collection<Resource> served) {
    return served.stream()
        .sorted(
            Comparator.comparing(Resource::group)
                .thenComparing(Resource::version)
                .thenComparing(Resource::plural))
        .toList();
  }
}
