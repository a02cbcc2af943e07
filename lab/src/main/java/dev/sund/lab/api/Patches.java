package dev.sund.lab.api;

import dev.sund.kube.tree.JsonTrees;
import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a PATCH makes of an object: JSON patch, merge patch, and Kubernetes' strategic one. */
final class Patches {
  /** By which key the items of these lists of Kubernetes' own kinds are merged. */
  private static final Map<String, String> MERGE_KEYS =
      Map.ofEntries(
          Map.entry("containers", "name"),
          Map.entry("initContainers", "name"),
          Map.entry("volumes", "name"),
          Map.entry("env", "name"),
          Map.entry("imagePullSecrets", "name"),
          Map.entry("volumeMounts", "mountPath"),
          Map.entry("containerPorts", "containerPort"),
          Map.entry("addresses", "type"),
          Map.entry("conditions", "type"),
          Map.entry("hostAliases", "ip"),
          Map.entry("podIPs", "ip"),
          Map.entry("ownerReferences", "uid"));

  private Patches() {}

  /** A change that a client asks for. */
  @FunctionalInterface
  interface Change {
    /** The object changed. */
    Tree.Mapping apply(Tree.Mapping object) throws StatusException;
  }

  /**
   * Reads a patch.
   *
   * @param contentType of the request; decides how the body is to be understood
   * @throws StatusException 415 for another type, 400 for a body that is none
   */
  static Change parse(String contentType, String body) throws StatusException {
    Tree patch;
    try {
      patch = JsonTrees.parse(body);
    } catch (MalformedException e) {
      throw StatusException.badRequest("the patch is not JSON: " + e.getMessage());
    }
    String type = contentType.split(";", 2)[0].strip();
    return switch (type) {
      case "application/merge-patch+json" -> {
        Tree.Mapping changes = mapping(patch);
        yield object -> merged(object, changes);
      }
      case "application/strategic-merge-patch+json" -> {
        Tree.Mapping changes = mapping(patch);
        yield object -> strategic(object, changes);
      }
      case "application/json-patch+json" -> {
        if (!(patch instanceof Tree.Sequence operations)) {
          throw StatusException.badRequest("a JSON patch is a list of operations");
        }
        yield object -> operated(object, operations);
      }
      default ->
          throw new StatusException(
              415,
              "UnsupportedMediaType",
              "the body of the request was in an unknown format: " + type);
    };
  }

  private static Tree.Mapping mapping(Tree patch) throws StatusException {
    if (patch instanceof Tree.Mapping mapping) {
      return mapping;
    }
    throw StatusException.badRequest("the patch is not an object");
  }

  // --- RFC 7386 ----------------------------------------------------------------------------------

  private static Tree.Mapping merged(Tree.Mapping target, Tree.Mapping patch) {
    Tree.Mapping result = target;
    for (Map.Entry<String, Tree> field : patch.fields().entrySet()) {
      String key = field.getKey();
      if (Json.isNull(field.getValue())) {
        result = result.without(key);
      } else if (field.getValue() instanceof Tree.Mapping inner) {
        result = result.with(key, merged(Json.child(result, key), inner));
      } else {
        result = result.with(key, field.getValue());
      }
    }
    return result;
  }

  // --- Kubernetes' strategic merge ---------------------------------------------------------------

  private static Tree.Mapping strategic(Tree.Mapping target, Tree.Mapping patch)
      throws StatusException {
    Optional<String> directive = patch.text("$patch");
    if (directive.filter("replace"::equals).isPresent()) {
      return patch.without("$patch");
    }
    Tree.Mapping result = target;
    for (Map.Entry<String, Tree> field : patch.fields().entrySet()) {
      String key = field.getKey();
      Tree value = field.getValue();
      if (key.startsWith("$deleteFromPrimitiveList/")) {
        String list = key.substring(key.indexOf('/') + 1);
        List<Tree> left = new ArrayList<>(Json.items(result, list));
        Json.items(patch, key).forEach(gone -> left.removeIf(item -> Json.same(item, gone)));
        result = result.with(list, Json.list(left));
      } else if (key.startsWith("$")) {
        continue; // how items are to be ordered, and what else may stay: nothing depends on it here
      } else if (Json.isNull(value)) {
        result = result.without(key);
      } else if (value instanceof Tree.Mapping inner) {
        result = result.with(key, strategic(Json.child(result, key), inner));
      } else if (value instanceof Tree.Sequence items) {
        result = result.with(key, items(key, Json.items(result, key), items));
      } else {
        result = result.with(key, value);
      }
    }
    return result;
  }

  private static Tree items(String key, List<Tree> before, Tree.Sequence patch)
      throws StatusException {
    Optional<String> by = mergeKey(key, patch);
    if (by.isEmpty()) {
      return patch;
    }
    List<Tree> merged = new ArrayList<>(before);
    for (Tree item : patch.items()) {
      if (!(item instanceof Tree.Mapping change)) {
        return patch;
      }
      if (change.text("$patch").filter("replace"::equals).isPresent()) {
        merged.clear();
        continue;
      }
      String id = change.text(by.get()).orElse("");
      int at = -1;
      for (int i = 0; i < merged.size() && at < 0; i++) {
        boolean same =
            merged.get(i) instanceof Tree.Mapping known
                && known.text(by.get()).filter(id::equals).isPresent();
        at = same ? i : at;
      }
      if (change.text("$patch").filter("delete"::equals).isPresent()) {
        if (at >= 0) {
          merged.remove(at);
        }
      } else if (at >= 0 && merged.get(at) instanceof Tree.Mapping known) {
        merged.set(at, strategic(known, change));
      } else {
        merged.add(change);
      }
    }
    return Json.list(merged);
  }

