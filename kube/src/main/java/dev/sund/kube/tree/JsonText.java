package dev.sund.kube.tree;

import java.math.BigInteger;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Writes {@link Tree}s as JSON on one line. */
public final class JsonText {
  private static final Pattern JSON_NUMBER =
      Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?");
  private static final char[] HEX = "0123456789abcdef".toCharArray();

  private JsonText() {}

  /** The JSON text of {@code tree}. */
  public static String of(Tree tree) {
    StringBuilder out = new StringBuilder();
    write(tree, out);
    return out.toString();
  }

  /** Appends the JSON text of {@code tree}. */
  public static void write(Tree tree, StringBuilder out) {
    switch (tree) {
      case Tree.Mapping mapping -> {
        out.append('{');
        String between = "";
        for (Map.Entry<String, Tree> field : mapping.fields().entrySet()) {
          out.append(between);
          quote(field.getKey(), out);
          out.append(':');
          write(field.getValue(), out);
          between = ",";
        }
        out.append('}');
      }
      case Tree.Sequence sequence -> {
        out.append('[');
        String between = "";
        for (Tree item : sequence.items()) {
          out.append(between);
          write(item, out);
          between = ",";
        }
        out.append(']');
      }
      case Tree.Scalar scalar -> writeScalar(scalar, out);
    }
  }

  private static void writeScalar(Tree.Scalar scalar, StringBuilder out) {
    switch (scalar.kind()) {
      case NULL -> out.append("null");
      case BOOLEAN -> out.append(scalar.truth());
      case NUMBER -> {
        if (JSON_NUMBER.matcher(scalar.text()).matches()) {
          out.append(scalar.text());
          return;
        }
        Optional<BigInteger> whole = scalar.whole();
        if (whole.isPresent()) {
          out.append(whole.get());
        } else {
          quote(scalar.text(), out);
        }
      }
      case TEXT -> quote(scalar.text(), out);
    }
  }

  /** Appends {@code text} as a JSON string. */
  public static void quote(String text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        default -> {
          if (c < ' ' || Character.isSurrogate(c)) {
            out.append("\\u");
            for (int shift = 12; shift >= 0; shift -= 4) {
              out.append(HEX[(c >> shift) & 15]);
            }
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
