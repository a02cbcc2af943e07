package dev.sund.dataplane.foreign;

import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Which chains of iptables are kube-proxy's, and which of them can go. Pure.
 *
 * <p>The kubelet has chains of the same prefix (KUBE-FIREWALL in {@code filter}, KUBE-MARK-DROP,
 * KUBE-KUBELET-CANARY, KUBE-IPTABLES-HINT), and so has kube-router (KUBE-ROUTER-...,
 * KUBE-POD-FW-..., KUBE-NWPLCY-...): those are left. Other programs may jump into kube-proxy's
 * (portmap to KUBE-MARK-MASQ, when it is told so): what they need is left, too.
 */
final class ProxyChains {
  /** The tables in which kube-proxy has chains. */
  static final List<String> TABLES = List.of("filter", "nat", "mangle");

  private static final Set<String> NAMES =
      Set.of(
          "KUBE-SERVICES",
          "KUBE-EXTERNAL-SERVICES",
          "KUBE-NODEPORTS",
          "KUBE-FORWARD",
          "KUBE-PROXY-FIREWALL",
          "KUBE-PROXY-CANARY",
          "KUBE-NODE-PORT",
          "KUBE-LOAD-BALANCER",
          "KUBE-SOURCE-RANGES-FIREWALL",
          "KUBE-IPVS-FILTER",
          "KUBE-IPVS-OUT-FILTER");

  private static final List<String> PREFIXES =
      List.of("KUBE-SVC-", "KUBE-SVL-", "KUBE-SEP-", "KUBE-EXT-", "KUBE-FW-", "KUBE-XLB-");

  /** Those which the kubelet once had, too: kube-proxy's where others of its are. */
  private static final Set<String> SHARED = Set.of("KUBE-MARK-MASQ", "KUBE-POSTROUTING");

  private ProxyChains() {}

  /** kube-proxy's chains among those of a table. */
  static Set<String> in(String table, Collection<String> chains) {
    Set<String> found = new TreeSet<>();
    for (String chain : chains) {
      if (NAMES.contains(chain) || PREFIXES.stream().anyMatch(chain::startsWith)) {
        found.add(chain);
      }
    }
    if (!found.isEmpty()) {
      chains.stream().filter(SHARED::contains).forEach(found::add);
      if (table.equals("nat")) { // of mode ipvs; in filter it is the kubelet's
        chains.stream().filter("KUBE-FIREWALL"::equals).forEach(found::add);
      }
    }
    return found;
  }

  /**
   * Those of {@code chains} that nobody else's chain leads to.
   *
   * @param jumps of each chain that somebody made, those that its rules lead to
   */
  static Set<String> removable(Set<String> chains, Map<String, Set<String>> jumps) {
    Deque<String> needed = new ArrayDeque<>();
    jumps.forEach((from, to) -> {
      if (!chains.contains(from)) {
        needed.addAll(to);
      }
    });
    Set<String> gone = new TreeSet<>(chains);
    while (!needed.isEmpty()) {
      String chain = needed.remove();
      if (gone.remove(chain)) {
        needed.addAll(jumps.getOrDefault(chain, Set.of()));
      }
    }
    return gone;
  }
}
