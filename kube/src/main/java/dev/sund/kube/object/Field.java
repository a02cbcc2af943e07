package dev.sund.kube.object;

import dev.sund.kube.tree.Shape;
import dev.sund.kube.tree.Tree;
import dev.sund.model.Condition;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * A place in an object's tree, whether or not a value stands there. Reading a value of the wrong
 * type adds a problem and gives nothing. Null is the same as absent, as Kubernetes has it.
 */
public final class Field {
  private static final Pattern CONTROL = Pattern.compile("\\p{Cntrl}");

  private final ObjectRef object;
  private final List<Problem> problems;
  private final String path;
  private final Optional<Tree> value;
  private final Tree nearest;

  private Field(
      ObjectRef object, List<Problem> problems, String path, Optional<Tree> value, Tree nearest) {
    this.object = object;
    this.problems = problems;
    this.path = path;
    this.value = value.filter(Field::isPresent);
    this.nearest = value.orElse(nearest);
  }

  /**
   * The object as a whole.
   *
   * @param problems takes the problems
   */
  public static Field root(ObjectRef object, Tree tree, List<Problem> problems) {
    return new Field(object, problems, "", Optional.of(tree), tree);
  }

  /** The path, such as {@code spec.containers[0].ports}; empty for the object as a whole. */
  public String path() {
    return path;
  }

  /** The same place under another name. */
  Field called(String name) {
    return new Field(object, problems, name, value, nearest);
  }

  /** Whether a value other than null stands here. */
  public boolean present() {
    return value.isPresent();
  }

  /** What stands here. */
  public Optional<Tree> tree() {
    return value;
  }

  /** The field of this mapping; absent when there is no mapping here. */
  public Field at(String key) {
    Optional<Tree> found = fields().flatMap(mapping -> mapping.get(key));
    return new Field(object, problems, under(key), found, nearest);
  }

  /** The fields of the mapping here. */
  public Optional<Tree.Mapping> fields() {
    if (value.isPresent() && !(value.get() instanceof Tree.Mapping)) {
      wrong("a mapping", "Write the fields of '" + lastWord() + "' below it, indented.");
    }
    return value.map(tree -> tree instanceof Tree.Mapping mapping ? mapping : null);
  }

  /** The elements of the list here; none when there is no list. */
  public List<Field> items() {
    if (value.isEmpty()) {
      return List.of();
    }
    if (!(value.get() instanceof Tree.Sequence sequence)) {
      wrong("a list", "Write a list, each element after '- '.");
      return List.of();
    }
    List<Field> items = new ArrayList<>();
    for (Tree item : sequence.items()) {
      String at = path + "[" + items.size() + "]";
      items.add(new Field(object, problems, at, Optional.of(item), item));
    }
    return items;
  }

  /** The text here. */
  public Optional<String> text() {
    if (value.isEmpty()) {
      return Optional.empty();
    }
    if (value.get() instanceof Tree.Scalar scalar) {
      if (scalar.kind() == Tree.Kind.TEXT) {
        return Optional.of(scalar.text());
      }
      wrong("text", "Put it in quotes: \"" + scalar.text() + "\".");
    } else {
      wrong("text", "Write one value.");
    }
    return Optional.empty();
  }

  /** The text here; that it is absent or empty is a problem. */
  public Optional<String> needed(String remedy) {
    Optional<String> text = text();
    if (text.filter(String::isEmpty).isPresent()) {
      problem(Reason.INVALID_FIELD, "the value is empty.", remedy);
      return Optional.empty();
    }
    if (value.isEmpty()) {
      problem(Reason.INVALID_FIELD, "the field is missing.", remedy);
    }
    return text;
  }

  /** The boolean here, {@code absent} when there is none. */
  public boolean truth(boolean absent) {
    if (value.isEmpty()) {
      return absent;
    }
    if (value.get() instanceof Tree.Scalar scalar && scalar.kind() == Tree.Kind.BOOLEAN) {
      return scalar.truth();
    }
    wrong("true or false", "Write true or false without quotes.");
    return absent;
  }

