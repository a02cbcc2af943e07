package dev.sund.cli;

/**
 * Marks text for a terminal.
 *
 * @param on whether it does; otherwise text stays as it is
 */
record Colours(boolean on) {
  private static final String PLAIN = "\u001b[0m";

  /** All is well. */
  String good(String text) {
    return with("\u001b[32m", text);
  }

  /** Worth a look. */
  String warning(String text) {
    return with("\u001b[33m", text);
  }

  /** Something is wrong. */
  String bad(String text) {
    return with("\u001b[31m", text);
  }

  private String with(String colour, String text) {
    return on ? colour + text + PLAIN : text;
  }
}
