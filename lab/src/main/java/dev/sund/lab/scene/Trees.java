package dev.sund.lab.scene;

import dev.sund.kube.tree.Tree;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads and rewrites the objects of manifests. */
public final class Trees {
  private Trees() {}

  /** The mapping at {@code key}, empty when there is none. */
  public static Tree.Mapping child(Tree.Mapping of, String key) {
    return of.mapping(key).orElse(Tree.Mapping.of(Map.of()));
  }

  /** The list at {@code key}, empty when there is none. */
  public static List<Tree> items(Tree.Mapping of, String key) {
    return of.get(key).orElse(null) instanceof Tree.Sequence list ? list.items() : List.of();
  }

  /** The texts of the list at {@code key}. */
  public static List<String> texts(Tree.Mapping of, String key) {
    List<String> texts = new ArrayList<>();
    for (Tree item : items(of, key)) {
      if (item instanceof Tree.Scalar scalar) {
        texts.add(scalar.text());
      }
    }
    return texts;
  }

  /** The texts at {@code key} of each mapping of a list. */
  public static List<String> texts(Tree.Mapping of, String list, String key) {
    List<String> texts = new ArrayList<>();
    for (Tree item : items(of, list)) {
      if (item instanceof Tree.Mapping mapping) {
        mapping.text(key).ifPresent(texts::add);
      }
    }
    return texts;
  }

  /** A mapping of keys and texts. */
  public static Tree.Mapping mapping(String... keysAndTexts) {
    Map<String, Tree> fields = new LinkedHashMap<>();
    for (int i = 0; i < keysAndTexts.length; i += 2) {
      fields.put(keysAndTexts[i], Tree.Scalar.text(keysAndTexts[i + 1]));
    }
    return Tree.Mapping.of(fields);
  }

  /** A list of texts. */
  public static Tree.Sequence texts(List<?> values) {
    return Tree.Sequence.of(
        values.stream().map(value -> Tree.Scalar.text(value.toString())).toList());
  }

  /** {@code [{ip: ...}, ...]}. */
  public static Tree.Sequence ips(List<Ip> ips) {
    return Tree.Sequence.of(ips.stream().map(ip -> mapping("ip", ip.toString())).toList());
  }
}
