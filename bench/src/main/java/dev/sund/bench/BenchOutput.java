package dev.sund.bench;

import dev.sund.cli.JsonText;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** Rows as text for people and as JSON for programs. */
final class BenchOutput {
  private BenchOutput() {}

  /** A table; below it a line for every row that has a note, and the count of targets met. */
  static String text(List<Row> rows) {
    List<List<String>> cells = new ArrayList<>();
    cells.add(List.of("what", "figure", "unit", "baseline", "ratio [95 %]", "target", "met"));
    for (Row row : rows) {
      cells.add(
          List.of(
              row.name(),
              Row.number(row.figure().median()),
              row.unit(),
              row.baseline().map(Estimate::median).map(Row::number).orElse("-"),
              row.ratio().map(BenchOutput::ratio).orElse("-"),
              row.target().map(Target::toString).orElse("-"),
              row.met().map(met -> met ? "met" : "NOT MET").orElse("-")));
    }
    StringBuilder text = new StringBuilder();
    for (List<String> line : cells) {
      StringBuilder built = new StringBuilder();
      for (int column = 0; column < line.size(); column++) {
        int at = column;
        int width = cells.stream().mapToInt(each -> each.get(at).length()).max().orElse(0);
        boolean left = column == 0 || column == 2 || column > 4;
        built.append(("%" + (left ? "-" : "") + width + "s  ").formatted(line.get(column)));
      }
      text.append(built.toString().stripTrailing()).append('\n');
    }
    for (Row row : rows) {
      if (!row.note().isEmpty()) {
        text.append(row.name()).append(": ").append(row.note()).append('\n');
      }
    }
    long bound = rows.stream().filter(row -> row.target().isPresent()).count();
    long met = rows.stream().filter(row -> row.met().orElse(false)).count();
    return text.append("%d rows, %d of %d targets met%n".formatted(rows.size(), met, bound))
        .toString();
  }

  private static String ratio(Estimate ratio) {
    return ratio.samples() == 1
        ? String.format(Locale.ROOT, "%.3f", ratio.median())
        : String.format(
            Locale.ROOT, "%.3f [%.3f, %.3f]", ratio.median(), ratio.low(), ratio.high());
  }

  /** {@code {"rows":[{...}],"failures":[...]}}. */
  static String json(List<Row> rows, List<String> failures) {
    return "{\"rows\":["
        + rows.stream().map(BenchOutput::json).collect(Collectors.joining(","))
        + "],\"failures\":["
        + failures.stream().map(JsonText::quote).collect(Collectors.joining(","))
        + "]}\n";
  }

  private static String json(Row row) {
    return "{\"name\":%s,\"unit\":%s,\"figure\":%s,\"baseline\":%s,\"ratio\":%s,\"target\":%s,\"met\":%s,\"note\":%s}"
        .formatted(
            JsonText.quote(row.name()),
            JsonText.quote(row.unit()),
            json(Optional.of(row.figure())),
            json(row.baseline()),
            json(row.ratio()),
            row.target().map(target -> JsonText.quote(target.toString())).orElse("null"),
            row.met().map(String::valueOf).orElse("null"),
            JsonText.quote(row.note()));
  }

  private static String json(Optional<Estimate> estimate) {
    return estimate
        .map(e ->
            String.format(
                Locale.ROOT,
                "{\"median\":%.6g,\"low\":%.6g,\"high\":%.6g,\"samples\":%d}",
                e.median(),
                e.low(),
                e.high(),
                e.samples()))
        .orElse("null");
  }
}
