package dev.sund.engine.policy.audit;

import dev.sund.engine.cluster.Namespace;
import dev.sund.engine.cluster.Policy;
import dev.sund.engine.policy.PolicyPod;
import dev.sund.engine.policy.reach.PortSet;
import dev.sund.model.LabelSelector;
import dev.sund.model.ObjectRef;
import dev.sund.model.Port;
import dev.sund.model.RuleId.Direction;
import dev.sund.model.Severity;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What policies and rules do not do: select nobody, name nobody, add nothing, never decide. */
final class RuleReview {
  private final PolicyScene scene;
  private final List<AuditFinding> findings;
  private final Map<String, Map<String, String>> labels = new HashMap<>();
  private final Map<Policy.Pods, BitSet> selected = new HashMap<>();
  private final Map<String, List<Integer>> inNamespace = new HashMap<>();

  RuleReview(PolicyScene scene, List<AuditFinding> findings) {
    this.scene = scene;
    this.findings = findings;
    for (Namespace namespace : scene.namespaces()) {
      labels.put(namespace.name(), namespace.labels());
    }
    for (int i = 0; i < scene.pods().size(); i++) {
      ScenePod pod = scene.pods().get(i);
      if (pod.pod().counts()) {
        inNamespace.computeIfAbsent(pod.namespace(), _ -> new ArrayList<>()).add(i);
      }
    }
  }

  void review() {
    List<Policy> ordered =
        scene.policies().stream()
            .sorted(
                Comparator.comparing(Policy::tier)
                    .thenComparingInt(Policy::priority)
                    .thenComparing(Policy::ref))
            .toList();
    List<RuleScope> rules = new ArrayList<>();
    for (Policy policy : ordered) {
      BitSet subjects = pods(policy.subject());
      if (subjects.isEmpty()) {
        selectsNothing(policy);
      }
      for (Policy.Rule rule : policy.rules()) {
        if (policy.tier() == Policy.Tier.NAMESPACE
            && !policy.isolates().contains(rule.direction())) {
          continue; // it is never asked
        }
        RuleScope scope = new RuleScope(policy, rule, rules.size(), subjects, peers(rule));
        rules.add(scope);
        peersThatAreNobody(scope);
        if (!subjects.isEmpty()) {
          portsThatNobodyOpens(scope);
        }
      }
    }
    overruled(rules);
  }

  /** The pods that a selector finds, by their places in the scene. */
  BitSet pods(Policy.Pods pods) {
    return selected.computeIfAbsent(pods, this::find);
  }

  private BitSet find(Policy.Pods pods) {
    BitSet found = new BitSet();
    inNamespace.forEach((namespace, places) -> {
      @Nullable Map<String, String> own = labels.get(namespace);
      for (int place : places) {
        if (pods.has(namespace, own, scene.pods().get(place).pod().labels())) {
          found.set(place);
        }
      }
    });
    return found;
  }

  private BitSet peers(Policy.Rule rule) {
    BitSet all = new BitSet();
    for (Policy.Peer peer : rule.peers()) {
      if (peer instanceof Policy.Pods pods) {
        all.or(pods(pods));
      }
    }
    return all;
  }

  private void selectsNothing(Policy policy) {
    Policy.Pods subject = policy.subject();
    String where = subject.namespace().orElse("");
    findings.add(
        new AuditFinding(
            Check.POLICY_SELECTS_NOTHING,
            Severity.WARNING,
            policy.ref(),
            "",
            "no pod matches " + text(subject) + ", so the policy is about nobody.",
            List.of(),
            Map.of("pods", 0L),
            "Correct the selector, or delete the policy.",
            Remedies.labels(where, subject.pods())));
  }

  private void peersThatAreNobody(RuleScope scope) {
    int index = 0;
    for (Policy.Peer peer : scope.rule().peers()) {
      Optional<String> nobody =
          switch (peer) {
            case Policy.Pods pods when pods(pods).isEmpty() ->
                Optional.of("no pod matches " + text(pods));
            case Policy.Nodes(LabelSelector nodes)
                when scene.nodes().stream().noneMatch(node -> nodes.matches(node.labels())) ->
                Optional.of("no node matches " + nodes);
            case Policy.Pods _, Policy.Nodes _, Policy.Anyone _, Policy.Block _ -> Optional.empty();
          };
      if (nobody.isPresent()) {
        LabelSelector wanted = peer instanceof Policy.Pods pods ? pods.pods() : LabelSelector.ALL;
        String where = peer instanceof Policy.Pods pods ? pods.namespace().orElse("") : "";
        findings.add(
            new AuditFinding(
                Check.RULE_MATCHES_NOTHING,
                Severity.WARNING,
                scope.policy().ref(),
                name(scope.rule()) + ", peer " + index,
                nobody.get() + ", so this peer " + verb(scope.rule()) + " nobody.",
                List.of(),
                Map.of("pods", 0L),
                "Correct the selector, or leave the peer out.",
                peer instanceof Policy.Pods
                    ? Remedies.labels(where, wanted)
                    : "kubectl get nodes --show-labels"));
      }
      index++;
    }
  }

