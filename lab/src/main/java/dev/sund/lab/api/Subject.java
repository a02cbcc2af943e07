package dev.sund.lab.api;

import java.util.List;

/**
 * Who makes a request.
 *
 * @param name such as {@code system:serviceaccount:kube-system:sund-agent}
 * @param groups the groups; {@code system:masters} may do everything
 */
public record Subject(String name, List<String> groups) {
  /** May do everything. */
  public static final Subject ADMIN = new Subject("admin", List.of("system:masters"));

  public Subject {
    groups = List.copyOf(groups);
  }

  /** The service account of this name. */
  public static Subject serviceAccount(String namespace, String name) {
    return new Subject(
        "system:serviceaccount:" + namespace + ":" + name,
        List.of("system:serviceaccounts", "system:serviceaccounts:" + namespace));
  }
}
