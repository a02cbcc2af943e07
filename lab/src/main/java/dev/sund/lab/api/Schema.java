package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The schema of a custom resource, as its definition states it: what a real server fills in, drops
 * and refuses. A schema that uses something which is not understood here is refused as a whole, so
 * that none is believed to be checked which is not.
 */
final class Schema {
  private static final Set<String> UNDERSTOOD =
      Set.of(
          "type",
          "properties",
          "additionalProperties",
          "items",
          "required",
          "enum",
          "minimum",
          "maximum",
          "minLength",
          "maxLength",
          "minItems",
          "maxItems",
          "maxProperties",
          "pattern",
          "default",
          "nullable",
          "description",
          "title",
          "example",
          "format",
          "x-kubernetes-preserve-unknown-fields",
          "x-kubernetes-int-or-string",
          "x-kubernetes-list-type",
          "x-kubernetes-list-map-keys",
          "x-kubernetes-map-type");

  private final Tree.Mapping root;

  private Schema(Tree.Mapping root) {
    this.root = root;
  }

  /**
   * The schema of one version of a definition.
   *
   * @throws IllegalArgumentException naming what is not understood
   */
  static Schema of(Tree.Mapping version) {
    Tree.Mapping root = Json.child(Json.child(version, "schema"), "openAPIV3Schema");
    understand(root, "openAPIV3Schema");
    return new Schema(root);
  }

  private static void understand(Tree.Mapping schema, String where) {
    for (String keyword : schema.fields().keySet()) {
      if (!UNDERSTOOD.contains(keyword)) {
        throw new IllegalArgumentException(
            "the lab's API server does not understand '" + keyword + "' of " + where);
      }
    }
    for (Map.Entry<String, Tree> field : Json.child(schema, "properties").fields().entrySet()) {
      if (field.getValue() instanceof Tree.Mapping inner) {
        understand(inner, where + "." + field.getKey());
      }
    }
    schema.mapping("items").ifPresent(items -> understand(items, where + "[]"));
    schema.mapping("additionalProperties").ifPresent(values -> understand(values, where + ".*"));
  }

  /** The object without fields that the schema does not have, with the defaults of absent ones. */
  Tree.Mapping pruned(Tree.Mapping object) {
    Tree.Mapping kept = object;
    if (pruned(root, object) instanceof Tree.Mapping pruned) {
      kept = pruned;
    }
    for (String always : List.of("apiVersion", "kind", "metadata")) {
      if (object.get(always).isPresent()) {
        kept = kept.with(always, object.get(always).get());
      }
    }
    return kept;
  }

  private static Tree pruned(Tree.Mapping schema, Tree value) {
    return switch (value) {
      case Tree.Mapping mapping -> {
        Tree.Mapping properties = Json.child(schema, "properties");
        boolean open = isTrue(schema, "x-kubernetes-preserve-unknown-fields");
        Tree.Mapping kept = mapping;
        for (Map.Entry<String, Tree> field : mapping.fields().entrySet()) {
          String key = field.getKey();
          var known = properties.mapping(key).or(() -> schema.mapping("additionalProperties"));
          if (known.isPresent()) {
            kept = kept.with(key, pruned(known.get(), field.getValue()));
          } else if (!open && !isTrue(schema, "additionalProperties")) {
            kept = kept.without(key);
          }
        }
        for (Map.Entry<String, Tree> property : properties.fields().entrySet()) {
          if (property.getValue() instanceof Tree.Mapping inner
              && inner.get("default").isPresent()
              && kept.get(property.getKey()).isEmpty()) {
            kept = kept.with(property.getKey(), inner.get("default").get());
          }
        }
        yield kept;
      }
      case Tree.Sequence list -> {
        var items = schema.mapping("items");
        yield items.isEmpty()
            ? list
            : Json.list(list.items().stream().map(item -> pruned(items.get(), item)).toList());
      }
      case Tree.Scalar scalar -> scalar;
    };
  }

  /** What is wrong with an object, a line each, as a real server says it. */
  List<String> faults(Tree.Mapping object) {
    List<String> faults = new ArrayList<>();
    faults(root, object, "", faults);
    return faults;
  }

