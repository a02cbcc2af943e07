package dev.sund.dataplane.foreign;

import dev.sund.dataplane.Cleanup;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.ipvs.IpvsSocket;
import dev.sund.kernel.ipvs.VirtualServer;
import dev.sund.kernel.nft.Commit;
import dev.sund.kernel.nft.Data;
import dev.sund.kernel.nft.Expr;
import dev.sund.kernel.nft.NftChain;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftOp;
import dev.sund.kernel.nft.NftRule;
import dev.sund.kernel.nft.NftSocket;
import dev.sund.kernel.nft.NftTable;
import dev.sund.kernel.nft.Verdict;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteBatch;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kernel.xtables.FilterSocket;
import dev.sund.kernel.xtables.FilterTable;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * kube-proxy's rules in a namespace.
 *
 * <p><b>What happens to packets while they go?</b> First the jumps into them go, or all of them in
 * one piece: a new connection meets them or does not. What is translated already goes on being
 * translated, since the kernel remembers that by connection and not by rule, as long as somebody's
 * translating rules are there: Sund's.
 *
 * <p>Not from virtual threads.
 */
public final class ProxyLeavings {
  /** The device that mode ipvs gives the Services' addresses. */
  public static final String IPVS_DEVICE = "kube-ipvs0";

  private static final String TABLE = "kube-proxy";

  /** Kubernetes' usual range of node ports. */
  private static final int FIRST_NODE_PORT = 30000;

  private static final int LAST_NODE_PORT = 32767;

  /** Chains that go in one transaction, so that packets and others never wait long. */
  private static final int SLICE = 500;

  private ProxyLeavings() {}

  /** A mode of kube-proxy. */
  public enum Mode {
    IPTABLES,
    NFTABLES,
    IPVS
  }

  /**
   * Something that kube-proxy left.
   *
   * @param mode the mode that makes such
   * @param object what it is: {@code table ip kube-proxy}
   */
  public record Leaving(Mode mode, String object) {
    /** {@code table ip kube-proxy (mode nftables)}. */
    @Override
    public String toString() {
      return object + " (mode " + mode.name().toLowerCase(java.util.Locale.ROOT) + ")";
    }
  }

  /** All that is there, in a fixed order; empty when kube-proxy has left nothing. */
  public static List<Leaving> find(NetNs namespace) throws KernelException {
    List<Leaving> found = new ArrayList<>();
    try (NftSocket nft = NftSocket.open(namespace)) {
      for (NftTable table : tables(nft)) {
        found.add(new Leaving(Mode.NFTABLES, "table " + table.family() + " " + TABLE));
      }
      for (NftPlace place : places(nft)) {
        found.add(new Leaving(Mode.IPTABLES, place.toString()));
      }
    }
    for (Family family : Family.values()) {
      for (String table : ProxyChains.TABLES) {
        try (FilterSocket socket = FilterSocket.open(namespace, family, table)) {
          int chains = socket.read().map(read -> in(table, read).size()).orElse(0);
          if (chains > 0) {
            found.add(new Leaving(Mode.IPTABLES, chains + " chains of " + socket));
          }
        }
      }
    }
    try (RouteSocket routes = RouteSocket.open(namespace)) {
      if (routes.link(IPVS_DEVICE).isPresent()) {
        found.add(new Leaving(Mode.IPVS, "device " + IPVS_DEVICE));
        List<VirtualServer> servers = servers(namespace, routes);
        if (!servers.isEmpty()) {
          found.add(new Leaving(Mode.IPVS, servers.size() + " virtual servers of IPVS"));
        }
      }
    }
    return found;
  }

  /** That they are there, as a condition; empty when nothing is. */
  public static Optional<Condition> condition(List<Leaving> found) {
    if (found.isEmpty()) {
      return Optional.empty();
    }
    return Optional.of(
        new Condition(
            Reason.KUBE_PROXY_RULES,
            new ObjectRef("rules", "kube-proxy"),
            "",
            "kube-proxy's rules are beside Sund's: "
                + String.join(", ", found.stream().map(Leaving::toString).toList())
                + ".",
            "If kube-proxy is to go, end it everywhere it runs, then run 'sund takeover' on this"
                + " node."));
  }

