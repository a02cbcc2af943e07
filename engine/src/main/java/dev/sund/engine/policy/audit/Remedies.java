package dev.sund.engine.policy.audit;

import dev.sund.model.LabelSelector;
import java.util.Locale;

/** YAML and commands that findings propose. */
final class Remedies {
  private Remedies() {}

  static String defaultDeny(String namespace, String type) {
    return """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata:
      name: default-deny-%s
      namespace: %s
    spec:
      podSelector: {}
      policyTypes: [%s]
    """
        .formatted(type.toLowerCase(Locale.ROOT), namespace, type);
  }

  static String dns(String namespace) {
    return """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata:
      name: allow-dns
      namespace: %s
    spec:
      podSelector: {}
      policyTypes: [Egress]
      egress:
      - to:
        - namespaceSelector:
            matchLabels: {kubernetes.io/metadata.name: kube-system}
          podSelector:
            matchLabels: {k8s-app: kube-dns}
        ports:
        - {protocol: UDP, port: 53}
        - {protocol: TCP, port: 53}
    """
        .formatted(namespace);
  }

  static String sameNamespace(String namespace) {
    return """
    apiVersion: networking.k8s.io/v1
    kind: NetworkPolicy
    metadata:
      name: from-own-namespace
      namespace: %s
    spec:
      podSelector: {}
      policyTypes: [Ingress]
      ingress:
      - from:
        - podSelector: {}
    """
        .formatted(namespace);
  }

  /** A command that shows which labels there are. */
  static String labels(String namespace, LabelSelector pods) {
    return "kubectl get pods "
        + (namespace.isEmpty() ? "-A" : "-n " + namespace)
        + " --show-labels   # none of them matches: "
        + pods;
  }
}
