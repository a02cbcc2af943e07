package dev.sund.kube.manifest;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Knows a Kubernetes object whose indentation was lost, as it happens to listings that are copied
 * from a web page: what belongs below {@code metadata} or {@code spec} stands beside it. Such text
 * is well-formed YAML of another meaning, or has a key twice; neither helps its reader.
 */
final class LostIndentation {
  private static final Pattern PARENT = Pattern.compile("(metadata|spec):\\s*(#.*)?");
  private static final Pattern KEY = Pattern.compile("([A-Za-z][A-Za-z0-9]*):(\\s.*)?");
  private static final Set<String> OF_METADATA =
      Set.of("name", "namespace", "labels", "annotations", "generateName");
  private static final Set<String> BESIDE_SPEC =
      Set.of("apiVersion", "kind", "metadata", "spec", "status", "data");

  private LostIndentation() {}

  /**
   * Where indentation was lost first.
   *
   * @param line of the key that should be indented, from 1
   * @param key that key
   * @param parent the key above it
   */
  record Place(int line, String key, String parent) {}

  /** The first such place of the text, if there is one. */
  static Optional<Place> find(String text) {
    List<String> lines = text.lines().toList();
    String parent = "";
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).stripTrailing();
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      Matcher key = KEY.matcher(line);
      boolean plain = key.matches();
      if (plain && belongsBelow(parent, key.group(1))) {
        return Optional.of(new Place(i + 1, key.group(1), parent));
      }
      Matcher above = PARENT.matcher(line);
      parent = above.matches() ? above.group(1) : "";
    }
    return Optional.empty();
  }

  private static boolean belongsBelow(String parent, String key) {
    return switch (parent) {
      case "metadata" -> OF_METADATA.contains(key);
      case "spec" -> !BESIDE_SPEC.contains(key);
      default -> false;
    };
  }
}
