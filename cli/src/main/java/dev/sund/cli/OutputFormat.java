package dev.sund.cli;

import java.util.Locale;
import picocli.CommandLine.Option;

/** The option {@code -o}: text for people or JSON for programs. */
public final class OutputFormat {
  /** In what form a command prints what it found. */
  public enum Form {
    TEXT,
    JSON;

    /** As it is typed. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORM",
      defaultValue = "text",
      description = "Print ${COMPLETION-CANDIDATES} (default: text).")
  Form form = Form.TEXT;

  /** Whether JSON is wanted. */
  public boolean json() {
    return form == Form.JSON;
  }
}
