package dev.sund.kube.object;

import dev.sund.kube.tree.Tree;
import dev.sund.model.LabelSelector;
import dev.sund.model.LabelSelector.Operator;
import dev.sund.model.LabelSelector.Requirement;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * What both kinds of policies write in the same words. Each reader adds an error for what it does
 * not understand; who calls it does so within {@link Field#guarded}, and says there what is denied
 * meanwhile. Nothing of a policy is passed over: a field that is not known may have been meant to
 * narrow what its policy allows.
 */
final class PolicyFields {
  private static final Pattern LABEL_NAME =
      Pattern.compile("[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?");
  private static final Pattern PORT_NAME = Pattern.compile("[a-z0-9]+(-[a-z0-9]+)*");
  private static final Pattern LETTER = Pattern.compile("[a-z]");
  private static final Map<String, Operator> OPERATORS =
      Map.of(
          "In", Operator.IN,
          "NotIn", Operator.NOT_IN,
          "Exists", Operator.EXISTS,
          "DoesNotExist", Operator.DOES_NOT_EXIST);

  private PolicyFields() {}

  /** Whether a policy can be told from others by its name; a problem was added when not. */
  static boolean named(ObjectRef ref) {
    for (String part : ref.name().split("/", -1)) {
      if (!Meta.isName(part)) {
        return false;
      }
    }
    return true;
  }

  /** A mapping is needed here, with no other fields than these. */
  static void only(Field at, String... known) {
    if (!at.present()) {
      at.invalid("the value is missing.", "Write its fields: " + String.join(", ", known) + ".");
    }
    Set<String> keys = at.fields().map(Tree.Mapping::fields).orElse(Map.of()).keySet();
    for (String key : keys) {
      Field field = at.at(key);
      if (field.present() && !Set.of(known).contains(key)) {
        field.invalid(
            "no such field is known, and it may be meant to narrow what is allowed.",
            "Check spelling and indentation; known are " + String.join(", ", known) + ".");
      }
    }
  }

  /** The fields of a mapping that are there, of these. */
  static List<String> present(Field at, List<String> of) {
    return at.isMapping() ? of.stream().filter(name -> at.at(name).present()).toList() : List.of();
  }

  /** The API's {@code LabelSelector}; one that is absent or empty selects everything. */
  static LabelSelector selector(Field field) {
    if (!field.present()) {
      return LabelSelector.ALL;
    }
    only(field, "matchLabels", "matchExpressions");
    if (!field.isMapping()) {
      return LabelSelector.ALL;
    }
    Map<String, String> labels = new LinkedHashMap<>();
    Field matched = field.at("matchLabels");
    for (String key : matched.fields().map(Tree.Mapping::fields).orElse(Map.of()).keySet()) {
      Field label = matched.at(key);
      String value = label.text().orElse("");
      key(label, key);
      value(label, value);
      labels.put(key, value);
    }
    List<Requirement> expressions = new ArrayList<>();
    for (Field item : field.at("matchExpressions").items()) {
      expression(item).ifPresent(expressions::add);
    }
    labels.remove(""); // told above; no requirement can be made of it
    return LabelSelector.of(labels, expressions);
  }

  private static Optional<Requirement> expression(Field item) {
    only(item, "key", "operator", "values");
    if (!item.isMapping()) {
      return Optional.empty();
    }
    Field keyField = item.at("key");
    Optional<String> key = keyField.needed("Write the label's key.");
    key.ifPresent(text -> key(keyField, text));
    Field operatorField = item.at("operator");
    Optional<Operator> operator =
        operatorField
            .needed("Write In, NotIn, Exists or DoesNotExist.")
            .flatMap(_ -> operatorField.oneOf(OPERATORS));
    TreeSet<String> values = new TreeSet<>();
    List<Field> items = item.at("values").items();
    for (Field value : items) {
      if (!value.present()) {
        value.invalid("the value is missing.", "Write a label's value, or leave the line out.");
      }
      String text = value.text().orElse("");
      value(value, text);
      values.add(text);
    }
    if (key.isEmpty() || operator.isEmpty()) {
      return Optional.empty();
    }
    boolean compares = operator.get() == Operator.IN || operator.get() == Operator.NOT_IN;
    String word = operator.get().text();
    if (compares && items.isEmpty()) {
      item.at("values")
          .invalid(
              "operator " + word + " needs at least one value.",
              "Write the values of label " + key.get() + ", or another operator.");
      return Optional.empty();
    }
    if (!compares && !items.isEmpty()) {
      item.at("values")
          .invalid(
              "operator " + word + " takes no values.",
              "Leave the values out, or write operator "
                  + (word.equals("Exists") ? "In." : "NotIn."));
      return Optional.empty();
    }
    return Optional.of(new Requirement(key.get(), operator.get(), values));
  }

  private static void key(Field at, String key) {
    int slash = key.indexOf('/');
    String name = key.substring(slash + 1);
    boolean good =
        (slash < 0 || Meta.isName(key.substring(0, slash)))
            && name.length() <= 63
            && LABEL_NAME.matcher(name).matches();
    if (!good) {
      at.invalid(
          "'" + key + "' is not the key of a label.",
          "Write letters, digits, '-', '_' and '.', at most 63, after a prefix such as"
              + " example.com/ if it has one.");
    }
  }

  private static void value(Field at, String value) {
    if (!Meta.isLabelValue(value)) {
      at.invalid(
          "'" + value + "' is not the value of a label.",
          "Write letters, digits, '-', '_' and '.', at most 63, beginning and ending with a letter"
              + " or digit.");
    }
  }

  /** A range; as Kubernetes has it, bits behind its length do not matter, which is told. */
  static Optional<Prefix> range(Field field) {
    Optional<String> text = field.needed("Write a range such as 10.20.0.0/16 or fd00:20::/48.");
    Optional<Prefix> range = text.flatMap(NodePortRanges::masked);
    if (text.isPresent() && range.isEmpty()) {
      field.invalid(
          "'" + text.get() + "' is not a CIDR.",
          "Write an address and a length such as 10.20.0.0/16 or fd00:20::/48.");
    } else if (range.isPresent() && Prefix.tryParse(text.orElseThrow().strip()).isEmpty()) {
      field.problem(
          Reason.IGNORED_FIELD,
          "'"
              + text.get()
              + "' has bits set behind its length; all of "
              + range.get()
              + " is meant.",
          "Write "
              + range.get()
              + ", or "
              + Prefix.host(range.get().address()).length()
              + " as its length for one address.");
    }
    return range;
  }

  /** The name of a container's port. */
  static void portName(Field field, String name) {
    if (name.matches("[0-9]{1,5}")) {
      field.invalid(
          "'" + name + "' in quotes is a port's name, and a name has a letter.",
          "Write " + name + " without quotes.");
    } else if (name.length() > 15
        || !PORT_NAME.matcher(name).matches()
        || !LETTER.matcher(name).find()) {
      field.invalid(
          "'" + name + "' is not the name of a port.",
          "Write at most 15 lower-case letters, digits and '-', with a letter.");
    }
  }
}
