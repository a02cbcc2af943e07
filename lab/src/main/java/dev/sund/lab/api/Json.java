package dev.sund.lab.api;

import dev.sund.kube.tree.JsonText;
import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reading and making trees of JSON with few words. */
final class Json {
  private Json() {}

  static Tree text(String text) {
    return Tree.Scalar.text(text);
  }

  static Tree.Sequence list(List<? extends Tree> items) {
    return Tree.Sequence.of(items);
  }

  static Tree.Sequence texts(List<String> items) {
    return Tree.Sequence.of(items.stream().map(Tree.Scalar::text).toList());
  }

  /** A mapping of keys and values in turn; values are trees, or become text, number or boolean. */
  static Tree.Mapping object(Object... keysAndValues) {
    Map<String, Tree> fields = new LinkedHashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      fields.put(String.valueOf(keysAndValues[i]), tree(keysAndValues[i + 1]));
    }
    return Tree.Mapping.of(fields);
  }

  static Tree tree(Object value) {
    return switch (value) {
      case Tree tree -> tree;
      case String text -> Tree.Scalar.text(text);
      default -> Tree.Scalar.plain(value);
    };
  }

  /** The mapping at this key, or an empty one. */
  static Tree.Mapping child(Tree.Mapping parent, String key) {
    return parent.mapping(key).orElse(Tree.Mapping.of(Map.of()));
  }

  /** What stands in the list at this key; nothing when there is no list. */
  static List<Tree> items(Tree.Mapping parent, String key) {
    return parent.get(key).orElse(parent) instanceof Tree.Sequence list ? list.items() : List.of();
  }

  /** The mappings in the list at this key. */
  static List<Tree.Mapping> mappings(Tree.Mapping parent, String key) {
    List<Tree.Mapping> found = new ArrayList<>();
    for (Tree item : items(parent, key)) {
      if (item instanceof Tree.Mapping mapping) {
        found.add(mapping);
      }
    }
    return found;
  }

  /** The scalars in the list at this key. */
  static List<String> texts(Tree.Mapping parent, String key) {
    List<String> found = new ArrayList<>();
    for (Tree item : items(parent, key)) {
      if (item instanceof Tree.Scalar scalar) {
        found.add(scalar.text());
      }
    }
    return found;
  }

  static boolean isNull(Tree tree) {
    return tree instanceof Tree.Scalar scalar && scalar.kind() == Tree.Kind.NULL;
  }

  /** Whether two values are the same, wherever they stood and in whatever order their keys are. */
  static boolean same(Tree one, Tree other) {
    return switch (one) {
      case Tree.Mapping a ->
          other instanceof Tree.Mapping b
              && a.fields().keySet().equals(b.fields().keySet())
              && a.fields().entrySet().stream()
                  .allMatch(f -> b.get(f.getKey()).filter(v -> same(f.getValue(), v)).isPresent());
      case Tree.Sequence a -> {
        if (!(other instanceof Tree.Sequence b) || a.items().size() != b.items().size()) {
          yield false;
        }
        boolean equal = true;
        for (int i = 0; i < a.items().size() && equal; i++) {
          equal = same(a.items().get(i), b.items().get(i));
        }
        yield equal;
      }
      case Tree.Scalar a -> other instanceof Tree.Scalar b && JsonText.of(a).equals(JsonText.of(b));
    };
  }
}
