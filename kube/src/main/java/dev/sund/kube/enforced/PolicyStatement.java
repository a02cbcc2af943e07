package dev.sund.kube.enforced;

import dev.sund.kube.tree.Tree;
import dev.sund.model.Condition;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What a policy's own status is to say: one of the {@code conditions} there, of a type that is
 * Sund's, beside those of others.
 *
 * @param status {@code True} when the policy is in force as it is written on all nodes, {@code
 *     False} when not, {@code Unknown} without nodes
 * @param reason in one word
 * @param message for people: which nodes it does not hold on, and what is not understood of it
 * @param everywhere whether all nodes have it, understood or not
 */
public record PolicyStatement(String status, String reason, String message, boolean everywhere) {
  /** The condition's type; others who enforce policies have their own. */
  public static final String TYPE = "sund.dev/Enforced";

  /** In force on all nodes, as written. */
  public static final String IN_FORCE = "InForce";

  /** Some nodes do not have it yet, or are not heard of. */
  public static final String NODES_BEHIND = "NodesBehind";

  /** Something of it is not understood, or not enforced, and denied. */
  public static final String NOT_AS_WRITTEN = "NotAsWritten";

  /** There are no nodes. */
  public static final String NO_NODES = "NoNodes";

  private static final int NAMED = 10;
  private static final int LONGEST = 32_000; // the API takes 32,768

  /**
   * Computes it.
   *
   * @param written what is wrong with it as it is written
   */
  public static PolicyStatement of(
      Enforcement.Wanted policy, Collection<Condition> written, Enforcement all) {
    int nodes = all.nodes().size();
    if (nodes == 0) {
      return new PolicyStatement("Unknown", NO_NODES, "There are no nodes.", true);
    }
    List<String> behind = new ArrayList<>();
    List<String> silent = new ArrayList<>();
    List<String> wordless = new ArrayList<>();
    List<String> holding = new ArrayList<>();
    for (String node : all.nodes()) {
      boolean has = all.has(node, policy);
      if (all.silent(node).isPresent()) {
        silent.add(node);
      } else if (has) {
        holding.add(node);
      } else if (all.of(node).seen().isPresent()) {
        behind.add(node);
      } else {
        wordless.add(node);
      }
    }
    StringBuilder message = new StringBuilder();
    message.append(
        holding.size() == nodes
            ? "In force on all %d nodes.".formatted(nodes)
            : "In force on %d of %d nodes.".formatted(holding.size(), nodes));
    named(message, "Behind", behind);
    named(message, "Not heard of for a minute", silent);
    named(message, "Without a word", wordless);
    boolean whole = remarks(message, policy, written, all, holding);
    String text =
        message.length() > LONGEST ? message.substring(0, LONGEST) + " ..." : message.toString();
    boolean everywhere = holding.size() == nodes;
    if (!whole) {
      return new PolicyStatement("False", NOT_AS_WRITTEN, text, everywhere);
    }
    return everywhere
        ? new PolicyStatement("True", IN_FORCE, text, true)
        : new PolicyStatement("False", NODES_BEHIND, text, false);
  }

  /** Tells what is wrong with it; whether it does what it says nevertheless. */
  private static boolean remarks(
      StringBuilder message,
      Enforcement.Wanted policy,
      Collection<Condition> written,
      Enforcement all,
      List<String> holding) {
    Map<String, PolicyRemark> remarks = new TreeMap<>();
    written.forEach(one -> {
      PolicyRemark remark = PolicyRemark.of(one);
      remarks.put(remark.toString(), remark);
    });
    all.remarks(policy.ref())
        .forEach((remark, nodes) -> {
          // Who does not have the policy as it is now speaks of another.
          List<String> by = nodes.stream().filter(holding::contains).toList();
          if (!by.isEmpty() && !remarks.containsKey(remark.toString())) {
            boolean everybody = by.size() == holding.size();
            remarks.put(remark + (everybody ? "" : " (" + list(by) + ")"), remark);
          }
        });
    boolean whole = remarks.values().stream().noneMatch(PolicyRemark::isError);
    remarks.keySet().stream().limit(NAMED).forEach(text -> message.append(' ').append(text));
    if (remarks.size() > NAMED) {
      message.append(" And %d more; see sund policy show.".formatted(remarks.size() - NAMED));
    }
    return whole;
  }

