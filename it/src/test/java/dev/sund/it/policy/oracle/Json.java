package dev.sund.it.policy.oracle;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** Values of the API's JSON: maps, lists, texts, numbers. Null is the same as absent. */
final class Json {
  private Json() {}

  /** The objects of a {@code kind: List}. */
  static List<Map<String, Object>> objects(String text) {
    Object tree = new Load(LoadSettings.builder().build()).loadFromString(text);
    try {
      return list(map(tree).get("items")).stream().map(Json::known).toList();
    } catch (NotUnderstood e) {
      throw new IllegalArgumentException("a kind: List is needed", e);
    }
  }

  private static Map<String, Object> known(Object object) {
    try {
      return map(object);
    } catch (NotUnderstood e) {
      throw new IllegalArgumentException("objects are needed", e);
    }
  }

  /** A mapping; absent is empty. */
  @SuppressWarnings("unchecked") // JSON's keys are text
  static Map<String, Object> map(@Nullable Object value) throws NotUnderstood {
    if (value == null) {
      return Map.of();
    }
    if (value instanceof Map<?, ?> map) {
      return (Map<String, Object>) map;
    }
    throw new NotUnderstood("no mapping: " + value);
  }

  /** A list; absent is empty. */
  @SuppressWarnings("unchecked") // the elements are objects
  static List<Object> list(@Nullable Object value) throws NotUnderstood {
    if (value == null) {
      return List.of();
    }
    if (value instanceof List<?> list) {
      return (List<Object>) list;
    }
    throw new NotUnderstood("no list: " + value);
  }

  /** Text that must be there. */
  static String text(@Nullable Object value) throws NotUnderstood {
    if (value instanceof String text) {
      return text;
    }
    throw new NotUnderstood("no text: " + value);
  }

  /** A number that must be there, within bounds. */
  static int number(@Nullable Object value, int least, int most) throws NotUnderstood {
    if (value instanceof Integer number && number >= least && number <= most) {
      return number;
    }
    throw new NotUnderstood("no number from " + least + " to " + most + ": " + value);
  }

  /** A mapping that is there and has no fields but these. */
  static Map<String, Object> only(@Nullable Object value, Set<String> fields) throws NotUnderstood {
    if (value == null) {
      throw new NotUnderstood("nothing");
    }
    Map<String, Object> map = map(value);
    for (Map.Entry<String, Object> entry : map.entrySet()) {
      if (entry.getValue() != null && !fields.contains(entry.getKey())) {
        throw new NotUnderstood("unknown field " + entry.getKey());
      }
    }
    return map;
  }

  /** The one field of these that the mapping has. */
  static String oneOf(Map<String, Object> map, Set<String> fields) throws NotUnderstood {
    List<String> there = fields.stream().filter(name -> map.get(name) != null).toList();
    if (there.size() != 1) {
      throw new NotUnderstood("one of " + fields + " is needed: " + map);
    }
    return there.getFirst();
  }
}
