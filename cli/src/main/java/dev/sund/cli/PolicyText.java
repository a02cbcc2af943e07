package dev.sund.cli;

import dev.sund.engine.cluster.Policy;
import dev.sund.engine.cluster.Policy.PeerPort;
import dev.sund.model.LabelSelector;
import dev.sund.model.RuleId.Direction;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Policies as text for people. */
final class PolicyText {
  private PolicyText() {}

  static void list(PrintWriter out, PolicyOverview all, List<PolicyOverview.Entry> entries) {
    int name =
        Math.max(4, entries.stream().mapToInt(one -> one.ref().name().length()).max().orElse(4));
    String form = "%-" + name + "s  %-9s  %8s  %-15s  %5s  %-9s  %s%n";
    out.printf(form, "NAME", "TIER", "PRIORITY", "DIRECTIONS", "PODS", "ENFORCED", "CONDITIONS");
    for (PolicyOverview.Entry one : entries) {
      int nodes = all.nodes().size();
      out.printf(
          form,
          one.ref().name(),
          PolicyOverview.tier(one),
          one.policy().tier() == Policy.Tier.NAMESPACE ? "-" : one.policy().priority(),
          String.join(",", PolicyOverview.directions(one)),
          all.selected(one).size(),
          nodes - all.stale(List.of(one)).size() + "/" + nodes,
          all.conditions(one).size());
    }
  }

  static void show(PrintWriter out, PolicyOverview all, PolicyOverview.Entry entry) {
    out.printf("%s%n", entry.ref());
    out.printf("  tier        %s%n", PolicyOverview.tier(entry));
    if (entry.policy().tier() != Policy.Tier.NAMESPACE) {
      out.printf("  priority    %d%n", entry.policy().priority());
    }
    out.printf("  directions  %s%n", String.join(", ", PolicyOverview.directions(entry)));
    out.printf("  generation  %d%n", entry.policy().generation());
    List<String> stale = all.stale(List.of(entry));
    out.printf(
        "  nodes       %s%n",
        stale.isEmpty() ? "enforced on all" : "stale: " + String.join(", ", stale));
    List<String> pods = all.selected(entry);
    out.printf("  pods        %s%n", pods.isEmpty() ? "none" : String.join(", ", pods));
    entry.policy().rules().forEach(rule -> out.printf("  rule        %s%n", rule(rule)));
    all.conditions(entry).forEach(condition -> out.printf("  ! %s%n", condition));
  }

  static void status(PrintWriter out, PolicyOverview all) {
    int name = Math.max(4, all.nodes().stream().mapToInt(String::length).max().orElse(4));
    String form = "%-" + name + "s  %-8s  %s%n";
    out.printf(form, "NODE", "POLICIES", "EXCEPTIONS");
    List<String> stale = all.stale(all.policies());
    for (String node : all.nodes()) {
      out.printf(form, node, stale.contains(node) ? "stale" : "enforced", all.exceptions(node));
    }
    for (String node : all.nodes()) {
      all.silent(node)
          .ifPresent(since ->
              out.printf("! %s has not been heard of for %d s%n", node, since.toSeconds()));
    }
    for (PolicyOverview.Entry entry : all.policies()) {
      all.conditions(entry).forEach(condition -> out.printf("! %s %s%n", entry.ref(), condition));
    }
  }

  /** {@code ingress 0: accept from pods app=web of namespace shop, 5432/tcp}. */
  static String rule(Policy.Rule rule) {
    boolean in = rule.direction() == Direction.INGRESS;
    String name = rule.name().isEmpty() ? "" : " (" + rule.name() + ")";
    return (in ? "ingress " : "egress ")
        + rule.index()
        + name
        + ": "
        + rule.action().name().toLowerCase(Locale.ROOT)
        + (in ? " from " : " to ")
        + (rule.peers().isEmpty()
            ? "nobody"
            : rule.peers().stream().map(PolicyText::peer).collect(Collectors.joining(" or ")))
        + ", "
        + (rule.ports().isEmpty()
            ? "no port"
            : rule.ports().stream().map(PolicyText::port).collect(Collectors.joining(" ")));
  }

  private static String peer(Policy.Peer peer) {
    return switch (peer) {
      case Policy.Anyone() -> "anyone";
      case Policy.Pods(var namespace, var namespaces, var pods) ->
          selected("pods", pods)
              + namespace
                  .map(name -> " of namespace " + name)
                  .orElseGet(() -> " of " + selected("namespaces", namespaces));
      case Policy.Block(var range, var except) ->
          except.isEmpty() ? range.toString() : range + " except " + except;
      case Policy.Nodes(var nodes) -> selected("nodes", nodes);
    };
  }

  private static String selected(String what, LabelSelector selector) {
    return selector.isAll() ? "all " + what : what + " " + selector;
  }

  private static String port(PeerPort port) {
    return switch (port) {
      case Policy.AllPorts() -> "all ports";
      case Policy.PortRange(var protocol, var first, var last) ->
          (first == 0 && last == 65535
                  ? "all"
                  : first == last ? String.valueOf(first) : first + "-" + last)
              + "/"
              + protocol.label();
      case Policy.NamedPort(var protocol, var name) ->
          name + protocol.map(one -> "/" + one.label()).orElse("");
    };
  }
}