  private static void named(StringBuilder message, String what, List<String> nodes) {
    if (!nodes.isEmpty()) {
      message.append(' ').append(what).append(": ").append(list(nodes)).append('.');
    }
  }

  private static String list(List<String> nodes) {
    String some = String.join(", ", nodes.subList(0, Math.min(NAMED, nodes.size())));
    return nodes.size() > NAMED ? some + " and " + (nodes.size() - NAMED) + " more" : some;
  }

  /** Whether it may soon be another: nodes do not have the policy yet. */
  public boolean mayPass() {
    return !everywhere;
  }

  /** Whether a policy's status says this already. */
  public boolean isSaid(Tree.Mapping policy) {
    return own(policy)
        .filter(one ->
            one.text("status").equals(Optional.of(status))
                && one.text("reason").equals(Optional.of(reason))
                && one.text("message").equals(Optional.of(message))
                && one.text("observedGeneration").equals(generation(policy)))
        .isPresent();
  }

  /**
   * The merge patch of a policy's status that says this and leaves other conditions as they are. It
   * names the version that was read: a list can only be replaced whole, and must not be when
   * somebody else has written it meanwhile.
   */
  public Tree.Mapping patch(Tree.Mapping policy, Instant now) {
    Optional<Tree.Mapping> before = own(policy);
    Map<String, Tree> condition = new LinkedHashMap<>();
    condition.put("type", Tree.Scalar.text(TYPE));
    condition.put("status", Tree.Scalar.text(status));
    generation(policy)
        .ifPresent(
            number -> condition.put("observedGeneration", Tree.Scalar.plain(Long.valueOf(number))));
    condition.put(
        "lastTransitionTime",
        before
            .filter(one -> one.text("status").equals(Optional.of(status)))
            .flatMap(one -> one.get("lastTransitionTime"))
            .orElseGet(() -> Tree.Scalar.text(now.truncatedTo(ChronoUnit.SECONDS).toString())));
    condition.put("reason", Tree.Scalar.text(reason));
    condition.put("message", Tree.Scalar.text(message));
    List<Tree> conditions = new ArrayList<>();
    boolean placed = false;
    for (Tree one : conditions(policy)) {
      if (isOwn(one)) {
        placed = true;
        conditions.add(Tree.Mapping.of(condition));
      } else {
        conditions.add(one);
      }
    }
    if (!placed) {
      conditions.add(Tree.Mapping.of(condition));
    }
    Map<String, Tree> patch = new LinkedHashMap<>();
    policy
        .mapping("metadata")
        .flatMap(metadata -> metadata.get("resourceVersion"))
        .ifPresent(
            version -> patch.put("metadata", Tree.Mapping.of(Map.of("resourceVersion", version))));
    patch.put("status", Tree.Mapping.of(Map.of("conditions", Tree.Sequence.of(conditions))));
    return Tree.Mapping.of(patch);
  }

  private static Optional<String> generation(Tree.Mapping policy) {
    return policy
        .mapping("metadata")
        .flatMap(metadata -> metadata.text("generation"))
        .filter(text -> text.matches("[0-9]{1,18}"));
  }

  private static Optional<Tree.Mapping> own(Tree.Mapping policy) {
    return conditions(policy).stream()
        .filter(PolicyStatement::isOwn)
        .map(Tree.Mapping.class::cast)
        .findFirst();
  }

  private static boolean isOwn(Tree condition) {
    return condition instanceof Tree.Mapping one
        && one.text("type").filter(TYPE::equals).isPresent();
  }

  private static List<Tree> conditions(Tree.Mapping policy) {
    return policy.mapping("status").flatMap(status -> status.get("conditions")).orElse(policy)
            instanceof Tree.Sequence list
        ? list.items()
        : List.of();
  }
}
