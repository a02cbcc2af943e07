package dev.sund.kube.foreign;

import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The values that a Helm chart is given, by their dotted names: of a values file, of {@code --set}
 * options, or of a whole {@code helm install} command as articles print it.
 */
public final class HelmValues {
  private static final Pattern COMMAND = Pattern.compile("(?s)\\s*(\\$ )?(sudo )?helm\\s.*");
  private static final Pattern WORD = Pattern.compile("\"([^\"]*)\"|'([^']*)'|([^\\s\"']+)");

  private HelmValues() {}

  /**
   * Reads a file's text.
   *
   * @return names such as {@code hubble.relay.enabled} with what they are set to, in their order; a
   *     list's elements with commas between them
   * @throws MalformedException when it is neither YAML nor such a command
   */
  public static Map<String, String> read(String text) throws MalformedException {
    return COMMAND.matcher(text).matches() ? ofCommand(text) : ofYaml(text);
  }

  /** The values of {@code --set} options, such as {@code a.b=c,d=e}. */
  public static Map<String, String> ofSet(List<String> options) {
    Map<String, String> values = new LinkedHashMap<>();
    for (String option : options) {
      for (String pair : option.split(",(?![^{]*\\})", -1)) {
        int equals = pair.indexOf('=');
        if (equals > 0) {
          String value = pair.substring(equals + 1);
          values.put(pair.substring(0, equals), value.replaceAll("^\\{(.*)\\}$", "$1"));
        }
      }
    }
    return values;
  }

  private static Map<String, String> ofCommand(String text) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    String joined = text.replaceAll("\\\\\\s*\\n", " ");
    int end = 0;
    Matcher matcher = WORD.matcher(joined);
    while (matcher.find()) {
      if (matcher.start() > end && !word.isEmpty()) {
        words.add(word.toString());
        word.setLength(0);
      }
      for (int group = 1; group <= 3; group++) {
        word.append(matcher.group(group) == null ? "" : matcher.group(group));
      }
      end = matcher.end();
    }
    words.add(word.toString());
    List<String> sets = new ArrayList<>();
    for (int i = 0; i < words.size(); i++) {
      if (words.get(i).matches("--set(-string)?") && i + 1 < words.size()) {
        sets.add(words.get(i + 1));
      } else if (words.get(i).matches("--set(-string)?=.*")) {
        sets.add(words.get(i).substring(words.get(i).indexOf('=') + 1));
      }
    }
    return ofSet(sets);
  }

  private static Map<String, String> ofYaml(String text) throws MalformedException {
    List<Tree> documents = YamlTrees.documents(text);
    Map<String, String> values = new LinkedHashMap<>();
    for (Tree document : documents) {
      if (!(document instanceof Tree.Mapping)) {
        throw new MalformedException(
            Math.max(1, document.line()),
            Math.max(1, document.column()),
            "a chart's values are a mapping, but here is " + document.described());
      }
      flatten("", document, values);
    }
    return values;
  }

  private static void flatten(String path, Tree tree, Map<String, String> values) {
    switch (tree) {
      case Tree.Mapping mapping -> {
        if (mapping.fields().isEmpty() && !path.isEmpty()) {
          values.put(path, "");
        }
        mapping
            .fields()
            .forEach(
                (key, value) -> flatten(path.isEmpty() ? key : path + "." + key, value, values));
      }
      case Tree.Sequence sequence ->
          values.put(
              path,
              sequence.items().stream()
                  .map(item -> item instanceof Tree.Scalar scalar ? scalar.text() : "...")
                  .collect(Collectors.joining(",")));
      case Tree.Scalar scalar -> values.put(path, scalar.text());
    }
  }
}
