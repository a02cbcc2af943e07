package dev.sund.doctor.pods;

import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The addresses of a network namespace, read from {@code fib_trie} and {@code if_inet6}: files that
 * show another process's network to whoever may not, or need not, enter it.
 */
final class LocalAddresses {
  private LocalAddresses() {}

  /** All but those of loopback and link, sorted. */
  static List<Ip> read(String fibTrie, String ifInet6) {
    TreeSet<Ip> found = new TreeSet<>();
    String last = "";
    for (String line : fibTrie.split("\n", -1)) {
      String text = line.strip();
      if (text.startsWith("|-- ")) {
        last = text.substring(4);
      } else if (text.equals("/32 host LOCAL")) {
        Ip.tryParse(last).ifPresent(found::add);
      }
    }
    for (String line : ifInet6.split("\n", -1)) {
      v6(line).ifPresent(found::add);
    }
    return found.stream().filter(ip -> !ip.isLoopback() && !ip.isLinkLocal()).toList();
  }

  /** {@code 20010db8000000000000000000000005 02 40 00 80 eth0}. */
  private static Optional<Ip> v6(String line) {
    if (!line.matches("[0-9a-f]{32} .*")) {
      return Optional.empty();
    }
    List<String> groups = new ArrayList<>();
    for (int i = 0; i < 32; i += 4) {
      groups.add(line.substring(i, i + 4));
    }
    return Ip.tryParse(String.join(":", groups));
  }
}
