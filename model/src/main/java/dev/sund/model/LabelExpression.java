package dev.sund.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Calico's selector: an expression over an object's labels, such as {@code zone == 'west' &&
 * !has(gpu)}. It is not Kubernetes' LabelSelector, which is a structure and knows no "or".
 *
 * <pre>
 * all()  global()  has(KEY)  KEY == 'V'  KEY != 'V'  KEY in {'V', ...}  KEY not in {'V', ...}
 * KEY contains 'V'  KEY starts with 'V'  KEY ends with 'V'  !X  X &amp;&amp; Y  X || Y  (X)
 * </pre>
 *
 * <p>{@code !=} and {@code not in} hold for an object that has no such label. {@code &&} binds
 * closer than {@code ||}. Immutable; two are equal when they are written the same but for spaces,
 * quotes and superfluous parentheses.
 *
 * @see <a href="https://docs.tigera.io/calico/latest/reference/resources/networkpolicy">Calico's
 *     documentation of selectors</a>
 */
public final class LabelExpression {
  /** What selects everything: {@code all()}. */
  public static final LabelExpression ALL = new LabelExpression(new Constant(true));

  private static final String NAMESPACE = "projectcalico.org/namespace";

  private final Term term;

  private LabelExpression(Term term) {
    this.term = term;
  }

  /**
   * Parses an expression; empty text selects everything.
   *
   * @throws IllegalArgumentException with a sentence that says what was expected, and where
   */
  public static LabelExpression parse(String text) {
    return text.isBlank() ? ALL : new LabelExpression(new Reader(text).whole());
  }

  /** Whether an object with these labels is selected. */
  public boolean matches(Map<String, String> labels) {
    return term.holds(labels);
  }

  /** Whether every object is selected, whatever its labels. */
  public boolean isAll() {
    return term.equals(ALL.term);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof LabelExpression expression && term.equals(expression.term);
  }

  @Override
  public int hashCode() {
    return term.hashCode();
  }

  /** The expression as Calico reads it. */
  @Override
  public String toString() {
    return term.text();
  }

  private sealed interface Term {
    boolean holds(Map<String, String> labels);

    String text();
  }

  private record Constant(boolean all) implements Term {
    @Override
    public boolean holds(Map<String, String> labels) {
      return all || !labels.containsKey(NAMESPACE);
    }

    @Override
    public String text() {
      return all ? "all()" : "global()";
    }
  }

  private record Has(String key) implements Term {
    @Override
    public boolean holds(Map<String, String> labels) {
      return labels.containsKey(key);
    }

    @Override
    public String text() {
      return "has(" + key + ")";
    }
  }

  /** How a label's value is compared with one text. */
  private enum Comparison {
    EQUAL("=="),
    UNEQUAL("!="),
    CONTAINS("contains"),
    STARTS("starts with"),
    ENDS("ends with");

    private final String words;

    Comparison(String words) {
      this.words = words;
    }

    boolean holds(Optional<String> value, String with) {
      return switch (this) {
        case EQUAL -> value.filter(with::equals).isPresent();
        case UNEQUAL -> value.filter(with::equals).isEmpty();
        case CONTAINS -> value.filter(found -> found.contains(with)).isPresent();
        case STARTS -> value.filter(found -> found.startsWith(with)).isPresent();
        case ENDS -> value.filter(found -> found.endsWith(with)).isPresent();
      };
    }
  }

  private record Compared(String key, Comparison comparison, String value) implements Term {
    @Override
    public boolean holds(Map<String, String> labels) {
      return comparison.holds(Optional.ofNullable(labels.get(key)), value);
    }

    @Override
    public String text() {
      return key + " " + comparison.words + " " + quoted(value);
    }
  }

  private record In(String key, boolean inside, Set<String> values) implements Term {
    @Override
    public boolean holds(Map<String, String> labels) {
      String value = labels.get(key);
      return (value != null && values.contains(value)) == inside;
    }

    @Override
    public String text() {
      return new TreeSet<>(values)
          .stream()
              .map(LabelExpression::quoted)
              .collect(Collectors.joining(", ", key + (inside ? " in {" : " not in {"), "}"));
    }
  }

  private record Not(Term term) implements Term {
    @Override
    public boolean holds(Map<String, String> labels) {
      return !term.holds(labels);
    }

    @Override
    public String text() {
      return "!"
          + switch (term) {
            case Constant _, Has _, Not _ -> term.text();
            case Compared _, In _, All _, Any _ -> "(" + term.text() + ")";
          };
    }
  }

  private record All(List<Term> terms) implements Term {
    @Override
    public boolean holds(Map<String, String> labels) {
      return terms.stream().allMatch(term -> term.holds(labels));
    }

