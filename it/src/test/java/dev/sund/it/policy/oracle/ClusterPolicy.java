package dev.sund.it.policy.oracle;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One ClusterNetworkPolicy (N26 to N30). */
final class ClusterPolicy {
  private static final Set<String> FROM = Set.of("namespaces", "pods");
  private static final Set<String> TO =
      Set.of("namespaces", "pods", "nodes", "networks", "domainNames");

  /** What a rule does to a connection that it matches. */
  enum Outcome {
    ACCEPT,
    DENY,
    PASS
  }

  private final Cluster cluster;
  private final String name;
  private final @Nullable Object spec;

  ClusterPolicy(Cluster cluster, Map<String, Object> object) throws NotUnderstood {
    this.cluster = cluster;
    this.name = Json.text(Json.map(object.get("metadata")).get("name"));
    this.spec = object.get("spec");
  }

  String name() {
    return name;
  }

  private Map<String, Object> said() {
    try {
      return Json.map(spec);
    } catch (NotUnderstood _) {
      return Map.of();
    }
  }

  private boolean isWhole() {
    try {
      Json.only(spec, Set.of("tier", "priority", "subject", "ingress", "egress"));
      return true;
    } catch (NotUnderstood _) {
      return false;
    }
  }

  private boolean isTierUnderstood() {
    return Set.of("Admin", "Baseline").contains(String.valueOf(said().get("tier")));
  }

  private boolean isPriorityUnderstood() {
    try {
      Json.number(said().get("priority"), 0, 1000);
      return true;
    } catch (NotUnderstood _) {
      return false;
    }
  }

  private boolean isSubjectUnderstood() {
    try {
      isOneOf(said().get("subject"), Map.of(), Map.of());
      return true;
    } catch (NotUnderstood _) {
      return false;
    }
  }

  /** One that does not say its tier is asked before all others. */
  String tier() {
    return isTierUnderstood() ? String.valueOf(said().get("tier")) : "Admin";
  }

  int priority() {
    return isTierUnderstood() && isPriorityUnderstood()
        ? (Integer) said().getOrDefault("priority", 0)
        : 0;
  }

  /** Whether it is about this pod; one that does not say about whom is about all. */
  boolean isAbout(Cluster.Pod pod) {
    try {
      return isOneOf(
          said().get("subject"), pod.labels(), cluster.labelsOfNamespace(pod.namespace()));
    } catch (NotUnderstood _) {
      return true;
    }
  }

  /** A choice of pods: by their namespaces, or by both selectors. */
  private static boolean isOneOf(
      @Nullable Object choice, Map<String, String> labels, Map<String, String> namespace)
      throws NotUnderstood {
    Map<String, Object> parts = Json.only(choice, FROM);
    if (Json.oneOf(parts, FROM).equals("namespaces")) {
      return Selectors.matches(parts.get("namespaces"), namespace);
    }
    Map<String, Object> pods =
        Json.only(parts.get("pods"), Set.of("namespaceSelector", "podSelector"));
    if (pods.get("podSelector") == null) {
      throw new NotUnderstood("podSelector");
    }
    boolean namespaceFits = Selectors.matches(pods.get("namespaceSelector"), namespace);
    return Selectors.matches(pods.get("podSelector"), labels) && namespaceFits;
  }

  /** What its first rule that matches does. */
  Optional<Outcome> judge(String direction, End other, End destination, String protocol, int port) {
    if (!isWhole()) {
      return Optional.of(Outcome.DENY);
    }
    List<Object> rules;
    try {
      rules = Json.list(said().get(direction.equals("Ingress") ? "ingress" : "egress"));
    } catch (NotUnderstood _) {
      return Optional.of(Outcome.DENY);
    }
    boolean placed = isTierUnderstood() && isPriorityUnderstood() && isSubjectUnderstood();
    for (Object rule : rules) {
      Optional<Outcome> outcome = rule(direction, rule, other, destination, protocol, port);
      if (outcome.isPresent() && placed) {
        return outcome;
      }
      if (outcome.isPresent() && outcome.get() != Outcome.ACCEPT) {
        return Optional.of(Outcome.DENY);
      }
    }
    return Optional.empty();
  }

