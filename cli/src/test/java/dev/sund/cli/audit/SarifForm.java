package dev.sund.cli.audit;

import static java.util.Map.entry;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What SARIF 2.1.0 (OASIS standard, March 2020) requires of a log, for the objects that an audit
 * writes: which properties each may have, which it must, of which form, and how they refer to each
 * other. The standard's schema forbids further properties as this does; a property that the
 * standard knows and this does not is refused too, so that whoever writes it adds it here by its
 * section.
 */
public final class SarifForm {
  /**
   * An object.
   *
   * @param section of the standard
   * @param required properties
   * @param properties each with its form: a name below, {@code [FORM]} for an array
   */
  private record Form(String section, Set<String> required, Map<String, String> properties) {}

  private static final Map<String, Form> OBJECTS =
      Map.ofEntries(
          entry(
              "sarifLog",
              new Form(
                  "3.13",
                  Set.of("version", "runs"),
                  Map.of("$schema", "uri", "version", "2.1.0", "runs", "[run]"))),
          entry(
              "run",
              new Form(
                  "3.14",
                  Set.of("tool"),
                  Map.of(
                      "tool", "tool",
                      "columnKind", "utf16CodeUnits|unicodeCodePoints",
                      "results", "[result]"))),
          entry("tool", new Form("3.18", Set.of("driver"), Map.of("driver", "toolComponent"))),
          entry(
              "toolComponent",
              new Form(
                  "3.19",
                  Set.of("name"),
                  Map.of("name", "text", "version", "text", "rules", "[reportingDescriptor]"))),
          entry(
              "reportingDescriptor",
              new Form(
                  "3.49",
                  Set.of("id"),
                  Map.of(
                      "id", "text",
                      "name", "text",
                      "shortDescription", "multiformatMessageString",
                      "help", "multiformatMessageString",
                      "helpUri", "uri",
                      "defaultConfiguration", "reportingConfiguration"))),
          entry(
              "reportingConfiguration",
              new Form("3.50", Set.of(), Map.of("level", "none|note|warning|error"))),
          entry(
              "multiformatMessageString", new Form("3.12", Set.of("text"), Map.of("text", "text"))),
          entry(
              "result",
              new Form(
                  "3.27",
                  Set.of("message"),
                  Map.of(
                      "ruleId", "text",
                      "ruleIndex", "index",
                      "level", "none|note|warning|error",
                      "message", "message",
                      "locations", "[location]",
                      "partialFingerprints", "texts",
                      "suppressions", "[suppression]",
                      "properties", "bag"))),
          entry("message", new Form("3.11", Set.of("text"), Map.of("text", "text"))),
          entry(
              "location",
              new Form(
                  "3.28",
                  Set.of(),
                  Map.of(
                      "physicalLocation", "physicalLocation",
                      "logicalLocations", "[logicalLocation]"))),
          entry(
              "physicalLocation",
              new Form(
                  "3.29",
                  Set.of("artifactLocation"),
                  Map.of("artifactLocation", "artifactLocation", "region", "region"))),
          entry("artifactLocation", new Form("3.4", Set.of("uri"), Map.of("uri", "uri"))),
          entry("region", new Form("3.30", Set.of("startLine"), Map.of("startLine", "line"))),
          entry(
              "logicalLocation",
              new Form("3.33", Set.of(), Map.of("fullyQualifiedName", "text", "kind", "text"))),
          entry(
              "suppression",
              new Form(
                  "3.35",
                  Set.of("kind"),
                  Map.of("kind", "inSource|external", "justification", "text"))));

  private final List<String> wrong = new ArrayList<>();

  private SarifForm() {}

  /** What is wrong with a log, a sentence each with its place; empty when nothing is. */
  public static List<String> wrong(Map<String, Object> log) {
    SarifForm form = new SarifForm();
    form.object("$", "sarifLog", log);
    if (form.wrong.isEmpty()) {
      ((List<?>) log.get("runs")).forEach(run -> form.references((Map<?, ?>) run));
    }
    return form.wrong;
  }

  private void object(String place, String kind, Object value) {
    Form form = OBJECTS.get(kind);
    if (!(value instanceof Map<?, ?> map)) {
      wrong.add(place + " is no " + kind + " (" + form.section() + "): " + value);
      return;
    }
    for (String required : form.required()) {
      if (!map.containsKey(required)) {
        wrong.add(place + " has no " + required + " (" + form.section() + ")");
      }
    }
    map.forEach((name, property) -> {
      String wanted = form.properties().get(String.valueOf(name));
      if (wanted == null) {
        wrong.add(place + " has " + name + ", which " + form.section() + " does not say here");
      } else {
        value(place + "." + name, wanted, property);
      }
    });
  }

  private void value(String place, String wanted, Object value) {
    if (wanted.startsWith("[")) {
      if (value instanceof List<?> all) {
        String element = wanted.substring(1, wanted.length() - 1);
        for (int i = 0; i < all.size(); i++) {
          value(place + "[" + i + "]", element, all.get(i));
        }
        boolean distinct = element.equals("result") || new HashSet<>(all).size() == all.size();
        if (!distinct) {
          wrong.add(place + " has an element twice (3.7.3)");
        }
      } else {
        wrong.add(place + " is no array");
      }
    } else if (OBJECTS.containsKey(wanted)) {
      object(place, wanted, value);
    } else if (!isOf(wanted, value)) {
      wrong.add(place + " is not of the form " + wanted + ": " + value);
    }
  }

  private static boolean isOf(String wanted, Object value) {
    return switch (wanted) {
      case "text" -> value instanceof String text && !text.isBlank();
      case "uri" -> value instanceof String text && isUri(text); // 3.4.3, RFC 3986
      case "index" -> value instanceof Long number && number >= 0;
      case "line" -> value instanceof Long number && number >= 1; // 3.30.5
      case "texts" ->
          value instanceof Map<?, ?> map
              && map.values().stream().allMatch(String.class::isInstance);
      case "bag" -> value instanceof Map<?, ?>; // 3.8
      default -> value instanceof String text && List.of(wanted.split("\\|")).contains(text);
    };
  }

  private static boolean isUri(String text) {
    try {
      return !new URI(text).toString().isEmpty();
    } catch (URISyntaxException _) {
      return false;
    }
  }

  /** 3.27.6: the rule at {@code ruleIndex} is the one of {@code ruleId}; 3.49.3: ids are unique. */
  private void references(Map<?, ?> run) {
    Map<?, ?> driver = (Map<?, ?>) ((Map<?, ?>) run.get("tool")).get("driver");
    List<Object> ids = new ArrayList<>();
    if (driver.get("rules") instanceof List<?> rules) {
      rules.forEach(rule -> ids.add(((Map<?, ?>) rule).get("id")));
    }
    if (new HashSet<>(ids).size() < ids.size()) {
      wrong.add("a rule's id is there twice (3.49.3)");
    }
    if (run.get("results") instanceof List<?> results) {
      for (Object one : results) {
        Map<?, ?> result = (Map<?, ?>) one;
        long index = result.get("ruleIndex") instanceof Long number ? number : -1;
        if (index >= ids.size()
            || (index >= 0 && !ids.get((int) index).equals(result.get("ruleId")))) {
          wrong.add("ruleIndex " + index + " is not " + result.get("ruleId") + " (3.27.6)");
        }
      }
    }
  }
}
