package dev.sund.agent.bridge;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads a file in the form of resolv.conf(5) as CNI's {@code dns}. */
final class ResolvConf {
  private ResolvConf() {}

  /** Keys without a value are left out. */
  static Map<String, Object> read(Path file) throws IOException {
    List<String> nameservers = new ArrayList<>();
    List<String> search = new ArrayList<>();
    List<String> options = new ArrayList<>();
    String domain = "";
    for (String line : Files.readAllLines(file, StandardCharsets.ISO_8859_1)) {
      String text = line.strip();
      if (text.isEmpty() || text.startsWith("#") || text.startsWith(";")) {
        continue;
      }
      List<String> words = List.of(text.split("\\s+"));
      if (words.size() < 2) {
        continue;
      }
      switch (words.getFirst()) {
        case "nameserver" -> nameservers.add(words.get(1));
        case "domain" -> domain = words.get(1);
        case "search" -> search.addAll(words.subList(1, words.size()));
        case "options" -> options.addAll(words.subList(1, words.size()));
        default -> {} // sortlist and others, which CNI cannot say
      }
    }
    Map<String, Object> dns = new LinkedHashMap<>();
    put(dns, "nameservers", nameservers);
    if (!domain.isEmpty()) {
      dns.put("domain", domain);
    }
    put(dns, "search", search);
    put(dns, "options", options);
    return dns;
  }

  private static void put(Map<String, Object> dns, String key, List<String> values) {
    if (!values.isEmpty()) {
      dns.put(key, values);
    }
  }
}