  private Optional<Outcome> rule(
      String direction, Object rule, End other, End destination, String protocol, int port) {
    String whom = direction.equals("Ingress") ? "from" : "to";
    Outcome outcome = Outcome.DENY; // what an action that is not understood comes to
    boolean matches;
    try {
      Object action = Json.map(rule).get("action");
      if ("Accept".equals(action)) {
        outcome = Outcome.ACCEPT;
      } else if ("Pass".equals(action)) {
        outcome = Outcome.PASS;
      }
      Map<String, Object> parts = Json.only(rule, Set.of("name", "action", whom, "protocols"));
      if (parts.get("name") != null) {
        Json.text(parts.get("name"));
      }
      boolean accepts = outcome == Outcome.ACCEPT;
      boolean peerFits = peers(parts.get(whom), direction, other, accepts);
      boolean portFits =
          ports(parts.get("protocols"), parts.get(whom), destination, protocol, port, accepts);
      matches = peerFits && portFits;
    } catch (NotUnderstood _) {
      // a rule that accepts matches nothing; another one denies everything
      return outcome == Outcome.ACCEPT ? Optional.empty() : Optional.of(Outcome.DENY);
    }
    return matches ? Optional.of(outcome) : Optional.empty();
  }

  private boolean peers(@Nullable Object list, String direction, End other, boolean accepts)
      throws NotUnderstood {
    List<Object> peers = Json.list(list);
    if (peers.isEmpty()) {
      throw new NotUnderstood("peers");
    }
    boolean any = false;
    for (Object peer : peers) {
      try {
        any |= isPeer(peer, direction, other);
      } catch (NotUnderstood e) {
        if (!accepts) {
          throw e;
        }
      }
    }
    return any;
  }

  private boolean isPeer(Object peer, String direction, End other) throws NotUnderstood {
    Set<String> known = direction.equals("Ingress") ? FROM : TO;
    Map<String, Object> parts = Json.only(peer, known);
    String kind = Json.oneOf(parts, known);
    return switch (kind) {
      case "networks" -> {
        List<Object> ranges = Json.list(parts.get(kind));
        if (ranges.isEmpty()) {
          throw new NotUnderstood("networks");
        }
        boolean in = false;
        for (Object range : ranges) {
          in |= Ranges.of(range).contains(other.address());
        }
        yield in;
      }
      case "nodes" -> cluster.isAddressOfNode(parts.get(kind), other.address());
      case "domainNames" -> throw new NotUnderstood("names are not followed"); // N30
      default -> {
        Cluster.Pod pod = cluster.pod(other).orElse(null);
        boolean fits =
            isOneOf(
                peer,
                pod == null ? Map.of() : pod.labels(),
                pod == null ? Map.of() : cluster.labelsOfNamespace(pod.namespace()));
        yield pod != null && fits;
      }
    };
  }

  private boolean ports(
      @Nullable Object list,
      @Nullable Object peers,
      End destination,
      String protocol,
      int number,
      boolean accepts)
      throws NotUnderstood {
    if (list == null) {
      return true;
    }
    List<Object> ports = Json.list(list);
    if (ports.isEmpty()) {
      throw new NotUnderstood("protocols");
    }
    boolean any = false;
    for (Object port : ports) {
      try {
        any |= isPort(port, Json.list(peers), destination, protocol, number);
      } catch (NotUnderstood e) {
        if (!accepts) {
          throw e;
        }
      }
    }
    return any;
  }

  private boolean isPort(
      Object port, List<Object> peers, End destination, String protocol, int number)
      throws NotUnderstood {
    Set<String> known = Set.of("tcp", "udp", "sctp", "destinationNamedPort");
    Map<String, Object> parts = Json.only(port, known);
    String kind = Json.oneOf(parts, known);
    if (kind.equals("destinationNamedPort")) {
      String named = Json.text(parts.get(kind));
      for (Object peer : peers) {
        for (String nameless : List.of("nodes", "networks", "domainNames")) {
          if (peer instanceof Map<?, ?> map && map.get(nameless) != null) {
            throw new NotUnderstood("a name of who has none");
          }
        }
      }
      if (!NamespacePolicy.isPortName(named)) {
        throw new NotUnderstood("name");
      }
      return cluster.hasPort(destination, named, "", protocol, number);
    }
    Map<String, Object> of = Json.only(parts.get(kind), Set.of("destinationPort"));
    Map<String, Object> which = Json.only(of.get("destinationPort"), Set.of("number", "range"));
    int first;
    int last;
    if (Json.oneOf(which, Set.of("number", "range")).equals("number")) {
      first = Json.number(which.get("number"), 1, 65535);
      last = first;
    } else {
      Map<String, Object> range = Json.only(which.get("range"), Set.of("start", "end"));
      first = Json.number(range.get("start"), 1, 65535);
      last = Json.number(range.get("end"), first + 1, 65535);
    }
    return kind.equalsIgnoreCase(protocol) && number >= first && number <= last;
  }
}
