package dev.sund.doctor.check;

import dev.sund.doctor.Facts;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.UnreadException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The chains of a node.
 *
 * @param chains of nf_tables and of the older interface
 */
record Rules(List<Chain> chains) {
  /**
   * A chain, or several whose names differ by a hash.
   *
   * @param tool {@code nft} or {@code legacy}
   * @param family {@code ip}, {@code ip6}, {@code inet} ...
   * @param name its name, or how the names begin
   * @param count how many chains
   * @param rules in all of them
   * @param masquerades rules that change the source
   * @param type {@code filter}, {@code nat} ...; empty for a chain that the kernel does not call
   * @param hook {@code forward} ...; empty for a chain that the kernel does not call
   * @param drops whether its policy is to drop
   * @param acts what its first rules do, in order; a {@code !} behind: with all packets
   */
  record Chain(
      String tool,
      String family,
      String table,
      String name,
      long count,
      long rules,
      long masquerades,
      String type,
      String hook,
      boolean drops,
      List<String> acts) {
    /** {@code chain FORWARD of ip filter}. */
    String said() {
      return "chain " + name + " of " + place();
    }

    /** {@code ip filter (iptables-legacy)}. */
    String place() {
      return family + " " + table + (tool.equals("legacy") ? " (iptables-legacy)" : "");
    }

    /** Whether it is iptables', by either interface. */
    boolean isIptables() {
      return tool.equals("legacy")
          || ((family.equals("ip") || family.equals("ip6"))
              && List.of("filter", "nat", "mangle", "raw", "security").contains(table));
    }
  }

  static Rules of(Host host) throws UnreadException {
    return host.once(Rules.class, Rules::read);
  }

  private static Rules read(Host host) throws UnreadException {
    List<Chain> chains = new ArrayList<>();
    for (Line line : host.lines(Facts.RULES)) {
      boolean group = line.has("group");
      chains.add(
          new Chain(
              line.text("tool"),
              line.text("family"),
              line.text("table"),
              line.text(group ? "group" : "chain"),
              group ? line.number("chains") : line.has("chain") ? 1 : 0,
              line.number("rules"),
              line.number("masquerades"),
              line.text("type"),
              line.text("hook"),
              line.text("policy").equals("drop"),
              line.list("acts")));
    }
    return new Rules(chains);
  }

  Stream<Chain> where(Predicate<Chain> one) {
    return chains.stream().filter(one);
  }

  boolean has(Predicate<Chain> one) {
    return where(one).findAny().isPresent();
  }

  /** A chain of iptables, by either interface. */
  boolean hasIptables(String table, String name) {
    return has(one -> one.isIptables() && one.table.equals(table) && one.name.equals(name));
  }
}
