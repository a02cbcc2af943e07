package dev.sund.engine.policy;

import dev.sund.model.LabelSelector;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A namespace of which something is known: itself, a pod, or a rule that names it. */
final class KnownNamespace {
  final String name;

  /** Null while it was not told. */
  @Nullable Map<String, String> labels;

  final Map<String, KnownPod> pods = new HashMap<>();

  /** The atoms that name it. */
  final Set<Atom> atoms = new LinkedHashSet<>();

  /** The atoms that select it by its labels, together where they select alike. */
  Set<Group> groups = new LinkedHashSet<>();

  /** Atoms that select the same namespaces. */
  static final class Group {
    final LabelSelector namespaces;
    final Set<Atom> atoms = new LinkedHashSet<>();

    Group(LabelSelector namespaces) {
      this.namespaces = namespaces;
    }
  }

  KnownNamespace(String name) {
    this.name = name;
  }

  /** Whether a selector selects it: one that is not known by its labels only what selects all. */
  boolean isSelectedBy(LabelSelector selector) {
    return isSelected(selector, labels);
  }

  static boolean isSelected(LabelSelector selector, @Nullable Map<String, String> labels) {
    return selector.isAll() || (labels != null && selector.matches(labels));
  }

  /** The atoms that may fit its pods. */
  void eachAtom(Consumer<Atom> taker) {
    atoms.forEach(taker);
    groups.forEach(group -> group.atoms.forEach(taker));
  }

  /** Whether nothing is known of it any more. */
  boolean isForgotten() {
    return labels == null && pods.isEmpty() && atoms.isEmpty();
  }
}
