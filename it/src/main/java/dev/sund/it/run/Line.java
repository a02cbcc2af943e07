package dev.sund.it.run;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/**
 * One line between the runner and a worker: a word and its arguments, encoded so that they hold any
 * text. Lines that do not begin with the mark are something a test printed.
 */
final class Line {
  private static final String MARK = "\u0001sund\t";

  private Line() {}

  static String encode(String... words) {
    StringBuilder line = new StringBuilder(MARK);
    for (String word : words) {
      line.append(Base64.getEncoder().encodeToString(word.getBytes(StandardCharsets.UTF_8)))
          .append('\t');
    }
    return line.toString();
  }

  static Optional<List<String>> decode(String line) {
    int at = line.indexOf(MARK);
    if (at < 0) {
      return Optional.empty();
    }
    List<String> words = new ArrayList<>();
    for (String part : line.substring(at + MARK.length()).split("\t", -1)) {
      words.add(new String(Base64.getDecoder().decode(part), StandardCharsets.UTF_8));
    }
    words.removeLast(); // behind the last tab
    return Optional.of(words);
  }
}