    @Override
    public String text() {
      return terms.stream()
          .map(term -> term instanceof Any ? "(" + term.text() + ")" : term.text())
          .collect(Collectors.joining(" && "));
    }
  }

  private record Any(List<Term> terms) implements Term {
    @Override
    public boolean holds(Map<String, String> labels) {
      return terms.stream().anyMatch(term -> term.holds(labels));
    }

    @Override
    public String text() {
      return terms.stream().map(Term::text).collect(Collectors.joining(" || "));
    }
  }

  private static String quoted(String value) {
    return value.contains("'") ? "\"" + value + "\"" : "'" + value + "'";
  }

  /** Reads by recursive descent; one object reads one text. */
  private static final class Reader {
    private static final int DEEPEST = 100;

    private final String text;
    private int at;
    private int depth;

    Reader(String text) {
      this.text = text;
    }

    Term whole() {
      Term term = any();
      spaces();
      if (at < text.length()) {
        throw wrong("the end, && or ||");
      }
      return term;
    }

    private Term any() {
      List<Term> terms = new ArrayList<>(List.of(all()));
      while (taken("||")) {
        terms.add(all());
      }
      return terms.size() == 1 ? terms.getFirst() : new Any(List.copyOf(terms));
    }

    private Term all() {
      List<Term> terms = new ArrayList<>(List.of(one()));
      while (taken("&&")) {
        terms.add(one());
      }
      return terms.size() == 1 ? terms.getFirst() : new All(List.copyOf(terms));
    }

    private Term one() {
      if (++depth > DEEPEST) {
        throw new IllegalArgumentException(
            "more than " + DEEPEST + " parentheses and negations are inside of each other");
      }
      Term term = inner();
      depth--;
      return term;
    }

    private Term inner() {
      if (taken("!")) {
        return new Not(one());
      }
      if (taken("(")) {
        Term term = any();
        needed(")");
        return term;
      }
      String key = key();
      if (taken("(")) {
        return call(key);
      }
      for (Comparison comparison : Comparison.values()) {
        if (takenWords(comparison.words)) {
          return new Compared(key, comparison, value());
        }
      }
      if (takenWords("in")) {
        return new In(key, true, values());
      }
      if (takenWords("not in")) {
        return new In(key, false, values());
      }
      throw wrong("==, !=, in, not in, contains, starts with or ends with after " + key);
    }

    private Term call(String function) {
      switch (function) {
        case "all", "global" -> {
          needed(")");
          return new Constant(function.equals("all"));
        }
        case "has" -> {
          String key = key();
          needed(")");
          return new Has(key);
        }
        default ->
            throw new IllegalArgumentException(
                "'" + function + "()' is none of all(), global(), has(KEY)");
      }
    }

    private Set<String> values() {
      needed("{");
      Set<String> values = new TreeSet<>();
      if (taken("}")) {
        return values;
      }
      do {
        values.add(value());
      } while (taken(","));
      needed("}");
      return values;
    }

    private String value() {
      spaces();
      char quote = at < text.length() ? text.charAt(at) : ' ';
      int end = quote == '\'' || quote == '"' ? text.indexOf(quote, at + 1) : -1;
      if (end < 0) {
        throw wrong("a value in quotes");
      }
      String value = text.substring(at + 1, end);
      at = end + 1;
      return value;
    }

    private String key() {
      spaces();
      int from = at;
      while (at < text.length() && isKey(text.charAt(at))) {
        at++;
      }
      if (at == from) {
        throw wrong("a label's key or a function");
      }
      return text.substring(from, at);
    }

    private static boolean isKey(char c) {
      return (c >= 'a' && c <= 'z')
          || (c >= 'A' && c <= 'Z')
          || (c >= '0' && c <= '9')
          || "_./-".indexOf(c) >= 0;
    }

    /** Takes words that stand alone, with any spaces between them. */
    private boolean takenWords(String words) {
      int before = at;
      for (String word : words.split(" ", -1)) {
        boolean letters = isKey(word.charAt(0));
        if (!taken(word) || (letters && at < text.length() && isKey(text.charAt(at)))) {
          at = before;
          return false;
        }
      }
      return true;
    }

    private boolean taken(String sign) {
      spaces();
      boolean here = text.startsWith(sign, at);
      at += here ? sign.length() : 0;
      return here;
    }

    private void needed(String sign) {
      if (!taken(sign)) {
        throw wrong(sign);
      }
    }

    private void spaces() {
      while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
        at++;
      }
    }

    private IllegalArgumentException wrong(String expected) {
      spaces();
      String rest = text.substring(at);
      String here = rest.isEmpty() ? "the end" : "'" + rest + "'";
      return new IllegalArgumentException("expected " + expected + ", but there is " + here);
    }
  }
}