  /** The whole number here, from {@code min} to {@code max}. */
  public Optional<Integer> number(int min, int max) {
    if (value.isEmpty()) {
      return Optional.empty();
    }
    String range = "a whole number from " + min + " to " + max;
    if (value.get() instanceof Tree.Scalar scalar && scalar.kind() == Tree.Kind.NUMBER) {
      Optional<BigInteger> whole = scalar.whole();
      if (whole.isPresent() && whole.get().bitLength() < Integer.SIZE) {
        int number = whole.get().intValue();
        if (number >= min && number <= max) {
          return Optional.of(number);
        }
      }
      wrong(range, "Write a number of that range.");
    } else if (value.get() instanceof Tree.Scalar scalar && scalar.text().matches("[0-9]{1,9}")) {
      wrong(range, "Write " + scalar.text() + " without quotes.");
    } else {
      wrong(range, "Write a number of that range.");
    }
    return Optional.empty();
  }

  /** The address here, one that a host can have. */
  public Optional<Ip> ip(String example) {
    return text().flatMap(text -> ip(text, example));
  }

  private Optional<Ip> ip(String text, String example) {
    Optional<Ip> ip = Ip.tryParse(text);
    if (ip.isEmpty()) {
      invalid(
          "'" + text + "' is not an IPv4 or IPv6 address.",
          "Write an address such as " + example + ".");
      return ip;
    }
    Ip found = ip.get();
    if (found.isUnspecified() || found.isLoopback() || found.isMulticast()) {
      String what =
          found.isUnspecified()
              ? "the unspecified address"
              : found.isLoopback() ? "a loopback address" : "a multicast address";
      invalid(
          "'" + text + "' is " + what + ", which no one can be reached at.",
          "Write an address such as " + example + ".");
      return Optional.empty();
    }
    return ip;
  }

  /** The range of addresses here, without host bits. */
  public Optional<Prefix> prefix(String example) {
    Optional<String> text = text();
    if (text.isEmpty()) {
      return Optional.empty();
    }
    Optional<Prefix> prefix = Prefix.tryParse(text.get());
    if (prefix.isPresent()) {
      return prefix;
    }
    Optional<Prefix> meant = network(text.get());
    if (meant.isPresent()) {
      problem(
          Reason.HOST_BITS_SET,
          "'"
              + text.get()
              + "' has bits set behind its length; the network is "
              + meant.get()
              + ".",
          "Write " + meant.get() + ".");
    } else {
      invalid(
          "'" + text.get() + "' is not a CIDR.",
          "Write an address and a length such as " + example + ".");
    }
    return Optional.empty();
  }

  private static Optional<Prefix> network(String text) {
    int slash = text.indexOf('/');
    if (slash < 0 || !text.substring(slash + 1).matches("0|[1-9][0-9]{0,2}")) {
      return Optional.empty();
    }
    int length = Integer.parseInt(text.substring(slash + 1));
    return Ip.tryParse(text.substring(0, slash))
        .filter(ip -> length <= ip.family().bits())
        .map(ip -> Prefix.around(ip, length));
  }

  /** The value that the text here stands for. */
  public <T> Optional<T> oneOf(Map<String, T> choices) {
    Optional<String> text = text();
    if (text.isEmpty()) {
      return Optional.empty();
    }
    Optional<T> choice = Optional.ofNullable(choices.get(text.get()));
    if (choice.isEmpty()) {
      List<String> words = choices.keySet().stream().sorted().toList();
      invalid(
          "'" + text.get() + "' is none of " + String.join(", ", words) + ".",
          "Write " + String.join(" or ", words) + ".");
    }
    return choice;
  }

  /** Adds a problem of this field that makes the object unusable. */
  public void invalid(String text, String remedy) {
    problem(Reason.INVALID_FIELD, text, remedy);
  }

  /** Adds a problem of this field. */
  public void problem(Reason reason, String text, String remedy) {
    Condition condition = new Condition(reason, object, line(path), line(text), line(remedy));
    Problem problem = new Problem(condition, nearest.line(), nearest.column());
    if (!problems.contains(problem)) { // a field that is asked for twice is wrong once
      problems.add(problem);
    }
  }

