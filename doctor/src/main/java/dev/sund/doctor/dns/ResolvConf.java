package dev.sund.doctor.dns;

import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How programs find names: what {@code resolv.conf} says (resolv.conf(5)).
 *
 * @param servers asked in this order; what is no address is left out
 * @param search domains that are put behind names, in this order
 * @param ndots names with fewer dots are tried with the domains first
 * @param options all of them, as they are written
 */
public record ResolvConf(List<Ip> servers, List<String> search, int ndots, List<String> options) {
  private static final int MOST_NDOTS = 15;

  public ResolvConf {
    servers = List.copyOf(servers);
    search = List.copyOf(search);
    options = List.copyOf(options);
  }

  /** Reads a file's text; lines that are not understood are passed over, as C libraries do. */
  public static ResolvConf parse(String text) {
    List<Ip> servers = new ArrayList<>();
    List<String> search = List.of();
    List<String> options = new ArrayList<>();
    int ndots = 1;
    for (String line : text.lines().toList()) {
      List<String> words = new ArrayList<>(List.of(line.strip().split("\\s+")));
      String first = words.removeFirst();
      switch (first) {
        case "nameserver" ->
            words.stream()
                .findFirst()
                .flatMap(word -> Ip.tryParse(word.replaceFirst("%.*", "")))
                .ifPresent(servers::add);
        case "search", "domain" -> search = words; // the last one counts
        case "options" -> {
          options.addAll(words);
          for (String word : words) {
            if (word.matches("ndots:\\d{1,4}")) {
              ndots = Math.min(MOST_NDOTS, Integer.parseInt(word.substring("ndots:".length())));
            }
          }
        }
        default -> {} // a comment, sortlist
      }
    }
    return new ResolvConf(servers, search.stream().map(ResolvConf::bare).toList(), ndots, options);
  }

  /** The names that are asked for one after another until one of them is there. */
  public List<String> expansions(String name) {
    if (name.endsWith(".")) {
      return List.of(bare(name));
    }
    List<String> names = new ArrayList<>();
    for (String domain : search) {
      names.add(domain.isEmpty() ? name : name + "." + domain);
    }
    long dots = name.chars().filter(c -> c == '.').count();
    names.add(dots >= ndots ? 0 : names.size(), name);
    return names.stream().distinct().toList();
  }

  /** The cluster's domain, by the search list that the kubelet writes: what stands behind svc. */
  public Optional<String> clusterDomain() {
    return search.stream()
        .filter(domain -> domain.startsWith("svc."))
        .map(domain -> domain.substring("svc.".length()))
        .findFirst();
  }

  private static String bare(String domain) {
    return domain.endsWith(".") ? domain.substring(0, domain.length() - 1) : domain;
  }
}
