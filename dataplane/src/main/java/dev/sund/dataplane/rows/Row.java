package dev.sund.dataplane.rows;

import dev.sund.model.ObjectRef;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * One kernel object, told column by column as text: what is compared and shown to people.
 *
 * @param object its kind and key, such as {@code route 10.244.2.0/24}
 * @param columns value by column, in the order of reading
 */
public record Row(ObjectRef object, Map<String, String> columns) {
  public Row {
    columns = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(columns));
  }

  /** Begins a row. */
  public static Columns of(String kind, String name) {
    return new Columns(new ObjectRef(kind, name));
  }

  /** As {@code KIND NAME column value column value}. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(object.toString());
    columns.forEach((column, value) -> text.append(' ').append(column).append(' ').append(value));
    return text.toString();
  }

  /** Collects the columns of a row. */
  public static final class Columns {
    private final ObjectRef object;
    private final Map<String, String> columns = new LinkedHashMap<>();

    private Columns(ObjectRef object) {
      this.object = object;
    }

    /** A column with its value. */
    public Columns with(String column, Object value) {
      columns.put(column, value.toString());
      return this;
    }

    /** A column whose value may be missing: then it reads {@code none}. */
    public Columns maybe(String column, Optional<?> value) {
      columns.put(column, value.map(Object::toString).orElse("none"));
      return this;
    }

    /** The row. */
    public Row row() {
      return new Row(object, columns);
    }
  }
}
