package dev.sund.kube.enforced;

import dev.sund.kube.api.ApiPath;
import dev.sund.kube.tree.Tree;
import dev.sund.model.ObjectRef;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a node says of the policies that it enforces: an object of the kind {@code NodePolicies}
 * with the node's name.
 *
 * @param node the node's name
 * @param seen when it said so, by its own clock; empty when it does not say
 * @param versions by kind, up to which {@code resourceVersion} all policies are in its kernel
 * @param generations policies of the cluster by name, as they are in its kernel: their versions
 *     also grow when only their status is written
 * @param remarks what is wrong with policies
 */
public record NodePolicies(
    String node,
    Optional<Instant> seen,
    Map<String, Long> versions,
    Map<String, Generation> generations,
    List<PolicyRemark> remarks) {
  /** The apiVersion of the objects. */
  public static final String API_VERSION = "sund.dev/v1alpha1";

  /** The kind of the objects. */
  public static final String KIND = "NodePolicies";

  /** Where the objects are. */
  public static final ApiPath PATH = ApiPath.of(API_VERSION, "nodepolicies");

  public NodePolicies {
    versions = Map.copyOf(versions);
    generations = Map.copyOf(generations);
    remarks = List.copyOf(remarks);
  }

  /**
   * A policy as it was written at some time.
   *
   * @param uid {@code metadata.uid}: a later policy of the name has another
   * @param number {@code metadata.generation}
   */
  public record Generation(String uid, long number) {
    /** Whether who has this has the other too, or what came after it. */
    public boolean includes(Generation other) {
      return uid.equals(other.uid) && number >= other.number;
    }
  }

  /** Of a node that has not said anything. */
  public static NodePolicies silent(String node) {
    return new NodePolicies(node, Optional.empty(), Map.of(), Map.of(), List.of());
  }

  /** Reads an object; what cannot be understood of it is not said. Empty without a name. */
  public static Optional<NodePolicies> read(Tree.Mapping object) {
    Optional<String> name = object.mapping("metadata").flatMap(meta -> meta.text("name"));
    if (name.isEmpty()) {
      return Optional.empty();
    }
    Map<String, Long> versions = new TreeMap<>();
    Tree.Mapping enforced = object.mapping("enforced").orElse(Tree.Mapping.of(Map.of()));
    for (String kind : enforced.fields().keySet()) {
      enforced.text(kind).flatMap(NodePolicies::number).ifPresent(n -> versions.put(kind, n));
    }
    Map<String, Generation> generations = new TreeMap<>();
    for (Tree.Mapping one : mappings(object, "generations")) {
      Optional<Long> number = one.text("generation").flatMap(NodePolicies::number);
      if (one.text("name").isPresent() && number.isPresent()) {
        generations.put(
            one.text("name").get(), new Generation(one.text("uid").orElse(""), number.get()));
      }
    }
    List<PolicyRemark> remarks = new ArrayList<>();
    for (Tree.Mapping one : mappings(object, "exceptions")) {
      remarks.add(
          new PolicyRemark(
              new ObjectRef(one.text("kind").orElse(""), one.text("name").orElse("")),
              one.text("reason").orElse(""),
              one.text("field").orElse(""),
              one.text("text").orElse(""),
              one.text("remedy").orElse("")));
    }
    return Optional.of(
        new NodePolicies(
            name.get(),
            object.text("seen").flatMap(NodePolicies::time),
            versions,
            generations,
            remarks));
  }

  private static List<Tree.Mapping> mappings(Tree.Mapping object, String field) {
    List<Tree.Mapping> found = new ArrayList<>();
    if (object.get(field).orElse(object) instanceof Tree.Sequence list) {
      for (Tree item : list.items()) {
        if (item instanceof Tree.Mapping one) {
          found.add(one);
        }
      }
    }
    return found;
  }

  private static Optional<Instant> time(String text) {
    try {
      return Optional.of(Instant.parse(text));
    } catch (DateTimeParseException _) {
      return Optional.empty();
    }
  }

  private static Optional<Long> number(String text) {
    return text.matches("[0-9]{1,18}") ? Optional.of(Long.valueOf(text)) : Optional.empty();
  }

  /** The whole object. */
  public Tree.Mapping tree() {
    Map<String, Tree> object = new LinkedHashMap<>(renewal().fields());
    List<Tree> listed = new ArrayList<>();
    new TreeMap<>(generations)
        .forEach((name, generation) -> {
          Map<String, Tree> fields = new LinkedHashMap<>();
          fields.put("name", Tree.Scalar.text(name));
          fields.put("uid", Tree.Scalar.text(generation.uid));
          fields.put("generation", Tree.Scalar.plain(generation.number));
          listed.add(Tree.Mapping.of(fields));
        });
    object.put("generations", Tree.Sequence.of(listed));
    List<Tree> exceptions = new ArrayList<>();
    for (PolicyRemark one : remarks) {
      Map<String, Tree> fields = new LinkedHashMap<>();
      fields.put("kind", Tree.Scalar.text(one.policy().kind()));
      fields.put("name", Tree.Scalar.text(one.policy().name()));
      fields.put("reason", Tree.Scalar.text(one.reason()));
      fields.put("field", Tree.Scalar.text(one.field()));
      fields.put("text", Tree.Scalar.text(one.text()));
      fields.put("remedy", Tree.Scalar.text(one.remedy()));
      exceptions.add(Tree.Mapping.of(fields));
    }
    object.put("exceptions", Tree.Sequence.of(exceptions));
    return Tree.Mapping.of(object);
  }

  /** Only what a renewal may change: when it was said, and the versions. */
  public Tree.Mapping renewal() {
    Map<String, Tree> enforced = new LinkedHashMap<>();
    new TreeMap<>(versions)
        .forEach((kind, n) -> enforced.put(kind, Tree.Scalar.text(String.valueOf(n))));
    Map<String, Tree> object = new LinkedHashMap<>();
    object.put("apiVersion", Tree.Scalar.text(API_VERSION));
    object.put("kind", Tree.Scalar.text(KIND));
    object.put("metadata", Tree.Mapping.of(Map.of("name", Tree.Scalar.text(node))));
    seen.ifPresent(
        at -> object.put("seen", Tree.Scalar.text(at.truncatedTo(ChronoUnit.SECONDS).toString())));
    object.put("enforced", Tree.Mapping.of(enforced));
    return Tree.Mapping.of(object);
  }
}