  private static void faults(Tree.Mapping schema, Tree value, String path, List<String> faults) {
    if (Json.isNull(value) && isTrue(schema, "nullable")) {
      return;
    }
    String type = schema.text("type").orElse("");
    if (!isOfType(schema, type, value)) {
      String message = "Invalid value: " + shown(value) + ": must be of type " + type;
      faults.add((path.isEmpty() ? "" : path + ": ") + message);
      return;
    }
    List<String> allowed = Json.texts(schema, "enum");
    switch (value) {
      case Tree.Mapping mapping -> {
        for (String required : new TreeSet<>(Json.texts(schema, "required"))) {
          if (mapping.get(required).isEmpty()) {
            faults.add(joined(path, required) + ": Required value");
          }
        }
        count(schema, "maxProperties", mapping.fields().size(), path, faults);
        for (Map.Entry<String, Tree> field : mapping.fields().entrySet()) {
          Json.child(schema, "properties")
              .mapping(field.getKey())
              .or(() -> schema.mapping("additionalProperties"))
              .ifPresent(
                  inner -> faults(inner, field.getValue(), joined(path, field.getKey()), faults));
        }
      }
      case Tree.Sequence list -> {
        count(schema, "minItems", list.items().size(), path, faults);
        count(schema, "maxItems", list.items().size(), path, faults);
        for (int i = 0; i < list.items().size(); i++) {
          Tree item = list.items().get(i);
          String at = path + "[" + i + "]";
          schema.mapping("items").ifPresent(inner -> faults(inner, item, at, faults));
        }
      }
      case Tree.Scalar scalar -> {
        if (!allowed.isEmpty() && !allowed.contains(scalar.text())) {
          faults.add(
              path
                  + ": Unsupported value: "
                  + shown(scalar)
                  + ": supported values: \""
                  + String.join("\", \"", allowed)
                  + "\"");
        }
        scalar(schema, scalar, path, faults);
      }
    }
  }

  private static void scalar(
      Tree.Mapping schema, Tree.Scalar scalar, String path, List<String> faults) {
    if (scalar.kind() == Tree.Kind.TEXT) {
      count(schema, "minLength", scalar.text().length(), path, faults);
      count(schema, "maxLength", scalar.text().length(), path, faults);
      schema
          .text("pattern")
          .filter(pattern -> !Pattern.compile(pattern).matcher(scalar.text()).find())
          .ifPresent(pattern ->
              faults.add(
                  path + ": Invalid value: " + shown(scalar) + ": should match '" + pattern + "'"));
    } else if (scalar.kind() == Tree.Kind.NUMBER) {
      double number = Double.parseDouble(scalar.text());
      schema
          .text("minimum")
          .filter(least -> number < Double.parseDouble(least))
          .ifPresent(least -> outside(path, scalar, "greater than or equal to " + least, faults));
      schema
          .text("maximum")
          .filter(most -> number > Double.parseDouble(most))
          .ifPresent(most -> outside(path, scalar, "less than or equal to " + most, faults));
    }
  }

  private static void count(
      Tree.Mapping schema, String keyword, int size, String path, List<String> faults) {
    schema
        .text(keyword)
        .map(Integer::parseInt)
        .filter(bound -> keyword.startsWith("min") ? size < bound : size > bound)
        .ifPresent(bound ->
            faults.add(path + ": Invalid value: " + size + ": " + keyword + " is " + bound));
  }

  private static void outside(String path, Tree.Scalar value, String rule, List<String> faults) {
    faults.add(path + ": Invalid value: " + value.text() + ": should be " + rule);
  }

  private static boolean isOfType(Tree.Mapping schema, String type, Tree value) {
    Tree.Kind kind = value instanceof Tree.Scalar scalar ? scalar.kind() : Tree.Kind.NULL;
    if (isTrue(schema, "x-kubernetes-int-or-string")) {
      return kind == Tree.Kind.NUMBER || kind == Tree.Kind.TEXT;
    }
    return switch (type) {
      case "object" -> value instanceof Tree.Mapping;
      case "array" -> value instanceof Tree.Sequence;
      case "string" -> kind == Tree.Kind.TEXT;
      case "boolean" -> kind == Tree.Kind.BOOLEAN;
      case "number" -> kind == Tree.Kind.NUMBER;
      case "integer" ->
          kind == Tree.Kind.NUMBER && ((Tree.Scalar) value).text().matches("-?[0-9]+");
      default -> true;
    };
  }

  private static boolean isTrue(Tree.Mapping schema, String keyword) {
    return schema.text(keyword).filter("true"::equals).isPresent();
  }

  private static String joined(String path, String key) {
    return path.isEmpty() ? key : path + "." + key;
  }

  private static String shown(Tree value) {
    return dev.sund.kube.tree.JsonText.of(value);
  }
}
