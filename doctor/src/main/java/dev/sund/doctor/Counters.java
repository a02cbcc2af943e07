package dev.sund.doctor;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Counters that only grow, by name, as files under {@code /proc/net} show them.
 *
 * @param values by name
 */
public record Counters(Map<String, Long> values) {
  public Counters {
    values = Map.copyOf(values);
  }

  /** A counter; 0 when this kernel has none of that name. */
  public long get(String name) {
    return values.getOrDefault(name, 0L);
  }

  /** By how much a counter is more than in an earlier reading; 0 when it began anew. */
  public long since(Counters earlier, String name) {
    return Math.max(0, get(name) - earlier.get(name));
  }

  /**
   * {@code /proc/net/snmp} and {@code /proc/net/netstat}: pairs of lines, names and values, both
   * after the protocol. The names here are like {@code Tcp.RetransSegs}.
   *
   * @throws UnreadException when the lines do not pair
   */
  public static Counters ofPairs(String path, String text) throws UnreadException {
    Map<String, Long> values = new LinkedHashMap<>();
    List<String> lines = text.lines().toList();
    for (int i = 0; i + 1 < lines.size(); i += 2) {
      String[] names = lines.get(i).split("\\s+");
      String[] numbers = lines.get(i + 1).split("\\s+");
      if (names.length != numbers.length || !names[0].equals(numbers[0])) {
        throw malformed(path, lines.get(i + 1));
      }
      String protocol = names[0].replace(":", "");
      for (int k = 1; k < names.length; k++) {
        values.put(protocol + "." + names[k], number(path, numbers[k], 10));
      }
    }
    return new Counters(values);
  }

  /**
   * {@code /proc/net/stat/*}: a line of names, then a line of hexadecimal values for each
   * processor, added up here. What is no sum is what one processor says: {@code entries}.
   *
   * @throws UnreadException when a line has another number of values
   */
  public static Counters ofProcessors(String path, String text) throws UnreadException {
    List<String> lines = text.lines().toList();
    String[] names = lines.getFirst().strip().split("\\s+");
    Map<String, Long> values = new LinkedHashMap<>();
    for (String line : lines.subList(1, lines.size())) {
      String[] numbers = line.strip().split("\\s+");
      if (numbers.length != names.length) {
        throw malformed(path, line);
      }
      for (int k = 0; k < names.length; k++) {
        long value = number(path, numbers[k], 16);
        values.merge(names[k], value, names[k].equals("entries") ? Math::max : Long::sum);
      }
    }
    return new Counters(values);
  }

  /**
   * {@code /proc/net/snmp6}: a name and a value a line.
   *
   * @throws UnreadException when a line has something else
   */
  public static Counters ofLines(String path, String text) throws UnreadException {
    Map<String, Long> values = new LinkedHashMap<>();
    for (String line : text.lines().toList()) {
      String[] words = line.strip().split("\\s+");
      if (words.length != 2) {
        throw malformed(path, line);
      }
      values.put(words[0], number(path, words[1], 10));
    }
    return new Counters(values);
  }

  /** These and others. */
  public Counters and(Counters others) {
    Map<String, Long> both = new LinkedHashMap<>(values);
    both.putAll(others.values);
    return new Counters(both);
  }

  /**
   * A number in such a file.
   *
   * @throws UnreadException when it is none
   */
  public static long number(String path, String text, int radix) throws UnreadException {
    try {
      return Long.parseLong(text, radix);
    } catch (NumberFormatException _) {
      throw malformed(path, text);
    }
  }

  private static UnreadException malformed(String path, String line) {
    return new UnreadException(
        "/" + path + " has the line '" + line + "', which is not understood",
        "Report it with the kernel's version.");
  }
}