  private static String verb(Policy.Rule rule) {
    return switch (rule.action()) {
      case ACCEPT -> "allows";
      case DENY -> "denies";
      case PASS -> "passes over";
    };
  }

  private void portsThatNobodyOpens(RuleScope scope) {
    boolean ingress = scope.rule().direction() == Direction.INGRESS;
    if (!ingress
        && scope.rule().peers().stream().anyMatch(peer -> !(peer instanceof Policy.Pods))) {
      return; // it is about addresses too, of which nobody knows the ports
    }
    BitSet asked = ingress ? scope.subjects() : scope.pods();
    if (asked.isEmpty()) {
      return;
    }
    List<PolicyPod> pods = asked.stream().mapToObj(place -> scene.pods().get(place).pod()).toList();
    boolean allDeclare = pods.stream().noneMatch(pod -> pod.ports().isEmpty());
    for (Policy.PeerPort port : scope.rule().ports()) {
      switch (port) {
        case Policy.AllPorts _ -> {}
        case Policy.NamedPort named -> {
          if (!opens(
              pods,
              one ->
                  one.name().equals(named.name())
                      && named.protocol().map(one.protocol()::equals).orElse(true))) {
            notOpened(scope, "port '" + named.name() + "'", pods.size(), Severity.WARNING);
          }
        }
        case Policy.PortRange range -> {
          boolean all = range.first() <= 1 && range.last() == 65535;
          if (!all
              && allDeclare
              && !opens(
                  pods,
                  one ->
                      one.protocol() == range.protocol()
                          && range.first() <= one.number()
                          && one.number() <= range.last())) {
            PortSet set = PortSet.of(range.protocol(), range.first(), range.last());
            notOpened(scope, set.toString(), pods.size(), Severity.INFO);
          }
        }
      }
    }
  }

  private interface PortTest {
    boolean holds(Port port);
  }

  private static boolean opens(List<PolicyPod> pods, PortTest test) {
    return pods.stream().anyMatch(pod -> pod.ports().stream().anyMatch(test::holds));
  }

  private void notOpened(RuleScope scope, String port, int pods, Severity severity) {
    findings.add(
        new AuditFinding(
            Check.PORT_NOT_OPENED,
            severity,
            scope.policy().ref(),
            name(scope.rule()) + ", " + port,
            "none of the %d pods at the other end of the rule declares %s%s."
                .formatted(
                    pods,
                    port,
                    severity == Severity.WARNING
                        ? ", so it means no port at all"
                        : "; they may open it all the same"),
            List.of(),
            Map.of("pods", (long) pods),
            "Correct the port, or declare it in the containers.",
            ""));
  }

  private void overruled(List<RuleScope> rules) {
    Map<String, List<RuleScope>> ofNamespace = new HashMap<>();
    List<RuleScope> ofCluster = new ArrayList<>();
    for (RuleScope scope : rules) {
      if (scope.subjects().isEmpty()) {
        continue;
      }
      if (scope.policy().tier() == Policy.Tier.NAMESPACE) {
        String namespace = scope.policy().subject().namespace().orElse("");
        List<RuleScope> others = ofNamespace.computeIfAbsent(namespace, _ -> new ArrayList<>());
        others.add(scope);
      } else {
        ofCluster.add(scope);
      }
    }
    ofNamespace
        .values()
        .forEach(all -> {
          List<RuleScope> needed = new ArrayList<>();
          for (RuleScope scope : all) {
            if (!repeated(scope, all)) {
              needed.add(scope);
            }
            denied(scope, ofCluster);
          }
          repeatedByMany(needed);
        });
    for (RuleScope scope : ofCluster) {
      neverReached(scope, ofCluster);
    }
  }

  /** Of rules that several others cover together, so many that all of them may be left out. */
  private void repeatedByMany(List<RuleScope> rules) {
    List<RuleScope> left = new ArrayList<>(rules);
    for (RuleScope scope : rules.reversed()) {
      List<RuleScope> by = Together.cover(scope, left);
      if (!by.isEmpty()) {
        left.remove(scope);
        findings.add(
            overruled(
                Check.RULE_SHADOWED,
                scope,
                by,
                "all that it allows " + rulesOf(by) + " allow together.",
                "Leave it out, or narrow one of the others."));
      }
    }
  }

  /** Rules of namespaces allow together: one that another one covers changes nothing. */
  private boolean repeated(RuleScope scope, List<RuleScope> all) {
    for (RuleScope other : all) {
      boolean same = other.isCoveredBy(scope) && scope.isCoveredBy(other);
      if (other.place() != scope.place()
          && scope.isCoveredBy(other)
          && (!same || other.place() < scope.place())) {
        findings.add(
            overruled(
                Check.RULE_SHADOWED,
                scope,
                other,
                "all that it allows " + ruleOf(other) + " allows too.",
                "Leave it out, or narrow the other one."));
        return true;
      }
    }
    return false;
  }

