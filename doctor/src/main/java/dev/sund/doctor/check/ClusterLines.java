package dev.sund.doctor.check;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.UnreadException;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The lines of the fact {@value dev.sund.doctor.Facts#CLUSTER}.
 *
 * @param lines all
 */
record ClusterLines(List<Line> lines) {
  /**
   * Reads them.
   *
   * @param kinds the plurals of the kinds that the check cannot do without
   * @throws UnreadException when they cannot be read, or the server does not show one of the kinds
   */
  static ClusterLines of(Host host, String... kinds) throws UnreadException {
    List<Line> lines = host.lines(Facts.CLUSTER);
    Set<String> needed = Set.of(kinds);
    for (Line line : lines) {
      if (needed.contains(line.text("unread"))) {
        throw new UnreadException(
            "the API server does not show "
                + line.text("unread")
                + ": "
                + line.text("why").replace('_', ' '),
            "Let this user list them: deploy/doctor-rbac.yaml has all that the doctor needs.");
      }
    }
    return new ClusterLines(lines);
  }

  /** Those that are about a thing, by their first word: {@code node}, {@code pool}. */
  List<Line> about(String thing) {
    return lines.stream()
        .filter(line -> line.words().keySet().stream().findFirst().equals(Optional.of(thing)))
        .toList();
  }

  /** Whether the objects are a running cluster's, and not what somebody wrote down. */
  boolean live() {
    return lines.stream().anyMatch(line -> line.text("source").equals("kubeconfig"));
  }

  /** All addresses of nodes. */
  List<Ip> nodeAddresses() {
    List<Ip> found = new ArrayList<>();
    for (Line node : about("node")) {
      node.list("addresses").forEach(text -> Ip.tryParse(text).ifPresent(found::add));
    }
    return found;
  }

  /** The node that has this address; empty when none has. */
  String nodeOf(Ip address) {
    return about("node").stream()
        .filter(node -> node.list("addresses").contains(address.toString()))
        .map(node -> node.text("node"))
        .findFirst()
        .orElse("");
  }

  /**
   * The links that nodes are on: what they say themselves, and, when this machine is one of them,
   * its own.
   */
  List<AddressSpan> links(Host host) throws UnreadException {
    Set<String> texts = new LinkedHashSet<>();
    about("node").forEach(node -> texts.addAll(node.list("links")));
    if (isNode(host)) {
      for (Line link : host.lines(Facts.LINKS)) {
        // A bridge or a tunnel of pods is no link that anybody else is on.
        if (link.text("kind").matches("|bond|vlan|team|macvlan|ipvlan|veth|bridge")
            && !link.text("link").matches("lo|cni\\d+|docker\\d+|cbr\\d+|kube-bridge|virbr\\d+")) {
          texts.addAll(link.list("addresses"));
        }
      }
    }
    texts.removeIf(text -> text.startsWith("fe80:") || text.startsWith("127."));
    return AddressSpan.all(List.copyOf(texts));
  }

  /** Whether this machine is one of the nodes: it has one's address. */
  boolean isNode(Host host) throws UnreadException {
    Set<Ip> own = new HashSet<>();
    for (Line link : host.lines(Facts.LINKS)) {
      for (String text : link.list("addresses")) {
        Ip.tryParse(text.replaceFirst("/.*", "")).ifPresent(own::add);
      }
    }
    return nodeAddresses().stream().anyMatch(own::contains);
  }

  /** The first of them and how many more there are. */
  static String named(List<String> names) {
    return names.getFirst() + (names.size() == 1 ? "" : " and " + (names.size() - 1) + " more");
  }

  /** The link that holds all of these addresses; nothing when there is none such. */
  static Optional<AddressSpan> shared(List<AddressSpan> links, List<Ip> addresses) {
    return links.stream().filter(link -> addresses.stream().allMatch(link::contains)).findFirst();
  }
}
