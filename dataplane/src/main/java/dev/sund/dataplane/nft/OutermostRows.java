package dev.sund.dataplane.nft;

import dev.sund.engine.program.Masquerade;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The rows that are wanted, and which of them become elements: those that no other row of their
 * part contains.
 *
 * <p>Two prefixes are apart or one contains the other, so the outermost ones never overlap and
 * together hold every address of every row. A change costs the rows inside the changed one.
 */
final class OutermostRows {
  private final Map<Masquerade.Part, NavigableMap<Prefix, Masquerade>> rows =
      new EnumMap<>(Masquerade.Part.class);

  /** Takes the elements that a change of a row leads to. */
  interface Sink {
    /** The row is an element now. */
    void put(Masquerade row);

    /** The row is no element any more. */
    void remove(Masquerade row);
  }

  /** For a caller who only asks which rows are {@link #around} others. */
  static final Sink NOBODY =
      new Sink() {
        @Override
        public void put(Masquerade row) {}

        @Override
        public void remove(Masquerade row) {}
      };

  OutermostRows() {
    for (Masquerade.Part part : Masquerade.Part.values()) {
      rows.put(part, new TreeMap<>());
    }
  }

  void put(Masquerade row, Sink sink) {
    NavigableMap<Prefix, Masquerade> ofPart = ofPart(row.part());
    ofPart.put(row.range(), row);
    if (around(ofPart, row.range()).isEmpty()) {
      outermost(inside(ofPart, row.range())).forEach(sink::remove);
      sink.put(row);
    }
  }

  void remove(Masquerade.Key key, Sink sink) {
    NavigableMap<Prefix, Masquerade> ofPart = ofPart(key.part());
    Masquerade gone = ofPart.remove(key.range());
    if (gone != null && around(ofPart, key.range()).isEmpty()) {
      sink.remove(gone);
      outermost(inside(ofPart, key.range())).forEach(sink::put);
    }
  }

  /** The row that holds this one's addresses, when it is no element itself. */
  Optional<Masquerade> around(Masquerade row) {
    return around(ofPart(row.part()), row.range());
  }

  private NavigableMap<Prefix, Masquerade> ofPart(Masquerade.Part part) {
    return rows.computeIfAbsent(part, _ -> new TreeMap<>());
  }

  private static Optional<Masquerade> around(NavigableMap<Prefix, Masquerade> rows, Prefix range) {
    for (int length = 0; length < range.length(); length++) {
      Masquerade row = rows.get(Prefix.around(range.address(), length));
      if (row != null) {
        return Optional.of(row);
      }
    }
    return Optional.empty();
  }

  /** The rows within {@code range}, without one that is it. */
  private static List<Masquerade> inside(NavigableMap<Prefix, Masquerade> rows, Prefix range) {
    Ip last = range.last();
    List<Masquerade> inside = new ArrayList<>();
    // Sorted by first address, then length: what is inside follows the range itself.
    for (Masquerade row : rows.tailMap(range, false).values()) {
      if (row.range().address().compareTo(last) > 0) {
        break;
      }
      inside.add(row);
    }
    return inside;
  }

  private static List<Masquerade> outermost(List<Masquerade> sorted) {
    List<Masquerade> outermost = new ArrayList<>();
    for (Masquerade row : sorted) {
      if (outermost.isEmpty() || !outermost.getLast().range().contains(row.range())) {
        outermost.add(row);
      }
    }
    return outermost;
  }
}
