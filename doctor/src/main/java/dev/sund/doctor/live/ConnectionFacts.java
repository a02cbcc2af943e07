package dev.sund.doctor.live;

import dev.sund.doctor.LineText;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.conntrack.ConntrackFilter;
import dev.sund.kernel.conntrack.ConntrackSocket;
import dev.sund.model.Ip;
import java.util.HashMap;
import java.util.Map;

/** Whose connections are in the kernel's table: all of it is read, and counted as it comes. */
final class ConnectionFacts {
  /** So many sources and zones are told, those with the most connections. */
  private static final int TOLD = 10;

  private ConnectionFacts() {}

  static String of(NetNs node) throws KernelException {
    Map<Ip, int[]> sources = new HashMap<>();
    Map<Integer, int[]> zones = new HashMap<>();
    int[] counts = new int[4];
    try (ConntrackSocket socket = ConntrackSocket.open(node)) {
      socket.list(
          ConntrackFilter.ALL,
          entry -> {
            counts[0]++;
            counts[1] += entry.isAnswered() ? 0 : 1;
            counts[2] += entry.tcp().isPresent() && entry.timeoutSeconds() > 86_400 ? 1 : 0;
            counts[3] += entry.original().protocol() == 17 ? 1 : 0;
            sources.computeIfAbsent(entry.original().source(), _ -> new int[1])[0]++;
            zones.computeIfAbsent(entry.zone(), _ -> new int[1])[0]++;
          });
    }
    LineText text = new LineText();
    text.word("all", counts[0])
        .word("unanswered", counts[1])
        .word("longer-than-a-day", counts[2])
        .word("udp", counts[3])
        .word("sources", sources.size())
        .end();
    most("zone", zones, text);
    most("source", sources, text);
    return text.toString();
  }

  private static void most(String key, Map<?, int[]> counts, LineText text) {
    counts.entrySet().stream()
        .sorted((a, b) -> Integer.compare(b.getValue()[0], a.getValue()[0]))
        .limit(TOLD)
        .forEach(entry -> text.word(key, entry.getKey()).word("count", entry.getValue()[0]).end());
  }
}
