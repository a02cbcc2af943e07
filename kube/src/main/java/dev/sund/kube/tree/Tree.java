package dev.sund.kube.tree;

import java.math.BigInteger;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A value of YAML or JSON, immutable, with the place where it stood. */
public sealed interface Tree {
  /** The line of its first character, from 1; 0 when it comes from no text. */
  int line();

  /** The column of its first character, from 1; 0 when it comes from no text. */
  int column();

  /** What it is, as an error message says it: {@code a mapping}, {@code the text 'x'}. */
  String described();

  /**
   * Keys with values, in the order of the text.
   *
   * @param fields no key twice
   */
  record Mapping(Map<String, Tree> fields, int line, int column) implements Tree {
    public Mapping {
      fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    /** A mapping from no text. */
    public static Mapping of(Map<String, Tree> fields) {
      return new Mapping(fields, 0, 0);
    }

    /** The value of this key. */
    public Optional<Tree> get(String key) {
      return Optional.ofNullable(fields.get(key));
    }

    /** The mapping at this key, when there is one. */
    public Optional<Mapping> mapping(String key) {
      return fields.get(key) instanceof Mapping mapping ? Optional.of(mapping) : Optional.empty();
    }

    /** The text of the scalar at this key, when there is one that is not null. */
    public Optional<String> text(String key) {
      return fields.get(key) instanceof Scalar scalar && scalar.kind() != Kind.NULL
          ? Optional.of(scalar.text())
          : Optional.empty();
    }

    /** The same with this value at this key. */
    public Mapping with(String key, Tree value) {
      Map<String, Tree> changed = new LinkedHashMap<>(fields);
      changed.put(key, value);
      return new Mapping(changed, line, column);
    }

    /** The same without this key. */
    public Mapping without(String key) {
      Map<String, Tree> changed = new LinkedHashMap<>(fields);
      changed.remove(key);
      return new Mapping(changed, line, column);
    }

    @Override
    public String described() {
      return "a mapping";
    }
  }

  /** Values in order. */
  record Sequence(List<Tree> items, int line, int column) implements Tree {
    public Sequence {
      items = List.copyOf(items);
    }

    /** A sequence from no text. */
    public static Sequence of(List<? extends Tree> items) {
      return new Sequence(List.copyOf(items), 0, 0);
    }

    @Override
    public String described() {
      return "a list";
    }
  }

  /**
   * A single value.
   *
   * @param text its characters, escapes resolved
   * @param quoted whether it is text whatever its characters say
   */
  record Scalar(String text, boolean quoted, int line, int column) implements Tree {
    private static final Pattern NUMBER =
        Pattern.compile(
            "[-+]?(0|[1-9][0-9_]*|0x[0-9a-fA-F]+|0o?[0-7]+|[0-9]*\\.[0-9]+([eE][-+]?[0-9]+)?"
                + "|[0-9]+\\.?([eE][-+]?[0-9]+)?|\\.inf|\\.Inf|\\.nan|\\.NaN)");

    private static final Pattern WHOLE =
        Pattern.compile("[-+]?(?:0x([0-9a-fA-F]+)|0o?([0-7]+)|(0|[1-9][0-9_]*))");

    /** Text from no file. */
    public static Scalar text(String text) {
      return new Scalar(text, true, 0, 0);
    }

    /** A number or boolean from no file. */
    public static Scalar plain(Object value) {
      return new Scalar(String.valueOf(value), false, 0, 0);
    }

    /** What kind of value the characters mean. */
    public Kind kind() {
      if (quoted) {
        return Kind.TEXT;
      }
      return switch (text) {
        case "", "~", "null", "Null", "NULL" -> Kind.NULL;
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON" -> Kind.BOOLEAN;
        case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF" -> Kind.BOOLEAN;
        default -> NUMBER.matcher(text).matches() ? Kind.NUMBER : Kind.TEXT;
      };
    }

    /**
     * The whole number that a {@link Kind#NUMBER} means, in whichever way it is written: {@code
     * 8080}, {@code +8080}, {@code 8_080}, {@code 0x1f90}, {@code 0o17620} or {@code 017620}; empty
     * when it is no whole number.
     *
     * @see <a href="https://yaml.org/type/int.html">YAML's integers</a>
     */
    public Optional<BigInteger> whole() {
      if (quoted) {
        return Optional.empty();
      }
      if (isShortDecimal()) {
        return Optional.of(BigInteger.valueOf(Integer.parseInt(text)));
      }
      Matcher found = WHOLE.matcher(text);
      if (!found.matches()) {
        return Optional.empty();
      }
      String sign = text.startsWith("-") ? "-" : "";
      for (int group = 1; group <= 3; group++) {
        if (found.group(group) != null) {
          int radix = group == 1 ? 16 : group == 2 ? 8 : 10;
          return Optional.of(new BigInteger(sign + found.group(group).replace("_", ""), radix));
        }
      }
      return Optional.empty();
    }

    /** Whether it is written as nearly all numbers are: a list of a large cluster has many. */
    private boolean isShortDecimal() {
      if (text.isEmpty() || text.length() > 9 || text.charAt(0) == '0') {
        return false;
      }
      for (int i = 0; i < text.length(); i++) {
        if (text.charAt(i) < '0' || text.charAt(i) > '9') {
          return false;
        }
      }
      return true;
    }

    /** Whether a {@link Kind#BOOLEAN} means true. */
    public boolean truth() {
      return switch (text) {
        case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON" -> true;
        default -> false;
      };
    }

    @Override
    public String described() {
      return switch (kind()) {
        case TEXT -> "the text '" + shortened(text) + "'";
        case NUMBER -> "the number " + shortened(text);
        case BOOLEAN -> "the boolean " + text;
        case NULL -> "null";
      };
    }

    private static String shortened(String text) {
      String line = text.replace("\n", "\\n");
      return line.length() <= 60 ? line : line.substring(0, 57) + "...";
    }
  }

  /** The kinds of a {@link Scalar}. */
  enum Kind {
    TEXT,
    NUMBER,
    BOOLEAN,
    NULL
  }
}
