package dev.sund.it.policy.oracle;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Kubernetes' label selectors. */
final class Selectors {
  private Selectors() {}

  /**
   * Whether an object with these labels is selected. An absent or empty selector selects all; all
   * of its parts are looked at, since one that is not understood spoils the others.
   */
  static boolean matches(@Nullable Object selector, Map<String, String> labels)
      throws NotUnderstood {
    if (selector == null) {
      return true;
    }
    Map<String, Object> all = Json.only(selector, Set.of("matchLabels", "matchExpressions"));
    boolean matches = true;
    for (Map.Entry<String, Object> wanted : Json.map(all.get("matchLabels")).entrySet()) {
      String key = key(wanted.getKey());
      String value = value(wanted.getValue() == null ? "" : wanted.getValue());
      matches &= value.equals(labels.get(key));
    }
    for (Object expression : Json.list(all.get("matchExpressions"))) {
      matches &= holds(expression, labels);
    }
    return matches;
  }

  private static boolean holds(Object expression, Map<String, String> labels) throws NotUnderstood {
    Map<String, Object> parts = Json.only(expression, Set.of("key", "operator", "values"));
    String key = key(Json.text(parts.get("key")));
    List<Object> values = Json.list(parts.get("values"));
    for (Object value : values) {
      value(value);
    }
    boolean there = labels.containsKey(key);
    return switch (Json.text(parts.get("operator"))) {
      case "In" -> {
        needValues(!values.isEmpty());
        yield there && values.contains(labels.get(key));
      }
      case "NotIn" -> {
        needValues(!values.isEmpty());
        yield !there || !values.contains(labels.get(key));
      }
      case "Exists" -> {
        needValues(values.isEmpty());
        yield there;
      }
      case "DoesNotExist" -> {
        needValues(values.isEmpty());
        yield !there;
      }
      default -> throw new NotUnderstood("operator");
    };
  }

  private static void needValues(boolean right) throws NotUnderstood {
    if (!right) {
      throw new NotUnderstood("values");
    }
  }

  private static String key(String key) throws NotUnderstood {
    String name = key.contains("/") ? key.substring(key.indexOf('/') + 1) : key;
    String prefix = key.contains("/") ? key.substring(0, key.indexOf('/')) : "none";
    if (!name.matches("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
        || !prefix.matches("[a-z0-9]([a-z0-9.-]*[a-z0-9])?")) {
      throw new NotUnderstood("label " + key);
    }
    return key;
  }

  private static String value(@Nullable Object value) throws NotUnderstood {
    String text = Json.text(value);
    if (!text.matches("([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")) {
      throw new NotUnderstood("label value " + text);
    }
    return text;
  }
}