  /** Values may hold anything; what is said about them is one line of a length that can be read. */
  private static String line(String text) {
    String line = CONTROL.matcher(text.replace("\n", "\\n")).replaceAll("?");
    return line.length() <= 300 ? line : line.substring(0, 297) + "...";
  }

  /** Adds a warning that this field is not used. */
  public void unused(String why) {
    problem(Reason.IGNORED_FIELD, "not used: " + why + ".", "Nothing needs to be done.");
  }

  /** Adds a warning for each field below this one that {@code shape} does not use. */
  public void unused(Shape shape) {
    value.ifPresent(tree ->
        shape.check(
            tree,
            (below, found, why) -> {
              Field field = new Field(object, problems, under(below), Optional.of(found), found);
              if (why.isEmpty()) {
                field.problem(
                    Reason.IGNORED_FIELD, "no such field is known.", "Check its spelling.");
              } else {
                field.unused(why);
              }
            }));
  }

  /**
   * What {@code read} gives; nothing when it finds an error. Its errors are told as what a policy
   * does not hold, with what comes of that. Errors of a place inside that was guarded itself are
   * not its own.
   *
   * @param until one sentence: what holds until the error is corrected
   */
  <T> Optional<T> guarded(String until, Supplier<T> read) {
    int before = problems.size();
    T value = read.get();
    boolean whole = true;
    for (int i = before; i < problems.size(); i++) {
      Problem problem = problems.get(i);
      Condition said = problem.condition();
      if (problem.isError()
          && said.reason() != Reason.POLICY_NOT_UNDERSTOOD
          && said.reason() != Reason.POLICY_NOT_ENFORCED) {
        whole = false;
        Reason reason =
            said.reason() == Reason.NOT_SUPPORTED
                ? Reason.POLICY_NOT_ENFORCED
                : Reason.POLICY_NOT_UNDERSTOOD;
        Condition closed =
            new Condition(
                reason, object, said.field(), said.text(), said.remedy() + " Until then " + until);
        problems.set(i, new Problem(closed, problem.line(), problem.column()));
      }
    }
    return whole ? Optional.of(value) : Optional.empty();
  }

  /** Whether a mapping stands here. */
  boolean isMapping() {
    return value.isPresent() && value.get() instanceof Tree.Mapping;
  }

  /** What is said of a text inside of this field is said of its place in this object. */
  void nested(List<Problem> inside) {
    for (Problem problem : inside) {
      Condition said = problem.condition();
      Condition condition =
          new Condition(
              said.reason(), object, under(said.field()), line(said.text()), line(said.remedy()));
      problems.add(new Problem(condition, nearest.line(), nearest.column()));
    }
  }

  /** What has been said so far that does not make the object unusable. */
  List<Condition> warnings() {
    return problems.stream().filter(problem -> !problem.isError()).map(Problem::condition).toList();
  }

  private String under(String below) {
    return path.isEmpty() ? below : below.isEmpty() ? path : path + "." + below;
  }

  /**
   * The object that {@code build} makes of what was read, unless an error was found.
   *
   * @param build called only when there is no error
   */
  public <T> Parsed<T> finish(Supplier<T> build) {
    boolean unusable = problems.stream().anyMatch(Problem::isError);
    return new Parsed<>(unusable ? Optional.empty() : Optional.of(build.get()), problems);
  }

  /** No object, whatever was read. */
  <T> Parsed<T> refuse() {
    return new Parsed<>(Optional.empty(), problems);
  }

  /** An object that is used although errors were found: what they are about fails closed. */
  <T> Parsed<T> keep(T object) {
    return new Parsed<>(Optional.of(object), problems);
  }

  private void wrong(String needed, String remedy) {
    invalid(
        needed + " is needed, but here is " + value.map(Tree::described).orElse("nothing") + ".",
        remedy);
  }

  private String lastWord() {
    return path.substring(path.lastIndexOf('.') + 1);
  }

  private static boolean isPresent(Tree tree) {
    return !(tree instanceof Tree.Scalar scalar && scalar.kind() == Tree.Kind.NULL);
  }
}
