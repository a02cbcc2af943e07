package dev.sund.agent.bridge;

import dev.sund.agent.cni.CniException;
import dev.sund.agent.cni.CniException.Code;
import dev.sund.agent.local.Json;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * An object of a configuration whose values are asked for by type. What does not fit is refused
 * with the code that the reference plugins have for it, naming network, key, value and remedy.
 *
 * @param network the network's name
 * @param path where the object stands, with a full stop behind it; empty for the whole
 * @param fields its keys
 */
record ConfigFields(String network, String path, Map<String, Object> fields) {

  boolean has(String key) {
    return fields.containsKey(key);
  }

  String text(String key, String otherwise) throws CniException {
    Object value = fields.getOrDefault(key, otherwise);
    if (value instanceof String text) {
      return text;
    }
    throw wrong(key, "is not text", "Write it in quotes.");
  }

  boolean flag(String key) throws CniException {
    Object value = fields.getOrDefault(key, false);
    if (value instanceof Boolean flag) {
      return flag;
    }
    throw wrong(key, "is neither true nor false", "Write true or false, without quotes.");
  }

  int number(String key) throws CniException {
    Object value = fields.getOrDefault(key, 0L);
    if (value instanceof Long number && number == number.intValue()) {
      return number.intValue();
    }
    throw wrong(key, "is not a whole number", "Write a number, without quotes.");
  }

  Optional<Ip> ip(String key) throws CniException {
    String text = text(key, "");
    return text.isEmpty()
        ? Optional.empty()
        : Optional.of(parsed(key, text, Ip::parse, "Write one such as 10.1.0.1 or fd00:1::1."));
  }

  Optional<Mac> mac(String key) throws CniException {
    String text = text(key, "");
    return text.isEmpty()
        ? Optional.empty()
        : Optional.of(parsed(key, text, Mac::parse, "Write one such as 02:42:ac:11:00:02."));
  }

  Prefix prefix(String key) throws CniException {
    return parsed(
        key, text(key, ""), Prefix::parse, "Write a network such as 10.1.0.0/16 or fd00:1::/64.");
  }

  /** The object at {@code key}; one without keys when there is none. */
  ConfigFields child(String key) throws CniException {
    try {
      return new ConfigFields(network, path + key + ".", Json.child(fields, key));
    } catch (IllegalArgumentException _) {
      throw wrong(key, "is not an object", "Write it in braces.");
    }
  }

  /** The list of objects at {@code key}; empty when there is none. */
  List<ConfigFields> children(String key) throws CniException {
    if (!has(key)) {
      return List.of();
    }
    List<ConfigFields> children = new ArrayList<>();
    for (Object item : list(key)) {
      children.add(object(item, key + "[" + children.size() + "]"));
    }
    return children;
  }

  /** The list of lists of objects at {@code key}; empty when there is none. */
  List<List<ConfigFields>> grandchildren(String key) throws CniException {
    if (!has(key)) {
      return List.of();
    }
    List<List<ConfigFields>> all = new ArrayList<>();
    for (Object item : list(key)) {
      if (!(item instanceof List<?> inner)) {
        throw wrong(key, "is not a list of lists", "Write [[{...}]]: a list of sets of ranges.");
      }
      List<ConfigFields> one = new ArrayList<>();
      for (Object each : inner) {
        one.add(object(each, key + "[" + all.size() + "][" + one.size() + "]"));
      }
      all.add(one);
    }
    return all;
  }

  /** The list of texts at {@code key}; empty when there is none. */
  List<String> texts(String key) throws CniException {
    try {
      return has(key) ? Json.texts(fields, key) : List.of();
    } catch (IllegalArgumentException _) {
      throw wrong(key, "is not a list of texts", "Write [\"...\"].");
    }
  }

  /** Refuses keys that nobody knows: a key spelt wrongly must not be without effect. */
  void refuseOthers(Set<String> known) throws CniException {
    for (Map.Entry<String, Object> field : fields.entrySet()) {
      if (!known.contains(field.getKey())) {
        throw new CniException(
            Code.UNSUPPORTED_FIELD,
            what(field.getKey()) + " is not known.",
            "Remove it, or mend its name; known are "
                + String.join(", ", known.stream().sorted().toList())
                + ".");
      }
    }
  }

  /** Refuses a setting that Sund does not have. */
  CniException unsupported(String key, String remedy) {
    return new CniException(Code.UNSUPPORTED_FIELD, what(key) + " is not supported.", remedy);
  }

  /** Refuses a value. */
  CniException wrong(String key, String why, String remedy) {
    return new CniException(Code.INTERNAL, what(key) + " " + why + ".", remedy);
  }

  private String what(String key) {
    Object value = fields.get(key);
    return "Network "
        + network
        + ": "
        + path
        + key
        + (value == null ? "" : " " + Json.write(value));
  }

  private List<?> list(String key) throws CniException {
    if (fields.get(key) instanceof List<?> list) {
      return list;
    }
    throw wrong(key, "is not a list", "Write it in brackets.");
  }

  @SuppressWarnings("unchecked") // objects are made by Json only, with texts as keys
  private ConfigFields object(Object item, String at) throws CniException {
    if (item instanceof Map<?, ?> map) {
      return new ConfigFields(network, path + at + ".", (Map<String, Object>) map);
    }
    throw wrong(at, "is not an object", "Write it in braces.");
  }

  private <T> T parsed(String key, String text, Function<String, T> parser, String remedy)
      throws CniException {
    try {
      return parser.apply(text);
    } catch (IllegalArgumentException e) {
      throw wrong(key, "cannot be used: " + e.getMessage(), remedy);
    }
  }
}
