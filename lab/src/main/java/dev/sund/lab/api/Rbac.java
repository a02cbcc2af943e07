package dev.sund.lab.api;

import dev.sund.kube.tree.MalformedException;
import dev.sund.kube.tree.Tree;
import dev.sund.kube.tree.YamlTrees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Kubernetes' role-based access control: what roles and their bindings allow. Immutable; whatever
 * no rule allows is refused.
 */
public final class Rbac {
  private final Map<String, List<Rule>> roles = new HashMap<>();
  private final List<Binding> bindings = new ArrayList<>();

  private record Rule(
      List<String> groups, List<String> resources, List<String> names, List<String> verbs) {
    boolean allows(Attempt attempt) {
      return has(verbs, attempt.verb)
          && has(groups, attempt.group)
          && has(resources, attempt.resource)
          && (names.isEmpty() || names.contains(attempt.name));
    }

    private static boolean has(List<String> allowed, String wanted) {
      return allowed.contains("*") || allowed.contains(wanted);
    }
  }

  /** The namespace is empty for a binding that holds in the whole cluster. */
  private record Binding(String namespace, String role, List<String> subjects) {}

  /**
   * Something a caller wants to do.
   *
   * @param verb such as {@code list}
   * @param group the API group
   * @param resource such as {@code pods} or {@code pods/status}
   * @param namespace empty for the whole cluster
   * @param name empty for all objects
   */
  record Attempt(String verb, String group, String resource, String namespace, String name) {}

  private Rbac() {}

  /**
   * Reads the ClusterRoles, Roles and their bindings of a manifest; other objects are passed over.
   *
   * @throws IOException when the file cannot be read or is no YAML
   */
  public static Rbac read(Path file) throws IOException {
    return parse(Files.readString(file));
  }

  /** As {@link #read}, from a text. */
  public static Rbac parse(String yaml) throws MalformedException {
    Rbac rbac = new Rbac();
    for (Tree document : YamlTrees.documents(yaml)) {
      if (document instanceof Tree.Mapping object) {
        rbac.add(object);
      }
    }
    return rbac;
  }

  /** Whether {@code subject} may do this. */
  boolean allows(Subject subject, Attempt attempt) {
    if (subject.groups().contains("system:masters")) {
      return true;
    }
    for (Binding binding : bindings) {
      boolean place = binding.namespace.isEmpty() || binding.namespace.equals(attempt.namespace);
      boolean bound =
          binding.subjects.contains("user " + subject.name())
              || subject.groups().stream().anyMatch(g -> binding.subjects.contains("group " + g));
      if (place
          && bound
          && roles.getOrDefault(binding.role, List.of()).stream()
              .anyMatch(rule -> rule.allows(attempt))) {
        return true;
      }
    }
    return false;
  }

  private void add(Tree.Mapping object) {
    String name = object.mapping("metadata").flatMap(m -> m.text("name")).orElse("");
    String namespace = object.mapping("metadata").flatMap(m -> m.text("namespace")).orElse("");
    switch (object.text("kind").orElse("")) {
      case "ClusterRole" -> roles.put("ClusterRole " + name, rules(object));
      case "Role" -> roles.put("Role " + namespace + "/" + name, rules(object));
      case "ClusterRoleBinding" -> bindings.add(binding(object, ""));
      case "RoleBinding" -> bindings.add(binding(object, namespace));
      default -> {
        // An object that says nothing about access, such as the ServiceAccount itself.
      }
    }
  }

  private static List<Rule> rules(Tree.Mapping role) {
    List<Rule> rules = new ArrayList<>();
    for (Tree.Mapping rule : Json.mappings(role, "rules")) {
      rules.add(
          new Rule(
              Json.texts(rule, "apiGroups"),
              Json.texts(rule, "resources"),
              Json.texts(rule, "resourceNames"),
              Json.texts(rule, "verbs")));
    }
    return rules;
  }

  private static Binding binding(Tree.Mapping object, String namespace) {
    Tree.Mapping ref = object.mapping("roleRef").orElse(Tree.Mapping.of(Map.of()));
    String kind = ref.text("kind").orElse("");
    String role = ref.text("name").orElse("");
    List<String> subjects = new ArrayList<>();
    for (Tree.Mapping subject : Json.mappings(object, "subjects")) {
      String name = subject.text("name").orElse("");
      subjects.add(
          switch (subject.text("kind").orElse("")) {
            case "ServiceAccount" ->
                "user system:serviceaccount:"
                    + subject.text("namespace").orElse(namespace)
                    + ":"
                    + name;
            case "Group" -> "group " + name;
            default -> "user " + name;
          });
    }
    String key = kind.equals("Role") ? "Role " + namespace + "/" + role : kind + " " + role;
    return new Binding(namespace, key, subjects);
  }
}
