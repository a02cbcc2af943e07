package dev.sund.kube.manifest;

/** The text of a file, and excerpts of it. */
final class SourceText {
  private static final int WIDTH = 100;

  private final String text;
  private int lastLine = 1;
  private int lastStart;
  private int lastEnd = -1;

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
    if (line == 0 || !seek(line)) {
      return "";
    }
    int end = lastEnd;
    while (end > lastStart && Character.isWhitespace(text.charAt(end - 1))) {
      end--;
    }
    if (end == lastStart) {
      return "";
    }
    int from = Math.max(0, column - 60);
    int to = Math.min(end - lastStart, from + WIDTH);
    String shown =
        from < to ? text.substring(lastStart + from, lastStart + to).replace('\t', ' ') : "";
    String number = "%5d | ".formatted(line);
    String below = " ".repeat(number.length() - 2) + "| ";
    return number + shown + "\n" + below + " ".repeat(Math.max(0, column - 1 - from)) + "^\n";
  }

  /**
   * Lines are sought on from the last one asked for, and its end is kept: objects are read in the
   * text's order, and all of them may be in one line.
   */
  private boolean seek(int line) {
    if (line < lastLine || lastEnd < 0) {
      lastLine = 1;
      lastStart = 0;
      lastEnd = endFrom(0);
    }
    while (lastLine < line && lastEnd < text.length()) {
      lastLine++;
      lastStart = lastEnd + 1;
      lastEnd = endFrom(lastStart);
    }
    return lastLine == line;
  }

  private int endFrom(int start) {
    int end = text.indexOf('\n', start);
    return end < 0 ? text.length() : end;
  }

  @Override
  public String toString() {
    return text;
  }
}