  private void denied(RuleScope scope, List<RuleScope> ofCluster) {
    List<RuleScope> denying = new ArrayList<>();
    for (RuleScope other : ofCluster) {
      if (other.policy().tier() == Policy.Tier.ADMIN
          && other.rule().action() == Policy.Action.DENY
          && other.mayCoverSomeOf(scope)
          && nothingBefore(other, scope, ofCluster)) {
        denying.add(other);
      }
    }
    List<RuleScope> by = Together.cover(scope, denying);
    if (!by.isEmpty()) {
      findings.add(
          overruled(
              Check.RULES_CONTRADICT,
              scope,
              by,
              "all that it allows %s %s before it is asked."
                  .formatted(rulesOf(by), by.size() == 1 ? "denies" : "deny together"),
              "Leave it out, or let the cluster's policy pass or accept this."));
    }
  }

  /** Whether no earlier rule of the cluster takes a part of what this one fits. */
  private static boolean nothingBefore(RuleScope rule, RuleScope about, List<RuleScope> ofCluster) {
    return ofCluster.stream()
        .noneMatch(earlier ->
            earlier.place() < rule.place()
                && earlier.rule().action() != Policy.Action.DENY
                && earlier.meets(about));
  }

  /** Rules of the cluster are asked in their order. */
  private void neverReached(RuleScope scope, List<RuleScope> all) {
    List<RuleScope> earlier =
        all.stream()
            .filter(other -> other.policy().tier() == scope.policy().tier())
            .filter(other -> other.place() < scope.place())
            .toList();
    List<RuleScope> by = Together.cover(scope, earlier);
    if (by.size() > 1) {
      boolean contradict =
          by.stream()
              .allMatch(other ->
                  other.rule().action() != Policy.Action.PASS
                      && other.rule().action() != scope.rule().action());
      findings.add(
          overruled(
              contradict ? Check.RULES_CONTRADICT : Check.RULE_SHADOWED,
              scope,
              by,
              "it is never asked: " + rulesOf(by) + " take all of it before.",
              "Leave it out, or put it first."));
      return;
    }
    for (RuleScope other : all) {
      if (other.policy().tier() != scope.policy().tier() || other.place() == scope.place()) {
        continue;
      }
      boolean opposed = other.rule().action() != scope.rule().action();
      if (other.place() < scope.place() && scope.isCoveredBy(other)) {
        boolean passed = other.rule().action() == Policy.Action.PASS;
        findings.add(
            overruled(
                opposed && !passed ? Check.RULES_CONTRADICT : Check.RULE_SHADOWED,
                scope,
                other,
                "it is never asked: %s %s all of it before."
                    .formatted(ruleOf(other), verb(other.rule())),
                "Leave it out, or put it first."));
        return;
      }
      if (opposed
          && other.place() < scope.place()
          && !other.policy().ref().equals(scope.policy().ref())
          && other.policy().priority() == scope.policy().priority()
          && scope.meets(other)) {
        findings.add(
            overruled(
                Check.RULES_CONTRADICT,
                scope,
                other,
                "%s says the opposite of some of it at the same priority, and which of them is asked"
                        .formatted(ruleOf(other))
                    + " first the API leaves open.",
                "Give one of the policies another priority."));
        return;
      }
    }
  }

  private static AuditFinding overruled(
      Check check, RuleScope scope, RuleScope other, String text, String remedy) {
    return overruled(check, scope, List.of(other), text, remedy);
  }

  private static AuditFinding overruled(
      Check check, RuleScope scope, List<RuleScope> by, String text, String remedy) {
    return new AuditFinding(
        check,
        check.severity(),
        scope.policy().ref(),
        name(scope.rule()),
        text,
        by.stream().map(other -> other.policy().ref()).distinct().toList(),
        Map.of("pods", (long) scope.subjects().cardinality()),
        remedy,
        "kubectl edit %s".formatted(command(scope.policy().ref())));
  }

  private static String command(ObjectRef ref) {
    int slash = ref.name().indexOf('/');
    String kind = ref.kind().toLowerCase(Locale.ROOT);
    return slash < 0
        ? kind + " " + ref.name()
        : "-n "
            + ref.name().substring(0, slash)
            + " "
            + kind
            + " "
            + ref.name().substring(slash + 1);
  }

  private static String rulesOf(List<RuleScope> rules) {
    return rules.stream().map(RuleReview::ruleOf).collect(Collectors.joining(" and "));
  }

  private static String ruleOf(RuleScope scope) {
    return scope.policy().ref() + " " + name(scope.rule());
  }

  /** {@code ingress rule 0}, with its own name where it has one. */
  static String name(Policy.Rule rule) {
    return rule.direction().name().toLowerCase(Locale.ROOT)
        + " rule "
        + rule.index()
        + (rule.name().isEmpty() ? "" : " (" + rule.name() + ")");
  }

  private static String text(Policy.Pods pods) {
    String where =
        pods.namespace()
            .map(name -> "namespace " + name)
            .orElseGet(() ->
                pods.namespaces().isAll()
                    ? "all namespaces"
                    : "namespaces with " + pods.namespaces());
    return (pods.pods().isAll() ? "all pods" : pods.pods().toString()) + " of " + where;
  }
}
