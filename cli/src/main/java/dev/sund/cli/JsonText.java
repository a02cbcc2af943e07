package dev.sund.cli;

import dev.sund.model.Condition;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

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

  /** A list of texts. */
  public static String strings(List<String> texts) {
    return texts.stream().map(JsonText::quote).collect(Collectors.joining(",", "[", "]"));
  }

  /** A list of conditions, each with reason, severity, object, field, text and remedy. */
  static String conditions(List<Condition> conditions) {
    return conditions.stream()
        .map(condition ->
            "{\"reason\":%s,\"severity\":%s,\"object\":%s,\"field\":%s,\"text\":%s,\"remedy\":%s}"
                .formatted(
                    quote(condition.reason().code()),
                    quote(condition.severity().name().toLowerCase(Locale.ROOT)),
                    quote(condition.object().toString()),
                    quote(condition.field()),
                    quote(condition.text()),
                    quote(condition.remedy())))
        .collect(Collectors.joining(",", "[", "]"));
  }
}
