package dev.sund.dataplane.nft;

import dev.sund.engine.program.Change;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.Masquerade.Part;
import dev.sund.model.Prefix;
import dev.sund.model.RuleId;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Short words for rows in tests. */
final class Rows {
  private Rows() {}

  static Masquerade nat(String range, String pool) {
    return new Masquerade(Prefix.parse(range), Part.NAT_OUTGOING, RuleId.of("IPPool", pool, ""));
  }

  static Masquerade cluster(String range, String pool) {
    return new Masquerade(Prefix.parse(range), Part.CLUSTER, RuleId.of("IPPool", pool, ""));
  }

  /** A range on a bridge of this network. */
  static Masquerade bridged(String range, String network) {
    return new Masquerade(Prefix.parse(range), Part.BRIDGED, RuleId.of("Network", network, ""));
  }

  static SortedMap<Masquerade.Key, Masquerade> table(Collection<Masquerade> rows) {
    SortedMap<Masquerade.Key, Masquerade> table = new TreeMap<>();
    rows.forEach(row -> table.put(row.key(), row));
    return table;
  }

  static List<Change<Masquerade.Key, Masquerade>> put(Masquerade... rows) {
    return List.of(rows).stream()
        .<Change<Masquerade.Key, Masquerade>>map(
            row -> new Change.Put<>(row.key(), row, Optional.empty()))
        .toList();
  }

  static List<Change<Masquerade.Key, Masquerade>> remove(Masquerade... rows) {
    return List.of(rows).stream()
        .<Change<Masquerade.Key, Masquerade>>map(row -> new Change.Remove<>(row.key(), row))
        .toList();
  }
}
