package dev.sund.model;

import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Kubernetes' selector of objects by labels: all of its requirements hold. Without any it selects
 * everything. Immutable; two that ask the same in another order are equal.
 *
 * @param requirements sorted, without repeats
 * @see <a href="https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/">Labels
 *     and Selectors</a>
 */
public record LabelSelector(List<Requirement> requirements) {
  /** What selects everything. */
  public static final LabelSelector ALL = new LabelSelector(List.of());

  public LabelSelector {
    requirements = requirements.stream().sorted().distinct().toList();
  }

  /**
   * A selector of {@code matchLabels} and {@code matchExpressions}.
   *
   * @param labels each must be there with its value
   * @param expressions each must hold
   */
  public static LabelSelector of(Map<String, String> labels, List<Requirement> expressions) {
    return new LabelSelector(
        Stream.concat(
                labels.entrySet().stream()
                    .map(one ->
                        new Requirement(
                            one.getKey(), Operator.IN, new TreeSet<>(List.of(one.getValue())))),
                expressions.stream())
            .toList());
  }

  /** What selects objects that have these labels. */
  public static LabelSelector of(Map<String, String> labels) {
    return of(labels, List.of());
  }

  /** Whether an object with these labels is selected. */
  public boolean matches(Map<String, String> labels) {
    for (Requirement requirement : requirements) {
      if (!requirement.holds(labels)) {
        return false;
      }
    }
    return true;
  }

  /** Whether every object is selected, whatever its labels. */
  public boolean isAll() {
    return requirements.isEmpty();
  }

  /** As kubectl's {@code -l} takes it: {@code app=web,tier in (a,b),!old}; empty for everything. */
  @Override
  public String toString() {
    return requirements.stream().map(Requirement::toString).collect(Collectors.joining(","));
  }

  /** How a label is compared. */
  public enum Operator {
    /** The label is there, with one of the values. */
    IN("In"),
    /** The label is not there, or has none of the values. */
    NOT_IN("NotIn"),
    /** The label is there. */
    EXISTS("Exists"),
    /** The label is not there. */
    DOES_NOT_EXIST("DoesNotExist");

    private final String text;

    Operator(String text) {
      this.text = text;
    }

    /** The API's word for it. */
    public String text() {
      return text;
    }
  }

  /**
   * What one label must be.
   *
   * @param key the label
   * @param operator how it is compared
   * @param values with what: at least one for {@code IN} and {@code NOT_IN}, none for the others
   */
  public record Requirement(String key, Operator operator, SortedSet<String> values)
      implements Comparable<Requirement> {
    private static final Comparator<Requirement> ORDER =
        Comparator.comparing(Requirement::key)
            .thenComparing(Requirement::operator)
            .thenComparing(one -> one.values().toString());

    public Requirement {
      Checks.notEmpty("label", key);
      values = Collections.unmodifiableSortedSet(new TreeSet<>(values));
      boolean compares = operator == Operator.IN || operator == Operator.NOT_IN;
      Checks.that(
          compares != values.isEmpty(),
          "operator "
              + operator.text()
              + " of label "
              + key
              + (compares ? " needs at least one value" : " takes no values"));
    }

    boolean holds(Map<String, String> labels) {
      String value = labels.get(key);
      return switch (operator) {
        case IN -> value != null && values.contains(value);
        case NOT_IN -> value == null || !values.contains(value);
        case EXISTS -> value != null;
        case DOES_NOT_EXIST -> value == null;
      };
    }

    @Override
    public int compareTo(Requirement other) {
      return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
      return switch (operator) {
        case IN ->
            values.size() == 1
                ? key + "=" + values.first()
                : key + " in (" + String.join(",", values) + ")";
        case NOT_IN -> key + " notin (" + String.join(",", values) + ")";
        case EXISTS -> key;
        case DOES_NOT_EXIST -> "!" + key;
      };
    }
  }
}
