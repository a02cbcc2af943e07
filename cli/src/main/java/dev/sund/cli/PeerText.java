package dev.sund.cli;

import dev.sund.doctor.check.Fabric;
import dev.sund.doctor.check.Peer;
import dev.sund.doctor.probe.Crossing;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a probe has measured, beside what checks make of it: the figures and the fabric to use. */
final class PeerText {
  private PeerText() {}

  static void print(Peer peer, PrintWriter out) {
    Peer.Echoes echoes = peer.echoes();
    out.println();
    out.printf(
        "%s: %d bytes there, %d back; %s ms (at most %s), jitter %s there, %s back; lost %s there,"
            + " %s back%n",
        peer.address(),
        peer.there().carries(),
        peer.back().carries(),
        millis(echoes.median()),
        millis(echoes.most()),
        millis(echoes.jitterThere()),
        millis(echoes.jitterBack()),
        percent(echoes.sent() - echoes.heard(), echoes.sent()),
        percent(echoes.heard() - echoes.back(), echoes.heard()));
    out.println("  passes    " + among(peer, "passes"));
    for (String outcome : List.of("there only", "back only", "blocked", "not tried")) {
      String kinds = among(peer, outcome);
      if (!kinds.isEmpty()) {
        out.printf("  %-9s %s%n", outcome, kinds);
      }
    }
    out.println(Fabric.of(peer).sentence());
    out.flush();
  }

  private static String among(Peer peer, String outcome) {
    List<String> kinds = new ArrayList<>();
    for (Crossing kind : Crossing.values()) {
      if (outcome(peer, kind).equals(outcome)) {
        String why = peer.there().skipped().getOrDefault(kind, peer.back().skipped().get(kind));
        kinds.add(kind.text() + (why == null ? "" : " [" + why + "]"));
      }
    }
    return String.join(", ", kinds);
  }

  private static String outcome(Peer peer, Crossing kind) {
    boolean there = peer.there().heard().contains(kind);
    boolean back = peer.back().heard().contains(kind);
    if (there && back) {
      return "passes";
    }
    if (peer.there().loses(kind) || peer.back().loses(kind)) {
      return there ? "there only" : back ? "back only" : "blocked";
    }
    return "not tried";
  }

  /** All of it, for programs. */
  static Map<String, Object> whole(Peer peer) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("peer", peer.address());
    fields.put("port", peer.port());
    fields.put("onLink", peer.onLink());
    fields.put("there", way(peer.there()));
    fields.put("back", way(peer.back()));
    Peer.Echoes echoes = peer.echoes();
    Map<String, Object> times = new LinkedHashMap<>();
    times.put("sent", echoes.sent());
    times.put("heard", echoes.heard());
    times.put("back", echoes.back());
    times.put("medianMicros", echoes.median());
    times.put("mostMicros", echoes.most());
    times.put("jitterThereMicros", echoes.jitterThere());
    times.put("jitterBackMicros", echoes.jitterBack());
    fields.put("echoes", times);
    Fabric fabric = Fabric.of(peer);
    Map<String, Object> use = new LinkedHashMap<>();
    use.put("name", fabric.name());
    use.put("mtu", fabric.mtu());
    use.put("settings", fabric.settings());
    use.put("why", fabric.why());
    fields.put("fabric", use);
    return fields;
  }

  private static Map<String, Object> way(Peer.Way way) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("senderMtu", way.tried());
    fields.put("pathMtu", way.carries());
    way.said().ifPresent(size -> fields.put("saidMtu", size));
    if (!way.by().isEmpty()) {
      fields.put("saidBy", way.by());
    }
    fields.put("refusalsComeBack", way.refusal());
    Map<String, Object> kinds = new LinkedHashMap<>();
    for (Crossing kind : Crossing.values()) {
      String skipped = way.skipped().get(kind);
      if (skipped != null) {
        kinds.put(kind.key(), "skipped: " + skipped);
      } else if (way.heard().contains(kind)) {
        kinds.put(kind.key(), "passes");
      } else {
        kinds.put(kind.key(), way.loses(kind) ? "blocked" : "not sent");
      }
    }
    fields.put("crossings", kinds);
    return fields;
  }

  private static String millis(long micros) {
    return micros < 10_000 ? "%.2f".formatted(micros / 1e3) : "%.0f".formatted(micros / 1e3);
  }

  private static String percent(long lost, long of) {
    return of <= 0 ? "all" : "%.1f %%".formatted(100.0 * Math.max(lost, 0) / of);
  }
}
