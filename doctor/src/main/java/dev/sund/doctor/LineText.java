package dev.sund.doctor;

import java.util.Collection;

/** Writes lines as {@link Line} reads them. One thread. */
public final class LineText {
  private final StringBuilder text = new StringBuilder();
  private boolean begun;

  /** Adds a word; white space in the value becomes {@code _}. */
  public LineText word(String key, Object value) {
    text.append(begun ? " " : "").append(key).append('=');
    String written = String.valueOf(value);
    for (int i = 0; i < written.length(); i++) {
      char c = written.charAt(i);
      text.append(Character.isWhitespace(c) ? '_' : c);
    }
    begun = true;
    return this;
  }

  /** Adds 1 or 0. */
  public LineText flag(String key, boolean value) {
    return word(key, value ? "1" : "0");
  }

  /** Adds a list. */
  public LineText list(String key, Collection<String> values) {
    return word(key, String.join(",", values));
  }

  /** Ends the line. */
  public LineText end() {
    text.append('\n');
    begun = false;
    return this;
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
