package dev.sund.cli.audit;

import dev.sund.engine.policy.audit.Crossing;
import dev.sund.engine.policy.audit.PathChange;
import dev.sund.engine.policy.audit.WhatIf;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What a change would do, as text and as JSON. */
public final class WhatIfOutput {
  private WhatIfOutput() {}

  /** Lines for people: what opens, what closes, what becomes of what was seen. */
  public static List<String> text(WhatIf found) {
    List<String> lines = new ArrayList<>();
    found
        .workloads()
        .forEach((path, change) -> {
          if (!change.opened().isEmpty()) {
            lines.add("opens   " + line(path, change.opened().toString(), change.openedPairs()));
          }
        });
    found
        .workloads()
        .forEach((path, change) -> {
          if (!change.closed().isEmpty()) {
            lines.add("closes  " + line(path, change.closed().toString(), change.closedPairs()));
          }
        });
    long stays = 0;
    for (WhatIf.Seen seen : found.seen()) {
      if (seen.fate() == WhatIf.Fate.STAYS) {
        stays++;
        continue;
      }
      lines.add(
          "%-7s %s%s%s"
              .formatted(
                  word(seen.fate()),
                  seen.connection(),
                  seen.connection().times() > 1
                      ? " (seen %,d times)".formatted(seen.connection().times())
                      : "",
                  seen.why().isEmpty() ? "" : ": " + seen.why()));
    }
    lines.add(
        found.isNothing()
            ? "nothing opens or closes"
            : "pairs of pods that gain ports: %,d; that lose some: %,d"
                .formatted(found.openedPairs(), found.closedPairs()));
    if (!found.seen().isEmpty()) {
      lines.add("%,d of %,d connections that were seen stay".formatted(stays, found.seen().size()));
    }
    return lines;
  }

  private static String line(Crossing<String> path, String ports, long pairs) {
    return path.from()
        + " -> "
        + path.to()
        + "  "
        + (ports.equals("all") ? "every port" : ports)
        + (pairs == 0 ? "" : "  (%,d %s of pods)".formatted(pairs, pairs == 1 ? "pair" : "pairs"));
  }

  private static String word(WhatIf.Fate fate) {
    return fate.name().toLowerCase(Locale.ROOT);
  }

  /** The same for programs, with every path. */
  public static Map<String, Object> json(WhatIf found) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("openedPairs", found.openedPairs());
    all.put("closedPairs", found.closedPairs());
    List<Map<String, Object>> paths = new ArrayList<>();
    found.workloads().forEach((path, change) -> paths.add(json(path, change)));
    all.put("paths", paths);
    all.put(
        "seen",
        found.seen().stream()
            .map(one ->
                AuditJson.ordered(
                    "from", one.connection().from(),
                    "to", one.connection().to(),
                    "protocol", one.connection().protocol().label(),
                    "port", one.connection().port(),
                    "times", one.connection().times(),
                    "fate", word(one.fate()),
                    "why", one.why()))
            .toList());
    return all;
  }

  private static Map<String, Object> json(Crossing<String> path, PathChange change) {
    return AuditJson.ordered(
        "from", path.from(),
        "to", path.to(),
        "opened", AuditJson.ports(change.opened()),
        "openedPairs", change.openedPairs(),
        "closed", AuditJson.ports(change.closed()),
        "closedPairs", change.closedPairs());
  }
}
