package dev.sund.kube.manifest;

/** The text of a file, and excerpts of it. */
final class SourceText {
  private static final int WIDTH = 100;

  private final String text;
  private int lastLine = 1;
  private int lastStart;

  SourceText(String text) {
    this.text = text.startsWith("\ufeff") ? text.substring(1) : text;
  }

  boolean looksLikeJson() {
    int i = 0;
    while (i < text.length() && Character.isWhitespace(text.charAt(i))) {
      i++;
    }
    return i < text.length() && text.charAt(i) == '{';
  }

  /**
   * The line, and below it a mark at the column.
   *
   * @param line from 1; 0 gives no excerpt
   * @param column from 1
   */
  String excerpt(int line, int column) {
    String content = line == 0 ? "" : lineOf(line);
    if (content.isBlank()) {
      return "";
    }
    int from = Math.max(0, column - 60);
    int to = Math.min(content.length(), from + WIDTH);
    String shown = from < to ? content.substring(from, to).replace('\t', ' ') : "";
    String number = "%5d | ".formatted(line);
    String below = " ".repeat(number.length() - 2) + "| ";
    return number + shown + "\n" + below + " ".repeat(Math.max(0, column - 1 - from)) + "^\n";
  }

  /** Lines are sought on from the last one asked for: objects are read in the text's order. */
  private String lineOf(int line) {
    if (line < lastLine) {
      lastLine = 1;
      lastStart = 0;
    }
    int end = text.indexOf('\n', lastStart);
    while (lastLine < line && end >= 0) {
      lastLine++;
      lastStart = end + 1;
      end = text.indexOf('\n', lastStart);
    }
    if (lastLine < line) {
      return "";
    }
    return text.substring(lastStart, end < 0 ? text.length() : end).stripTrailing();
  }

  @Override
  public String toString() {
    return text;
  }
}
