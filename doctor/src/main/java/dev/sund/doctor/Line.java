package dev.sund.doctor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A line of a fact: words of the form {@code KEY=VALUE} with a space between, such as {@code
 * link=eth0 mtu=1500 up=1}. A value has no white space; a list has commas.
 *
 * @param fact of which it is a line
 * @param words in their order
 */
public record Line(String fact, Map<String, String> words) {
  /**
   * All lines of a text; empty ones are left out.
   *
   * @throws UnreadException when a word has no key
   */
  public static List<Line> of(String fact, String text) throws UnreadException {
    List<Line> lines = new ArrayList<>();
    for (String line : text.split("\n")) {
      // Without regular expressions: a node with many pods has thousands of lines.
      Map<String, String> words = new LinkedHashMap<>();
      int begin = 0;
      while (begin < line.length()) {
        int end = begin;
        while (end < line.length() && !Character.isWhitespace(line.charAt(end))) {
          end++;
        }
        int at = line.indexOf('=', begin);
        if (at > begin && at < end) {
          words.put(line.substring(begin, at), line.substring(at + 1, end));
        } else if (end > begin) {
          throw malformed(fact, line.substring(begin, end));
        }
        begin = end + 1;
      }
      if (!words.isEmpty()) {
        lines.add(new Line(fact, words));
      }
    }
    return lines;
  }

  /** A value; empty when the line has none of that key. */
  public String text(String key) {
    return words.getOrDefault(key, "");
  }

  /** Whether the line has this key. */
  public boolean has(String key) {
    return words.containsKey(key);
  }

  /** Whether a value is 1. */
  public boolean is(String key) {
    return text(key).equals("1");
  }

  /** The parts of a list; none when there is none. */
  public List<String> list(String key) {
    String text = text(key);
    return text.isEmpty() ? List.of() : List.of(text.split(","));
  }

  /**
   * A whole number; 0 when the line has none of that key.
   *
   * @throws UnreadException when it is no number
   */
  public long number(String key) throws UnreadException {
    String text = text(key);
    try {
      return text.isEmpty() ? 0 : Long.parseLong(text);
    } catch (NumberFormatException _) {
      throw malformed(fact, key + "=" + text);
    }
  }

  private static UnreadException malformed(String fact, String word) {
    return new UnreadException(
        "/" + Host.FACTS + "/" + fact + " has '" + word + "', which is not understood",
        "Record it again, with this release.");
  }
}
