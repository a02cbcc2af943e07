package dev.sund.doctor.tune;

import dev.sund.doctor.Setting;
import dev.sund.doctor.check.SysctlFiles;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A file that {@code sund tune} writes: settings, or modules. Above each line stands its reason.
 *
 * @param path without the leading slash
 * @param lines by key with slashes, or by module
 */
record TuneFile(String path, Map<String, Line> lines) {
  private static final String HEADER =
      """
      # Written by sund tune. Do not edit: sund tune --apply writes it anew,
      # sund tune --revert removes it and puts back what was before.
      """;

  /**
   * A line.
   *
   * @param value empty for modules
   */
  record Line(String value, String why) {}

  /**
   * A file as it is.
   *
   * @param text empty when it is not there
   * @throws NotTunedException when somebody else wrote it
   */
  static TuneFile of(String path, String text) throws NotTunedException {
    TuneFile file = new TuneFile(path, new LinkedHashMap<>());
    if (text.isEmpty()) {
      return file;
    }
    if (!text.startsWith(HEADER.strip())) {
      throw new NotTunedException(
          "/" + path + " is there and was not written by sund tune.",
          "Give it another name, such as 98-local.conf, and run it again.");
    }
    StringBuilder why = new StringBuilder();
    for (String line : text.substring(HEADER.strip().length()).lines().toList()) {
      if (line.startsWith("# ")) {
        why.append(why.isEmpty() ? "" : " ").append(line.substring(2));
      } else if (!line.isBlank()) {
        int equal = line.indexOf('=');
        String key = (equal < 0 ? line : line.substring(0, equal)).strip();
        file.put(
            key.indexOf('/') >= 0 ? key : key.replace('.', '/'),
            equal < 0 ? "" : SysctlFiles.normal(line.substring(equal + 1)),
            why.toString());
        why.setLength(0);
      }
    }
    return file;
  }

  void put(String key, String value, String why) {
    lines.put(key, new Line(value, why));
  }

  /** As it is written; empty without lines. Ends with a line's end, which reading cuts off. */
  String text() {
    if (lines.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder(HEADER);
    lines.forEach((key, line) -> {
      text.append("\n# ").append(line.why()).append('\n');
      text.append(
          line.value().isEmpty() ? key : Setting.Sysctl.written(key) + " = " + line.value());
      text.append('\n');
    });
    return text.toString();
  }
}