  /** Ports are merged by containerPort in a container and by port in a Service. */
  private static Optional<String> mergeKey(String list, Tree.Sequence patch) {
    if (list.equals("ports")) {
      return patch.items().stream()
          .filter(Tree.Mapping.class::isInstance)
          .map(Tree.Mapping.class::cast)
          .findFirst()
          .map(item -> item.get("containerPort").isPresent() ? "containerPort" : "port");
    }
    return Optional.ofNullable(MERGE_KEYS.get(list));
  }

  // --- RFC 6902 ----------------------------------------------------------------------------------

  private static Tree.Mapping operated(Tree.Mapping object, Tree.Sequence operations)
      throws StatusException {
    Tree result = object;
    for (Tree item : operations.items()) {
      if (!(item instanceof Tree.Mapping operation)) {
        throw StatusException.badRequest("an operation of the patch is not an object");
      }
      result = operated(result, operation);
    }
    return mapping(result);
  }

  private static Tree operated(Tree target, Tree.Mapping operation) throws StatusException {
    String name = operation.text("op").orElse("");
    List<String> path = pointer(operation, "path");
    return switch (name) {
      case "add" -> set(target, path, value(operation), true);
      case "replace" -> {
        at(target, path, operation);
        yield set(target, path, value(operation), false);
      }
      case "remove" -> {
        at(target, path, operation);
        yield removed(target, path);
      }
      case "test" -> {
        if (!Json.same(at(target, path, operation), value(operation))) {
          throw failed(operation, "the value is another");
        }
        yield target;
      }
      case "copy" -> {
        Tree value = at(target, pointer(operation, "from"), operation);
        yield set(target, path, value, true);
      }
      case "move" -> {
        List<String> from = pointer(operation, "from");
        Tree value = at(target, from, operation);
        yield set(removed(target, from), path, value, true);
      }
      default -> throw StatusException.badRequest("a patch has no operation '" + name + "'");
    };
  }

  private static StatusException failed(Tree.Mapping operation, String why) {
    return new StatusException(
        422,
        "Invalid",
        "the patch's operation "
            + operation.text("op").orElse("")
            + " "
            + operation.text("path").orElse("")
            + " cannot be done: "
            + why);
  }

  private static Tree value(Tree.Mapping operation) throws StatusException {
    return operation
        .get("value")
        .orElseThrow(() -> StatusException.badRequest("an operation of the patch has no value"));
  }

  private static List<String> pointer(Tree.Mapping operation, String field) throws StatusException {
    String text = operation.text(field).orElse("");
    if (!text.startsWith("/")) {
      throw StatusException.badRequest("'" + text + "' is no JSON pointer");
    }
    List<String> path = new ArrayList<>();
    for (String step : text.substring(1).split("/", -1)) {
      path.add(step.replace("~1", "/").replace("~0", "~"));
    }
    return path;
  }

  private static Tree at(Tree target, List<String> path, Tree.Mapping operation)
      throws StatusException {
    Tree here = target;
    for (String step : path) {
      Tree from = here;
      here =
          switch (from) {
            case Tree.Mapping mapping ->
                mapping
                    .get(step)
                    .orElseThrow(() -> failed(operation, "there is no '" + step + "'"));
            case Tree.Sequence list -> list.items().get(index(step, list.items().size() - 1));
            case Tree.Scalar _ -> throw failed(operation, "there is no '" + step + "'");
          };
    }
    return here;
  }

  private static int index(String step, int most) throws StatusException {
    if (step.matches("[0-9]{1,9}") && Integer.parseInt(step) <= most) {
      return Integer.parseInt(step);
    }
    throw new StatusException(422, "Invalid", "the list has no item '" + step + "'");
  }

  private static Tree set(Tree target, List<String> path, Tree value, boolean insert)
      throws StatusException {
    String step = path.getFirst();
    List<String> rest = path.subList(1, path.size());
    switch (target) {
      case Tree.Mapping mapping -> {
        if (rest.isEmpty()) {
          return mapping.with(step, value);
        }
        Tree inner =
            mapping
                .get(step)
                .orElseThrow(
                    () -> new StatusException(422, "Invalid", "there is no '" + step + "'"));
        return mapping.with(step, set(inner, rest, value, insert));
      }
      case Tree.Sequence list -> {
        List<Tree> items = new ArrayList<>(list.items());
        if (!rest.isEmpty()) {
          int at = index(step, items.size() - 1);
          items.set(at, set(items.get(at), rest, value, insert));
        } else if (!insert) {
          items.set(index(step, items.size() - 1), value);
        } else {
          items.add(step.equals("-") ? items.size() : index(step, items.size()), value);
        }
        return Json.list(items);
      }
      case Tree.Scalar _ -> throw new StatusException(422, "Invalid", "there is no '" + step + "'");
    }
  }

  private static Tree removed(Tree target, List<String> path) throws StatusException {
    String step = path.getFirst();
    List<String> rest = path.subList(1, path.size());
    return switch (target) {
      case Tree.Mapping mapping ->
          rest.isEmpty()
              ? mapping.without(step)
              : mapping.with(step, removed(mapping.get(step).orElse(mapping), rest));
      case Tree.Sequence list -> {
        List<Tree> items = new ArrayList<>(list.items());
        int at = index(step, items.size() - 1);
        if (rest.isEmpty()) {
          items.remove(at);
        } else {
          items.set(at, removed(items.get(at), rest));
        }
        yield Json.list(items);
      }
      case Tree.Scalar scalar -> scalar;
    };
  }
}
