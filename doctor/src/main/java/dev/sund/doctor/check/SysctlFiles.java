package dev.sund.doctor.check;

import dev.sund.doctor.Host;
import dev.sund.doctor.UnreadException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What files set when a node starts. sysctl.d(5): of files of one name the first folder's counts,
 * all are read in the order of their names, and the last assignment wins; {@code sysctl --system}
 * reads {@code /etc/sysctl.conf} last of all.
 *
 * @param values of each key its assignments in their order, the last one counts
 */
public record SysctlFiles(Map<String, List<Assignment>> values) {
  /** The file of {@code sund tune}. */
  public static final String OURS = "etc/sysctl.d/99-sund.conf";

  /**
   * A line of a file.
   *
   * @param value words with one space between
   * @param file its path, without the leading slash
   */
  public record Assignment(String value, String file) {}

  private static final List<String> FOLDERS =
      List.of(
          "etc/sysctl.d",
          "run/sysctl.d",
          "usr/local/lib/sysctl.d",
          "usr/lib/sysctl.d",
          "lib/sysctl.d");

  /**
   * Reads them.
   *
   * @throws UnreadException when a folder or a file cannot be read
   */
  public static SysctlFiles of(Host host) throws UnreadException {
    Map<String, String> files = new TreeMap<>();
    for (String folder : FOLDERS) {
      for (String name : host.names(folder)) {
        if (name.endsWith(".conf")) {
          files.putIfAbsent(name, folder + "/" + name);
        }
      }
    }
    List<String> order = new ArrayList<>(files.values());
    order.add("etc/sysctl.conf");
    Map<String, List<Assignment>> values = new TreeMap<>();
    for (String file : order) {
      for (String line : host.textIfThere(file).orElse("").lines().toList()) {
        String text = line.strip();
        int equal = text.indexOf('=');
        if (equal <= 0 || text.startsWith("#") || text.startsWith(";") || text.contains("*")) {
          continue;
        }
        String key = key(text.substring(0, equal).strip());
        List<Assignment> all = values.computeIfAbsent(key, _ -> new ArrayList<>());
        // Debian has 99-sysctl.conf as a link to sysctl.conf: one file, read twice.
        Assignment one = new Assignment(normal(text.substring(equal + 1)), file);
        boolean repeats = !all.isEmpty() && all.getLast().value().equals(one.value());
        if (!repeats || file.equals(OURS)) {
          all.add(one);
        }
      }
    }
    return new SysctlFiles(values);
  }

  /** {@code net.ipv4.ip_forward}; a slash instead of a dot at first means that dots are names'. */
  private static String key(String written) {
    String key = written.startsWith("-") ? written.substring(1) : written;
    int dot = key.indexOf('.');
    int slash = key.indexOf('/');
    boolean slashes = slash >= 0 && (dot < 0 || slash < dot);
    return slashes ? key : key.replace('.', '/');
  }

  /** A value with one space between its words. */
  public static String normal(String value) {
    return value.strip().replaceAll("\\s+", " ");
  }
}
