package dev.sund.it.policy;

import dev.sund.it.policy.oracle.End;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A generated cluster: its objects as the API has them, and who may ask whom.
 *
 * @param objects trees of maps, lists, texts and numbers
 * @param ends all that can be at either end of a connection
 */
record ClusterText(List<Map<String, @Nullable Object>> objects, List<End> ends) {
  /** The objects as a {@code kind: List} in JSON. */
  String text() {
    StringBuilder text =
        new StringBuilder("{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n");
    text.append(objects.stream().map(ClusterText::json).collect(Collectors.joining(",\n")));
    return text.append("\n]}").toString();
  }

  private static String json(@Nullable Object value) {
    return switch (value) {
      case null -> "null";
      case Map<?, ?> map ->
          map.entrySet().stream()
              .map(entry -> json(entry.getKey()) + ":" + json(entry.getValue()))
              .collect(Collectors.joining(",", "{", "}"));
      case List<?> list ->
          list.stream().map(ClusterText::json).collect(Collectors.joining(",", "[", "]"));
      case String text -> "\"" + text + "\"";
      default -> value.toString();
    };
  }

  /**
   * The same with one thing less, in turn each: objects, then what stands in policies. Pods and
   * nodes at the ends of the connection that fails must stay.
   *
   * @param needed names of the objects that stay
   */
  List<ClusterText> smaller(List<String> needed) {
    List<ClusterText> all = new ArrayList<>();
    for (int i = 0; i < objects.size(); i++) {
      Map<String, @Nullable Object> object = objects.get(i);
      if (!needed.contains(name(object))) {
        List<Map<String, @Nullable Object>> fewer = new ArrayList<>(objects);
        fewer.remove(i);
        all.add(new ClusterText(fewer, ends));
      }
      if (String.valueOf(object.get("kind")).endsWith("NetworkPolicy")) {
        for (Object spec : smaller(object.get("spec"))) {
          Map<String, @Nullable Object> less = new LinkedHashMap<>(object);
          less.put("spec", spec);
          List<Map<String, @Nullable Object>> changed = new ArrayList<>(objects);
          changed.set(i, less);
          all.add(new ClusterText(changed, ends));
        }
      }
    }
    return all;
  }

  private static String name(Map<String, @Nullable Object> object) {
    Map<?, ?> metadata = (Map<?, ?>) object.get("metadata");
    Object namespace = metadata == null ? null : metadata.get("namespace");
    Object name = metadata == null ? null : metadata.get("name");
    return (namespace == null ? "" : namespace + "/") + name;
  }

  private static List<Object> smaller(@Nullable Object tree) {
    List<Object> all = new ArrayList<>();
    if (tree instanceof Map<?, ?> map) {
      for (Object key : map.keySet()) {
        Map<Object, @Nullable Object> less = new LinkedHashMap<>(map);
        less.remove(key);
        all.add(less);
      }
      map.forEach((key, value) -> {
        for (Object part : smaller(value)) {
          Map<Object, @Nullable Object> changed = new LinkedHashMap<>(map);
          changed.put(key, part);
          all.add(changed);
        }
      });
    } else if (tree instanceof List<?> list) {
      for (int i = 0; i < list.size(); i++) {
        List<@Nullable Object> less = new ArrayList<>(list);
        less.remove(i);
        all.add(less);
        for (Object part : smaller(list.get(i))) {
          List<@Nullable Object> changed = new ArrayList<>(list);
          changed.set(i, part);
          all.add(changed);
        }
      }
    }
    return all;
  }
}
