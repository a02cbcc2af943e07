package dev.sund.doctor.check;

import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The node's processes, by what they call themselves. */
final class Processes {
  private Processes() {}

  /**
   * A process.
   *
   * @param number by which its files are found
   * @param name what the kernel calls it, at most 15 characters
   * @param words its command line
   */
  record One(String number, String name, List<String> words) {
    /** The value of an option: {@code --name=VALUE}, or the next word. */
    Optional<String> option(String option) {
      for (int i = 0; i < words.size(); i++) {
        if (words.get(i).startsWith(option + "=")) {
          return Optional.of(words.get(i).substring(option.length() + 1));
        }
        if (words.get(i).equals(option) && i + 1 < words.size()) {
          return Optional.of(words.get(i + 1));
        }
      }
      return Optional.empty();
    }
  }

  /** Those of these names. */
  static List<One> named(Host host, Set<String> names) throws UnreadException {
    List<One> found = new ArrayList<>();
    for (String entry : host.names("proc")) {
      if (Character.isDigit(entry.charAt(0))) {
        // A process may end while it is looked at.
        String name = host.textIfThere("proc/" + entry + "/comm").orElse("");
        if (names.contains(name)) {
          String line = host.textIfThere("proc/" + entry + "/cmdline").orElse("");
          found.add(new One(entry, name, List.of(line.split("\0"))));
        }
      }
    }
    return found;
  }
}
