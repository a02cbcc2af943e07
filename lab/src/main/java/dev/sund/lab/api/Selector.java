package dev.sund.lab.api;

import dev.sund.kube.tree.Tree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which objects a list or a watch is about: a namespace, a label selector, a field selector.
 *
 * @param all whether everything is selected
 * @param matches the test
 */
record Selector(boolean all, Predicate<Stored> matches) {
  private static final Set<String> FIELDS =
      Set.of("metadata.name", "metadata.namespace", "spec.nodeName", "status.phase");
  private static final Pattern IN = Pattern.compile("([^ ,!=]+) +(in|notin) +\\(([^)]*)\\)");

  static Selector of(String namespace, String labels, String fields) throws StatusException {
    List<Predicate<Stored>> parts = new ArrayList<>();
    if (!namespace.isEmpty()) {
      parts.add(object -> object.metadata("namespace").equals(namespace));
    }
    for (String term : terms(fields)) {
      parts.add(field(term));
    }
    for (String term : terms(labels)) {
      parts.add(label(term));
    }
    return new Selector(
        parts.isEmpty(), object -> parts.stream().allMatch(part -> part.test(object)));
  }

  private static List<String> terms(String selector) {
    List<String> terms = new ArrayList<>();
    for (String term : selector.split(",(?![^(]*\\))", -1)) {
      if (!term.isBlank()) {
        terms.add(term.strip());
      }
    }
    return terms;
  }

  private static Predicate<Stored> field(String term) throws StatusException {
    Equality equality = Equality.parse(term).orElseThrow(() -> invalid("field", term));
    if (!FIELDS.contains(equality.key)) {
      throw StatusException.badRequest("field label not supported: " + equality.key);
    }
    String[] path = equality.key.split("\\.", -1);
    return object ->
        equality.holds(object.tree().mapping(path[0]).flatMap(part -> part.text(path[1])));
  }

  private static Predicate<Stored> label(String term) throws StatusException {
    Matcher in = IN.matcher(term);
    if (in.matches()) {
      List<String> values = Arrays.stream(in.group(3).split(",", -1)).map(String::strip).toList();
      boolean wanted = in.group(2).equals("in");
      return object -> label(object, in.group(1)).filter(values::contains).isPresent() == wanted;
    }
    Optional<Equality> equality = Equality.parse(term);
    if (equality.isPresent()) {
      return object -> equality.get().holds(label(object, equality.get().key));
    }
    if (term.startsWith("!")) {
      return object -> label(object, term.substring(1)).isEmpty();
    }
    if (term.contains(" ")) {
      throw invalid("label", term);
    }
    return object -> label(object, term).isPresent();
  }

  private static Optional<String> label(Stored object, String key) {
    return object
        .tree()
        .mapping("metadata")
        .flatMap(meta -> meta.mapping("labels"))
        .flatMap((Tree.Mapping labels) -> labels.text(key));
  }

  private static StatusException invalid(String what, String term) {
    return StatusException.badRequest("unable to parse " + what + " selector: '" + term + "'");
  }

  private record Equality(String key, boolean equal, String value) {
    static Optional<Equality> parse(String term) {
      int at = term.indexOf('=');
      if (at <= 0) {
        return Optional.empty();
      }
      boolean not = term.charAt(at - 1) == '!';
      String key = term.substring(0, not ? at - 1 : at).strip();
      int from = term.startsWith("=", at + 1) ? at + 2 : at + 1;
      return Optional.of(new Equality(key, !not, term.substring(from).strip()));
    }

    boolean holds(Optional<String> actual) {
      return actual.orElse("").equals(value) == equal;
    }
  }
}
