package dev.sund.doctor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What checks asked a node and what they were answered, as the files of a tree that answers alike:
 * a {@link Host} of that tree leads to the same findings.
 */
public final class Recording {
  private final Map<String, String> texts = new TreeMap<>();
  private final Map<String, String> before = new TreeMap<>();
  private final Set<String> folders = new TreeSet<>();
  private final Set<String> others = new TreeSet<>();
  private final Map<String, UnreadException> unread = new TreeMap<>();
  private double seconds = 1;

  /** Begins with nothing. */
  public Recording() {}

  void text(String path, String text) {
    texts.put(path, text);
    unread.remove(path); // the second look counts
  }

  void before(String path, String text) {
    before.put(path, text);
  }

  void window(double length) {
    seconds = length;
  }

  void folder(String path, List<String> names) {
    folders.add(path);
    names.forEach(name -> others.add(path + "/" + name));
  }

  void there(String path, boolean isFolder) {
    (isFolder ? folders : others).add(path);
  }

  void unread(String path, UnreadException why) {
    unread.put(path, why);
  }

  /** The folders of the tree, which may be empty. */
  public List<String> folders() {
    return List.copyOf(folders);
  }

  /**
   * The files of the tree, by path. What was only seen to be there is an empty file, unless
   * something is known below it.
   */
  public Map<String, String> files() {
    Map<String, String> files = new LinkedHashMap<>();
    before.forEach((path, text) -> files.put(Host.BEFORE + "/" + path, text));
    files.putAll(texts);
    List<String> known = new ArrayList<>(texts.keySet());
    known.addAll(folders);
    known.addAll(unread.keySet());
    TreeSet<String> inside = new TreeSet<>(known);
    for (String path : others) {
      String below = inside.ceiling(path + "/");
      boolean isFolder = below != null && below.startsWith(path + "/");
      boolean isUnpacked =
          path.endsWith(".gz") && texts.containsKey(path.replaceFirst("\\.gz$", ""));
      if (!isFolder && !isUnpacked && !texts.containsKey(path) && !folders.contains(path)) {
        files.put(path, "");
      }
    }
    files.put(Host.WINDOW, String.valueOf(seconds));
    StringBuilder why = new StringBuilder();
    unread.forEach((path, one) ->
        why.append(path)
            .append('\t')
            .append(flat(String.valueOf(one.getMessage())))
            .append('\t')
            .append(flat(one.remedy()))
            .append('\n'));
    if (!why.isEmpty()) {
      files.put(Host.UNREAD, why.toString());
    }
    return files;
  }

  private static String flat(String text) {
    return text.replaceAll("[\\t\\n]+", " ");
  }

  /** What a recorded tree says of what could not be read. */
  static Map<String, UnreadException> unreadOf(String text) {
    Map<String, UnreadException> unread = new TreeMap<>();
    for (String line : text.lines().toList()) {
      String[] words = line.split("\t", -1);
      if (words.length == 3) {
        unread.put(words[0], new UnreadException(words[1], words[2]));
      }
    }
    return unread;
  }
}
