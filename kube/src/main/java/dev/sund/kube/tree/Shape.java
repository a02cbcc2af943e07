package dev.sund.kube.tree;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which fields an object may have and which of them are used. A reader leaves out what is not used;
 * {@link #check} tells which fields of a tree are not used although somebody may count on them.
 *
 * <p>Built once for each kind, then only read.
 */
public final class Shape {
  /** Any value, used as it is. */
  public static final Shape ANY = new Shape();

  private final Map<String, Shape> used = new HashMap<>();
  private final Set<String> silent = new HashSet<>();
  private final Map<String, String> told = new HashMap<>();
  private Optional<Shape> items = Optional.empty();
  private boolean open;

  private Shape() {}

  /** A mapping that has no fields yet. */
  public static Shape object() {
    Shape shape = new Shape();
    shape.silent.add("");
    return shape;
  }

  /**
   * A mapping of which these fields are used, and whatever else is in it has nothing to do with us.
   */
  public static Shape some(String... fields) {
    Shape shape = object().use(fields);
    shape.open = true;
    return shape;
  }

  /** A list whose elements have this shape. */
  public static Shape listOf(Shape item) {
    Shape shape = object();
    shape.items = Optional.of(item);
    return shape;
  }

  /** Adds a field that is used. */
  public Shape use(String field, Shape shape) {
    used.put(field, shape);
    return this;
  }

  /** Adds fields that are used, of any value. */
  public Shape use(String... fields) {
    for (String field : fields) {
      used.put(field, ANY);
    }
    return this;
  }

  /** Adds fields that exist and have nothing to do with what Sund does. */
  public Shape pass(String... fields) {
    silent.addAll(Set.of(fields));
    return this;
  }

  /** Adds a field that exists and is not used, which {@link #check} tells with these words. */
  public Shape tell(String field, String why) {
    told.put(field, why);
    return this;
  }

  /** Whether a reader needs the value of this field. */
  boolean uses(String field) {
    return this == ANY || used.containsKey(field);
  }

  /** The shape of this field. */
  Shape at(String field) {
    return used.getOrDefault(field, ANY);
  }

  /** The shape of a list's elements. */
  Shape item() {
    return items.orElse(ANY);
  }

  /** The tree without what is not used. */
  public Tree used(Tree tree) {
    if (this == ANY) {
      return tree;
    }
    return switch (tree) {
      case Tree.Scalar scalar -> scalar;
      case Tree.Sequence sequence ->
          new Tree.Sequence(
              sequence.items().stream().map(item -> item().used(item)).toList(),
              sequence.line(),
              sequence.column());
      case Tree.Mapping mapping -> {
        Map<String, Tree> kept = new LinkedHashMap<>();
        mapping
            .fields()
            .forEach((key, value) -> {
              if (uses(key)) {
                kept.put(key, at(key).used(value));
              }
            });
        yield new Tree.Mapping(kept, mapping.line(), mapping.column());
      }
    };
  }

  /** Takes the fields that are not used. */
  public interface Unused {
    /**
     * A field that is not used.
     *
     * @param path such as {@code spec.containers[].foo}
     * @param value what stands there
     * @param why why a known field is not used; empty for a field that this kind does not have
     */
    void field(String path, Tree value, String why);
  }

  /** Tells each field of {@code tree} that is not used, in order. */
  public void check(Tree tree, Unused unused) {
    check("", tree, unused);
  }

  private void check(String path, Tree tree, Unused unused) {
    if (this == ANY) {
      return;
    }
    if (tree instanceof Tree.Sequence sequence && items.isPresent()) {
      sequence.items().forEach(item -> items.get().check(path + "[]", item, unused));
    } else if (tree instanceof Tree.Mapping mapping && items.isEmpty()) {
      mapping
          .fields()
          .forEach((key, value) -> {
            String at = path.isEmpty() ? key : path + "." + key;
            Shape shape = used.get(key);
            if (shape != null) {
              shape.check(at, value, unused);
            } else if (!open && !silent.contains(key)) {
              unused.field(at, value, told.getOrDefault(key, ""));
            }
          });
    }
  }
}
