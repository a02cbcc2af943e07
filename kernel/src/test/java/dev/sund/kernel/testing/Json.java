package dev.sund.kernel.testing;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@code ip -j} and its like print, to be asked by name: enough for tests, no more. */
public final class Json {
  private final Object value;

  private Json(Object value) {
    this.value = value;
  }

  /** Parses JSON text. */
  public static Json parse(String text) {
    return new Json(new Parser(text).whole());
  }

  /** The elements of a list. */
  public List<Json> list() {
    return ((List<?>) value).stream().map(Json::new).toList();
  }

  /** The one element of a list of one. */
  public Json only() {
    List<Json> all = list();
    if (all.size() != 1) {
      throw new AssertionError("one entry was expected: " + value);
    }
    return all.getFirst();
  }

  /** The member of this name; absent when there is none. */
  public Json get(String name) {
    return new Json(((Map<?, ?>) value).get(name));
  }

  /** Whether there is a member of this name. */
  public boolean has(String name) {
    return ((Map<?, ?>) value).containsKey(name);
  }

  /** The text; {@code null} as text when absent. */
  public String text() {
    return String.valueOf(value);
  }

  /** The whole number. */
  public long number() {
    return ((Number) value).longValue();
  }

  @Override
  public String toString() {
    return String.valueOf(value);
  }

  private static final class Parser {
    private final String text;
    private int at;

    Parser(String text) {
      this.text = text;
    }

    Object whole() {
      Object parsed = value();
      blank();
      if (at != text.length()) {
        throw fault("the end");
      }
      return parsed;
    }

    private Object value() {
      blank();
      char c = at < text.length() ? text.charAt(at) : 0;
      if (c == '{') {
        return object();
      }
      if (c == '[') {
        return array();
      }
      if (c == '"') {
        return string();
      }
      int start = at;
      while (at < text.length() && ",]} \n\t\r".indexOf(text.charAt(at)) < 0) {
        at++;
      }
      String word = text.substring(start, at);
      return switch (word) {
        case "true" -> true;
        case "false" -> false;
        case "null" -> "null";
        default -> word.contains(".") ? Double.valueOf(word) : (Object) Long.valueOf(word);
      };
    }

    private Map<String, Object> object() {
      Map<String, Object> members = new LinkedHashMap<>();
      at++;
      while (!closes('}')) {
        blank();
        String name = string();
        blank();
        if (text.charAt(at++) != ':') {
          throw fault("a colon");
        }
        members.put(name, value());
      }
      return members;
    }

    private List<Object> array() {
      List<Object> elements = new ArrayList<>();
      at++;
      while (!closes(']')) {
        elements.add(value());
      }
      return elements;
    }

    private boolean closes(char end) {
      blank();
      if (text.charAt(at) == ',') {
        at++;
        blank();
      }
      if (text.charAt(at) == end) {
        at++;
        return true;
      }
      return false;
    }

    private String string() {
      StringBuilder out = new StringBuilder();
      if (text.charAt(at++) != '"') {
        throw fault("a quote");
      }
      while (text.charAt(at) != '"') {
        char c = text.charAt(at++);
        if (c == '\\') {
          c = text.charAt(at++);
          if (c == 'u') {
            c = (char) Integer.parseInt(text.substring(at, at + 4), 16);
            at += 4;
          } else {
            c = "bfnrt".indexOf(c) < 0 ? c : "\b\f\n\r\t".charAt("bfnrt".indexOf(c));
          }
        }
        out.append(c);
      }
      at++;
      return out.toString();
    }

    private void blank() {
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
    }

    private AssertionError fault(String expected) {
      return new AssertionError(expected + " expected at " + at + " of " + text);
    }
  }
}