  /**
   * Removes the rules of the modes iptables and nftables, and virtual servers and device of mode
   * ipvs, whose connections end with them; later objects are tried although earlier ones failed.
   *
   * @param dryRun say what would be done, do nothing
   */
  public static Cleanup.Report remove(NetNs namespace, boolean dryRun) throws KernelException {
    List<String> done = new ArrayList<>();
    List<Condition> failed = new ArrayList<>();
    try (NftSocket nft = NftSocket.open(namespace)) {
      for (NftTable table : tables(nft)) {
        String what = "remove table " + table.family() + " " + TABLE;
        attempt(
            what,
            done,
            failed,
            dryRun,
            () -> commit(nft, List.of(new NftOp.DeleteTable(table.family(), TABLE))));
      }
      for (NftPlace place : places(nft)) {
        attempt("remove " + place, done, failed, dryRun, () -> remove(nft, place));
      }
    }
    for (Family family : Family.values()) {
      for (String table : ProxyChains.TABLES) {
        try (FilterSocket socket = FilterSocket.open(namespace, family, table)) {
          Set<String> gone =
              socket
                  .read()
                  .map(read -> ProxyChains.removable(in(table, read), read.jumps()))
                  .orElse(Set.of());
          if (!gone.isEmpty()) {
            attempt(
                "remove " + gone.size() + " chains of " + socket,
                done,
                failed,
                dryRun,
                () -> socket.change(now -> Optional.of(now.withoutChains(gone))));
          }
        }
      }
    }
    try (RouteSocket routes = RouteSocket.open(namespace)) {
      if (routes.link(IPVS_DEVICE).isPresent()) {
        List<VirtualServer> servers = servers(namespace, routes);
        if (!servers.isEmpty()) {
          attempt(
              "remove " + servers.size() + " virtual servers of IPVS",
              done,
              failed,
              dryRun,
              () -> delete(namespace, servers));
        }
        attempt(
            "remove device " + IPVS_DEVICE,
            done,
            failed,
            dryRun,
            () -> routes.apply(new RouteBatch().deleteLink(IPVS_DEVICE)).getFirst().orThrow());
      }
    }
    return new Cleanup.Report(done, failed);
  }

  private interface Act {
    void run() throws KernelException;
  }

  private static void attempt(
      String what, List<String> done, List<Condition> failed, boolean dryRun, Act act) {
    try {
      if (!dryRun) {
        act.run();
      }
      done.add(what);
    } catch (KernelException e) {
      failed.add(
          new Condition(
              Reason.KERNEL_REFUSED,
              new ObjectRef("rules", "kube-proxy"),
              "",
              "Could not " + what + ": " + e.getMessage() + ".",
              "Run 'sund takeover' again, or 'kube-proxy --cleanup'."));
    }
  }

  // Mode ipvs.

  /** How many established connections would end if the virtual servers went now. */
  public static int carriedByIpvs(NetNs namespace) throws KernelException {
    try (RouteSocket routes = RouteSocket.open(namespace);
        IpvsSocket ipvs = IpvsSocket.open(namespace)) {
      return routes.link(IPVS_DEVICE).isPresent() ? ipvs.established() : 0;
    }
  }

  /**
   * kube-proxy's virtual servers: those at addresses of its device, and node ports at the node's
   * own. Others (of keepalived) may be beside them.
   */
  private static List<VirtualServer> servers(NetNs namespace, RouteSocket routes)
      throws KernelException {
    Set<Ip> virtual = new HashSet<>();
    Set<Ip> own = new HashSet<>();
    int device = routes.link(IPVS_DEVICE).map(Link::index).orElse(0);
    for (Address address : routes.addresses()) {
      (address.device() == device ? virtual : own).add(address.address().ip());
    }
    try (IpvsSocket ipvs = IpvsSocket.open(namespace)) {
      return ipvs.servers().stream()
          .filter(server ->
              virtual.contains(server.address())
                  || (own.contains(server.address())
                      && server.port() >= FIRST_NODE_PORT
                      && server.port() <= LAST_NODE_PORT))
          .toList();
    }
  }

  private static void delete(NetNs namespace, List<VirtualServer> servers) throws KernelException {
    try (IpvsSocket ipvs = IpvsSocket.open(namespace)) {
      for (Outcome outcome : ipvs.delete(servers)) {
        outcome.orThrow();
      }
    }
  }

