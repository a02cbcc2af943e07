package dev.sund.it.policy.oracle;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One NetworkPolicy. */
final class NamespacePolicy {
  private static final Set<String> BOTH = Set.of("Ingress", "Egress");

  private final Cluster cluster;
  private final String namespace;
  private final @Nullable Object spec;

  NamespacePolicy(Cluster cluster, Map<String, Object> object) throws NotUnderstood {
    this.cluster = cluster;
    this.namespace = Json.text(Json.map(object.get("metadata")).get("namespace"));
    this.spec = object.get("spec");
  }

  /** What {@code spec} says; nothing when it is none. */
  private Map<String, Object> said() {
    try {
      return Json.map(spec);
    } catch (NotUnderstood _) {
      return Map.of();
    }
  }

  /** Whether all of {@code spec}'s fields are known. */
  private boolean isWhole() {
    if (spec == null) {
      return true;
    }
    try {
      Json.only(spec, Set.of("podSelector", "policyTypes", "ingress", "egress"));
      return true;
    } catch (NotUnderstood _) {
      return false;
    }
  }

  /** N1; one whose selector is not understood is about all pods of its namespace. */
  boolean selects(Cluster.Pod pod) {
    if (!pod.namespace().equals(namespace)) {
      return false;
    }
    try {
      return Selectors.matches(said().get("podSelector"), pod.labels());
    } catch (NotUnderstood _) {
      return true;
    }
  }

  private boolean isSelectorUnderstood() {
    try {
      Selectors.matches(said().get("podSelector"), Map.of());
      return true;
    } catch (NotUnderstood _) {
      return false;
    }
  }

  /** The types that are named or, when none is, meant (N2). */
  private Set<String> types() {
    Set<String> types = new HashSet<>();
    try {
      List<Object> named = Json.list(said().get("policyTypes"));
      for (Object type : named) {
        if (type instanceof String text && BOTH.contains(text)) {
          types.add(text);
        }
      }
      if (named.isEmpty()) {
        types.add("Ingress");
        if (hasEgress()) {
          types.add("Egress");
        }
      }
    } catch (NotUnderstood _) {
      // none is named
    }
    return types;
  }

  private boolean hasEgress() {
    try {
      return !Json.list(said().get("egress")).isEmpty();
    } catch (NotUnderstood _) {
      return true;
    }
  }

  private boolean areTypesUnderstood() {
    try {
      for (Object type : Json.list(said().get("policyTypes"))) {
        if (!(type instanceof String text && BOTH.contains(text))) {
          return false;
        }
      }
      return true;
    } catch (NotUnderstood _) {
      return false;
    }
  }

  /** Whether it isolates the pods that it selects. */
  boolean isolates(String direction) {
    return !isWhole() || !areTypesUnderstood() || types().contains(direction);
  }

  /** Whether a rule of it allows the connection (N3, N4). */
  boolean allows(String direction, End other, End destination, String protocol, int port) {
    if (!isWhole() || !isSelectorUnderstood() || !types().contains(direction)) {
      return false;
    }
    List<Object> rules;
    try {
      rules = Json.list(said().get(direction.equals("Ingress") ? "ingress" : "egress"));
    } catch (NotUnderstood _) {
      return false;
    }
    for (Object rule : rules) {
      if (ruleAllows(direction, rule, other, destination, protocol, port)) {
        return true;
      }
    }
    return false;
  }

  private boolean ruleAllows(
      String direction, Object rule, End other, End destination, String protocol, int port) {
    String whom = direction.equals("Ingress") ? "from" : "to";
    try {
      Map<String, Object> parts = Json.only(rule, Set.of(whom, "ports"));
      List<Object> peers = Json.list(parts.get(whom));
      List<Object> ports = Json.list(parts.get("ports"));
      return (peers.isEmpty() || peers.stream().anyMatch(peer -> isPeer(peer, other)))
          && (ports.isEmpty()
              || ports.stream().anyMatch(one -> isPort(one, destination, protocol, port)));
    } catch (NotUnderstood _) {
      return false;
    }
  }

  private boolean isPeer(Object peer, End other) {
    try {
      Map<String, Object> parts =
          Json.only(peer, Set.of("podSelector", "namespaceSelector", "ipBlock"));
      Object pods = parts.get("podSelector");
      Object namespaces = parts.get("namespaceSelector");
      Object block = parts.get("ipBlock");
      if (block != null) {
        return pods == null && namespaces == null && isInBlock(block, other);
      }
      if (pods == null && namespaces == null) {
        return false;
      }
      Cluster.Pod pod = cluster.pod(other).orElse(null);
      Map<String, String> labels = pod == null ? Map.of() : pod.labels();
      Map<String, String> around =
          pod == null ? Map.of() : cluster.labelsOfNamespace(pod.namespace());
      boolean podFits = Selectors.matches(pods, labels);
      boolean namespaceFits =
          namespaces == null
              ? pod != null && pod.namespace().equals(namespace) // N5
              : Selectors.matches(namespaces, around);
      return pod != null && podFits && namespaceFits;
    } catch (NotUnderstood _) {
      return false;
    }
  }

  /** N6, N7: pods' addresses too. */
  private static boolean isInBlock(Object block, End other) throws NotUnderstood {
    Map<String, Object> parts = Json.only(block, Set.of("cidr", "except"));
    Ranges range = Ranges.of(parts.get("cidr"));
    boolean in = range.contains(other.address());
    for (Object except : Json.list(parts.get("except"))) {
      Ranges part = Ranges.of(except);
      if (!range.hasPart(part)) {
        throw new NotUnderstood("except");
      }
      in &= !part.contains(other.address());
    }
    return in;
  }

  /** N9 to N14. */
  private boolean isPort(Object port, End destination, String protocol, int number) {
    try {
      Map<String, Object> parts = Json.only(port, Set.of("protocol", "port", "endPort"));
      Object said = parts.get("protocol");
      String of = said == null ? "TCP" : Json.text(said);
      if (!Cluster.PROTOCOLS.contains(of)) {
        return false;
      }
      Object first = parts.get("port");
      Object last = parts.get("endPort");
      if (first == null) {
        return last == null && of.equals(protocol);
      }
      if (first instanceof String name) {
        return last == null
            && isPortName(name)
            && cluster.hasPort(destination, name, of, protocol, number);
      }
      int from = Json.number(first, 1, 65535);
      int to = last == null ? from : Json.number(last, from, 65535);
      return of.equals(protocol) && number >= from && number <= to;
    } catch (NotUnderstood _) {
      return false;
    }
  }

  static boolean isPortName(String name) {
    return name.length() <= 15
        && name.matches("[a-z0-9-]+")
        && name.matches(".*[a-z].*")
        && !name.startsWith("-")
        && !name.endsWith("-")
        && !name.contains("--");
  }
}
