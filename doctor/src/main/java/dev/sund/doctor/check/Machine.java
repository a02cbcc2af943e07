package dev.sund.doctor.check;

import dev.sund.doctor.Host;
import dev.sund.doctor.Setting;
import dev.sund.doctor.UnreadException;
import java.util.List;

/** What checks of all families ask of the machine. */
final class Machine {
  private static final String MEMORY = "proc/meminfo";
  private static final String UPTIME = "proc/uptime";

  private Machine() {}

  /** Its processors. */
  static long cores(Host host) throws UnreadException {
    return Math.max(
        1, host.text("proc/stat").lines().filter(line -> line.matches("cpu\\d+ .*")).count());
  }

  /** Its memory in bytes. */
  static long memory(Host host) throws UnreadException {
    return meminfo(host, "MemTotal");
  }

  /** A line of {@code /proc/meminfo}, in bytes. */
  static long meminfo(Host host, String name) throws UnreadException {
    for (String line : host.text(MEMORY).lines().toList()) {
      String[] words = line.split("[:\\s]+");
      if (words.length >= 2 && words[0].equals(name) && words[1].matches("\\d{1,15}")) {
        return Long.parseLong(words[1]) << 10;
      }
    }
    throw new UnreadException("/" + MEMORY + " has no " + name, "Is /proc mounted?");
  }

  /** The limits of a table of neighbours, each twice the one before; the largest at first. */
  static List<Setting> neighbours(String family, long most) {
    String key = "net/" + family + "/neigh/default/gc_thresh";
    // The largest first: they are never the wrong way round in between.
    return List.of(
        new Setting.Sysctl(key + 3, most),
        new Setting.Sysctl(key + 2, most / 2),
        new Setting.Sysctl(key + 1, most / 4));
  }

  /** For how long it has been running, in seconds. */
  static double uptime(Host host) throws UnreadException {
    String text = host.text(UPTIME);
    try {
      return Double.parseDouble(text.split("\\s+")[0]);
    } catch (NumberFormatException _) {
      throw new UnreadException("/" + UPTIME + " says '" + text + "'", "Is /proc mounted?");
    }
  }
}
