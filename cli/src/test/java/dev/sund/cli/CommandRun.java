package dev.sund.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Runs commands as a shell does, without colours, and keeps what the last one printed. */
final class CommandRun {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  /** Runs one; its exit code. */
  int sund(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    return Sund.commandLine(Map.of("NO_COLOR", "1"))
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(arguments);
  }

  /** The same, with more arguments behind the first ones. */
  int sund(List<String> first, String... more) {
    List<String> all = new ArrayList<>(first);
    all.addAll(List.of(more));
    return sund(all.toArray(String[]::new));
  }

  /** What it printed. */
  String out() {
    return out.toString();
  }

  /** What it said besides. */
  String err() {
    return err.toString();
  }
}
