package dev.sund.cli;

import java.util.Locale;

/** Text as a JSON string (RFC 8259, section 7). */
public final class JsonText {
  private JsonText() {}

  /** The text in quotes, with what must be escaped escaped. */
  public static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < ' ') {
        quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }
}
