package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which resources are served: those that every server has, and those that a
 * CustomResourceDefinition brings, with its schema and its columns. For any thread.
 */
final class Definitions {
  private final Set<Resource> served = ConcurrentHashMap.newKeySet();
  private final Map<Resource, Custom> customs = new ConcurrentHashMap<>();
  private final Map<Resource, Columns> builtIn = new ConcurrentHashMap<>();

  /** What a definition says about one version. */
  private record Custom(Schema schema, Columns columns) {}

  Definitions() {
    served.addAll(Resource.ALL);
  }

  /** All that are served now. */
  Collection<Resource> served() {
    return served;
  }

  void serve(Resource resource, boolean exists) {
    if (exists) {
      served.add(resource);
    } else {
      served.remove(resource);
    }
  }

  /** The resource of objects with this apiVersion and kind. */
  Optional<Resource> of(String apiVersion, String kind) {
    return served.stream()
        .filter(one -> one.apiVersion().equals(apiVersion) && one.kind().equals(kind))
        .findFirst()
        .or(() -> Resource.of(apiVersion, kind)); // one of a server's own, though not served now
  }

  /**
   * Takes up what a CustomResourceDefinition defines, also when it did before.
   *
   * @throws IllegalArgumentException when it has something that is not understood here
   */
  void define(Tree.Mapping definition) {
    for (Tree.Mapping version : Json.mappings(Json.child(definition, "spec"), "versions")) {
      Schema schema = Schema.of(version);
      Columns columns = Columns.of(version);
      for (Resource defined : Resource.defined(definition)) {
        if (defined.version().equals(version.text("name").orElse(""))) {
          Resource resource = known(defined);
          customs.put(resource, new Custom(schema, columns));
          served.add(resource);
        }
      }
    }
  }

  /** The definition is gone, and with it what it defined. */
  List<Resource> undefine(Tree.Mapping definition) {
    List<Resource> gone = Resource.defined(definition).stream().map(this::known).toList();
    gone.forEach(customs::remove);
    gone.forEach(served::remove);
    return gone;
  }

  /** The resource under which the objects of this one are kept. */
  private Resource known(Resource defined) {
    return served.stream()
        .filter(one -> one.root().equals(defined.root()) && one.plural().equals(defined.plural()))
        .findFirst()
        .orElse(defined);
  }

  Columns columns(Resource resource) {
    Custom custom = customs.get(resource);
    return custom == null ? builtIn.computeIfAbsent(resource, Columns::of) : custom.columns;
  }

  /**
   * What becomes of an object that a client sends: fields that its schema does not have are
   * dropped, absent ones get their defaults.
   *
   * @throws StatusException 422 when it breaks its schema
   */
  Tree.Mapping admitted(Resource resource, Tree.Mapping object) throws StatusException {
    Custom custom = customs.get(resource);
    // A server's own kinds keep what they hold; only what is wrong with them is looked for.
    Tree.Mapping pruned = custom == null ? object : custom.schema.pruned(object);
    List<String> faults =
        custom == null ? ServiceSchemas.faults(resource, object) : custom.schema.faults(pruned);
    if (!faults.isEmpty()) {
      String name = Json.child(object, "metadata").text("name").orElse("");
      throw StatusException.invalid(resource, name, faults);
    }
    return pruned;
  }
}
