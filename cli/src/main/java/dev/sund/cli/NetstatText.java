package dev.sund.cli;

import dev.sund.doctor.losses.LossRow;
import dev.sund.doctor.losses.LossWeight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Counters over a window, for people and programs. */
final class NetstatText {
  private final Colours colours;

  NetstatText(Colours colours) {
    this.colours = colours;
  }

  /** A table, the worst first, and what was left out; a text for each line. */
  List<String> lines(List<LossRow> rows, int most, boolean all, double seconds, String whose) {
    List<LossRow> shown =
        rows.stream()
            .filter(row -> all || row.total() > 0)
            .limit(all ? rows.size() : most)
            .toList();
    long lost =
        rows.stream().filter(row -> row.weight() == LossWeight.LOSS && row.grew() > 0).count();
    List<String> lines = new ArrayList<>();
    String said =
        lost == 0
            ? colours.good("nothing was lost")
            : colours.bad(
                lost == 1 ? "1 counter of losses grew" : lost + " counters of losses grew");
    lines.add("%s, %.1f s: %s".formatted(whose, seconds, said));
    if (shown.isEmpty()) {
      return lines;
    }
    int width = shown.stream().mapToInt(row -> row.name().length()).max().orElse(0);
    lines.add(
        ("%10s %10s %14s  %-" + width + "s  %s")
            .formatted("PER SECOND", "IN WINDOW", "TOTAL", "COUNTER", "WHAT"));
    for (LossRow row : shown) {
      String line =
          ("%10s %,10d %,14d  %-" + width + "s  %s")
              .formatted(rate(row), row.grew(), row.total(), row.name(), row.means());
      lines.add(row.grew() == 0 ? line : coloured(row.weight(), line));
    }
    long more = rows.stream().filter(row -> row.total() > 0).count() - shown.size();
    if (more > 0) {
      lines.add(more + " more are above 0 and shown by --top or --all");
    }
    return lines;
  }

  private String coloured(LossWeight weight, String line) {
    return switch (weight) {
      case LOSS -> colours.bad(line);
      case STRAIN -> colours.warning(line);
      case NOTE -> line;
    };
  }

  private static String rate(LossRow row) {
    return row.grew() == 0
        ? "-"
        : String.format(Locale.ROOT, row.perSecond() < 10 ? "%,.1f" : "%,.0f", row.perSecond());
  }

  /** All of it, for JSON. */
  static Map<String, Object> fields(List<LossRow> rows, double seconds, String whose) {
    List<Map<String, Object>> counters = new ArrayList<>();
    for (LossRow row : rows) {
      Map<String, Object> fields = new LinkedHashMap<>();
      fields.put("name", row.name());
      fields.put("weight", row.weight().name().toLowerCase(Locale.ROOT));
      fields.put("perSecond", Math.round(row.perSecond() * 1_000) / 1e3);
      fields.put("grew", row.grew());
      fields.put("total", row.total());
      fields.put("means", row.means());
      counters.add(fields);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("of", whose);
    all.put("seconds", Math.round(seconds * 1_000) / 1e3);
    all.put("counters", counters);
    return all;
  }
}
