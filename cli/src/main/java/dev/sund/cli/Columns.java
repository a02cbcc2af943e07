package dev.sund.cli;

import java.io.PrintWriter;
import java.util.List;

/** Rows of equally many texts, as a table for people. */
final class Columns {
  private Columns() {}

  /**
   * Prints them, each column as wide as its longest text and two blanks more.
   *
   * @param rows the first says how many columns there are
   */
  static void print(List<List<String>> rows, PrintWriter out) {
    int[] widths = new int[rows.getFirst().size()];
    for (List<String> row : rows) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], row.get(i).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < widths.length; i++) {
        line.append(row.get(i)).repeat(' ', widths[i] - row.get(i).length() + 2);
      }
      out.println(line.toString().stripTrailing());
    }
  }
}
