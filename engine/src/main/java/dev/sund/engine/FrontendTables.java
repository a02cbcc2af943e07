package dev.sund.engine;

import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Serving;
import dev.sund.engine.program.SourceRange;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The tables of what destinations are translated to, while they are kept up to date. The rows of
 * one place are kept together: a place is looked up once, however many endpoints it has.
 */
final class FrontendTables {
  private final Map<Frontend.Key, Answered> places = new HashMap<>();
  private long rowsMade;

  /**
   * What changed, each list in the order of keys; and who serves now at UDP places where others did
   * before.
   */
  record Changes(
      List<Change<Frontend.Key, Frontend>> frontends,
      List<Change<Endpoint.Key, Endpoint>> endpoints,
      List<Change<SourceRange.Key, SourceRange>> sourceRanges,
      List<Serving> serving) {
    /** A place where nothing was: all is new. */
    private void come(Answered now) {
      frontends.add(new Change.Put<>(now.frontend().key(), now.frontend(), Optional.empty()));
      for (Endpoint row : now.endpoints()) {
        endpoints.add(new Change.Put<>(row.key(), row, Optional.empty()));
      }
      for (SourceRange row : now.sources()) {
        sourceRanges.add(new Change.Put<>(row.key(), row, Optional.empty()));
      }
    }

    private void differ(Answered was, @Nullable Answered now) {
      compare(
          List.of(was.frontend()),
          now == null ? List.of() : List.of(now.frontend()),
          Frontend::key,
          frontends);
      compare(was.endpoints(), now == null ? List.of() : now.endpoints(), Endpoint::key, endpoints);
      compare(
          was.sources(), now == null ? List.of() : now.sources(), SourceRange::key, sourceRanges);
    }
  }

  /**
   * Makes the rows of places anew and tells what changed.
   *
   * @param rows what a place's rows are by the state as it is now; empty when it has none
   */
  Changes refresh(Collection<Frontend.Key> keys, Function<Frontend.Key, Optional<Answered>> rows) {
    Changes changes =
        new Changes(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    List<Frontend.Key> sorted = new ArrayList<>(keys);
    sorted.sort(null);
    for (Frontend.Key key : sorted) {
      Answered was = places.get(key);
      Answered now = rows.apply(key).orElse(null);
      rowsMade += 1 + Math.max(size(was), size(now));
      if (now != null) {
        if (now.equals(was)) {
          continue;
        }
        places.put(key, now);
      } else if (was != null) {
        places.remove(key);
      }
      if (was == null && now != null) {
        changes.come(now);
      } else if (was != null) {
        changes.differ(was, now);
      }
      if (now != null && (was == null || !now.serving().equals(was.serving()))) {
        now.serving().ifPresent(changes.serving()::add);
      }
    }
    return changes;
  }

  private static int size(@Nullable Answered rows) {
    return rows == null ? 0 : rows.endpoints().size() + rows.sources().size();
  }

  /** The differences of two lists, each sorted by key. */
  private static <K extends Comparable<K>, V> void compare(
      List<V> was, List<V> now, Function<V, K> key, List<Change<K, V>> changes) {
    int before = 0;
    int after = 0;
    while (before < was.size() || after < now.size()) {
      int order =
          before == was.size()
              ? 1
              : after == now.size()
                  ? -1
                  : key.apply(was.get(before)).compareTo(key.apply(now.get(after)));
      if (order < 0) {
        V gone = was.get(before++);
        changes.add(new Change.Remove<>(key.apply(gone), gone));
      } else if (order > 0) {
        V come = now.get(after++);
        changes.add(new Change.Put<>(key.apply(come), come, Optional.empty()));
      } else {
        V old = was.get(before++);
        V row = now.get(after++);
        if (!row.equals(old)) {
          changes.add(new Change.Put<>(key.apply(row), row, Optional.of(old)));
        }
      }
    }
  }

  private List<Answered> sorted() {
    List<Answered> all = new ArrayList<>(places.values());
    all.sort(Comparator.comparing(rows -> rows.frontend().key()));
    return all;
  }

  /** How many frontends there are. */
  int size() {
    return places.size();
  }

  /** How many rows have been made or made anew since the start, changed or not. */
  long rowsMade() {
    return rowsMade;
  }

  /** The rows of a place. */
  Optional<Answered> at(Frontend.Key key) {
    return Optional.ofNullable(places.get(key));
  }

  /** All frontends. */
  SortedMap<Frontend.Key, Frontend> frontends() {
    SortedMap<Frontend.Key, Frontend> all = new TreeMap<>();
    sorted().forEach(rows -> all.put(rows.frontend().key(), rows.frontend()));
    return all;
  }

  /** All endpoints. */
  SortedMap<Endpoint.Key, Endpoint> endpoints() {
    SortedMap<Endpoint.Key, Endpoint> all = new TreeMap<>();
    sorted().forEach(rows -> rows.endpoints().forEach(row -> all.put(row.key(), row)));
    return all;
  }

  /** All ranges of sources. */
  SortedMap<SourceRange.Key, SourceRange> sourceRanges() {
    SortedMap<SourceRange.Key, SourceRange> all = new TreeMap<>();
    sorted().forEach(rows -> rows.sources().forEach(row -> all.put(row.key(), row)));
    return all;
  }
}