  // Mode nftables.

  private static List<NftTable> tables(NftSocket nft) throws KernelException {
    return nft.tables().stream()
        .filter(table -> table.name().equals(TABLE))
        .filter(table -> table.family() == NftFamily.IP || table.family() == NftFamily.IP6)
        .sorted(Comparator.comparing(NftTable::family))
        .toList();
  }

  // Mode iptables, by nf_tables.

  /** kube-proxy's chains in a table that {@code iptables-nft} made. */
  private record NftPlace(NftFamily family, String table, Set<String> chains) {
    @Override
    public String toString() {
      return chains.size() + " chains of iptables-nft " + family + " " + table;
    }
  }

  private static List<NftPlace> places(NftSocket nft) throws KernelException {
    Map<NftFamily, Map<String, Set<String>>> names = new HashMap<>();
    for (NftChain chain : nft.chains()) {
      names
          .computeIfAbsent(chain.family(), _ -> new HashMap<>())
          .computeIfAbsent(chain.table(), _ -> new TreeSet<>())
          .add(chain.name());
    }
    List<NftPlace> places = new ArrayList<>();
    for (NftFamily family : List.of(NftFamily.IP, NftFamily.IP6)) {
      for (String table : ProxyChains.TABLES) {
        Set<String> chains =
            ProxyChains.in(
                table, names.getOrDefault(family, Map.of()).getOrDefault(table, Set.of()));
        if (!chains.isEmpty()) {
          places.add(new NftPlace(family, table, chains));
        }
      }
    }
    return places;
  }

  private static void remove(NftSocket nft, NftPlace place) throws KernelException {
    Set<String> bases = new TreeSet<>();
    for (NftChain chain : nft.chains(place.family(), place.table())) {
      if (chain.base().isPresent()) {
        bases.add(chain.name());
      }
    }
    List<NftRule> rules = nft.rules(place.family(), place.table());
    Map<String, Set<String>> jumps = new HashMap<>();
    for (NftRule rule : rules) {
      if (!bases.contains(rule.chain())) {
        jumps.computeIfAbsent(rule.chain(), _ -> new TreeSet<>()).addAll(targets(rule));
      }
    }
    Set<String> gone = ProxyChains.removable(place.chains(), jumps);
    List<NftOp> unhook = new ArrayList<>();
    for (NftRule rule : rules) {
      if (bases.contains(rule.chain()) && targets(rule).stream().anyMatch(gone::contains)) {
        unhook.add(new NftOp.DeleteRule(rule.family(), rule.table(), rule.chain(), rule.handle()));
      }
    }
    commit(nft, unhook);
    List<String> order = List.copyOf(gone);
    for (int from = 0; from < order.size(); from += SLICE) {
      List<NftOp> flush = new ArrayList<>();
      for (String chain : order.subList(from, Math.min(order.size(), from + SLICE))) {
        flush.add(new NftOp.FlushChain(place.family(), place.table(), chain));
      }
      commit(nft, flush);
    }
    for (int from = 0; from < order.size(); from += SLICE) {
      List<NftOp> delete = new ArrayList<>();
      for (String chain : order.subList(from, Math.min(order.size(), from + SLICE))) {
        delete.add(new NftOp.DeleteChain(place.family(), place.table(), chain));
      }
      commit(nft, delete);
    }
  }

  private static List<String> targets(NftRule rule) {
    List<String> targets = new ArrayList<>(1);
    for (Expr expr : rule.expressions()) {
      if (expr instanceof Expr.Immediate(var _, Data.To(Verdict.Jump(String chain)))) {
        targets.add(chain);
      } else if (expr instanceof Expr.Immediate(var _, Data.To(Verdict.Goto(String chain)))) {
        targets.add(chain);
      }
    }
    return targets;
  }

  private static void commit(NftSocket nft, List<NftOp> ops) throws KernelException {
    switch (nft.commit(ops)) {
      case Commit.Done _ -> {}
      case Commit.Stale _ -> throw new AssertionError("no generation was asked for");
      case Commit.Refused(var failures) -> throw failures.getFirst().reason();
    }
  }

  // Mode iptables, by the older interface.

  private static Set<String> in(String table, FilterTable read) {
    return ProxyChains.in(table, read.chains());
  }
}
