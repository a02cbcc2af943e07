package dev.sund.dataplane.nft;

import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.SourceRange;
import dev.sund.kernel.nft.Bytes;
import dev.sund.kernel.nft.Data;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The frontends, ranges of sources and endpoints that are wanted, and the elements that they
 * become. Several rows may lead to one element (who chooses among so many endpoints; whose source
 * cannot be answered): it is there as long as one of them is.
 */
final class FrontendEntries {
  private final Map<Frontend.Key, Rows> rows = new HashMap<>();
  private final Map<RangeKey, Sharers> shared = new HashMap<>();
  private final Map<Integer, Entry> answers = new HashMap<>();
  private final Sink sink;

  // Made once: there are calls for each row.
  private final BiConsumer<RangeKey, Entry> toAdd = this::add;
  private final BiConsumer<RangeKey, Entry> toDrop = this::drop;
  private final Function<FrontendMark, Entry> toAnswer = this::answer;
  private boolean endpointsLost;
  private int sticky;

  /** Takes the elements that a change of a row leads to. */
  interface Sink {
    /** The element is to be so. */
    void want(RangeKey key, Entry entry);

    /** The element is to be gone. */
    void unwant(RangeKey key);
  }

  /** A frontend and its endpoints of both views, by slot. */
  private static final class Rows {
    private static final Endpoint[] NONE = {};

    @Nullable Frontend frontend;
    private @Nullable Endpoint[] inside = NONE;
    private @Nullable Endpoint[] outside = NONE;

    @Nullable Endpoint get(View view, int slot) {
      @Nullable Endpoint[] endpoints = of(view);
      return slot < endpoints.length ? endpoints[slot] : null;
    }

    void put(View view, int slot, @Nullable Endpoint endpoint) {
      @Nullable Endpoint[] endpoints = of(view);
      if (slot >= endpoints.length) {
        // Most have a few, which come one after the other: no room is left over for these.
        endpoints = Arrays.copyOf(endpoints, slot < 8 ? slot + 1 : slot + slot / 4);
      }
      endpoints[slot] = endpoint;
      if (endpoint == null) {
        int length = endpoints.length;
        while (length > 0 && endpoints[length - 1] == null) {
          length--;
        }
        endpoints =
            length == 0
                ? NONE
                : length * 2 < endpoints.length ? copy(endpoints, length) : endpoints;
      }
      switch (view) {
        case INSIDE -> inside = endpoints;
        case OUTSIDE -> outside = endpoints;
      }
    }

    private static @Nullable Endpoint[] copy(@Nullable Endpoint[] endpoints, int length) {
      return Arrays.copyOf(endpoints, length);
    }

    @Nullable Endpoint[] of(View view) {
      return switch (view) {
        case INSIDE -> inside;
        case OUTSIDE -> outside;
      };
    }

    boolean isEmpty() {
      return frontend == null && inside.length == 0 && outside.length == 0;
    }
  }

  /**
   * The rows that lead to one element: mostly all want it to be the same. Where they do not, the
   * first by text has its way, so that the order of events makes no difference.
   */
  private static final class Sharers {
    private final List<Entry> entries = new ArrayList<>(1);
    private int[] counts = new int[1];

    Entry add(Entry entry) {
      int at = entries.indexOf(entry);
      if (at < 0) {
        at = entries.size();
        entries.add(entry);
        counts = at < counts.length ? counts : Arrays.copyOf(counts, 2 * at);
        counts[at] = 0;
      }
      counts[at]++;
      return first();
    }

    void drop(Entry entry) {
      int at = entries.indexOf(entry);
      if (at >= 0 && --counts[at] == 0) {
        int last = entries.size() - 1;
        entries.set(at, entries.get(last));
        counts[at] = counts[last];
        entries.remove(last);
      }
    }

    boolean isEmpty() {
      return entries.isEmpty();
    }

    Entry first() {
      return entries.size() == 1
          ? entries.getFirst()
          : Collections.min(entries, Comparator.comparing(Entry::toString));
    }
  }

  FrontendEntries(Sink sink) {
    this.sink = sink;
  }

  /** The frontend that is wanted at a place. */
  Optional<Frontend> frontend(Frontend.Key key) {
    Rows at = rows.get(key);
    return at == null ? Optional.empty() : Optional.ofNullable(at.frontend);
  }

  /** A frontend's endpoints, of both views. */
  Collection<Endpoint> endpointsOf(Frontend.Key key) {
    List<Endpoint> endpoints = new ArrayList<>();
    Rows at = rows.get(key);
    if (at != null) {
      for (View view : View.values()) {
        for (Endpoint endpoint : at.of(view)) {
          if (endpoint != null) {
            endpoints.add(endpoint);
          }
        }
      }
    }
    return endpoints;
  }

  /** Whether an endpoint has this address to lend. */
  boolean isLent(Ip address) {
    Data value = new Data.Value(Bytes.of(address));
    return shared.entrySet().stream()
        .filter(one -> one.getKey().set().equals(FrontendLowering.lent(address.family())))
        .anyMatch(one -> one.getValue().first().data().equals(Optional.of(value)));
  }

  /** Whether there is a frontend whose clients keep their endpoint. */
  boolean hasSticky() {
    return sticky > 0;
  }

  /**
   * Whether clients that keep their endpoint may have lost it since this was last asked: one is
   * gone, or a frontend no longer remembers them.
   */
  boolean takeEndpointsLost() {
    boolean lost = endpointsLost;
    endpointsLost = false;
    return lost;
  }

  /** Takes over changed rows. */
  void want(ProgramDelta delta) {
    want(delta.frontends(), delta.endpoints(), delta.sourceRanges());
  }

  /** Takes over changed rows. */
  void want(
      Collection<? extends Change<Frontend.Key, Frontend>> ofFrontends,
      Collection<? extends Change<Endpoint.Key, Endpoint>> ofEndpoints,
      Collection<? extends Change<SourceRange.Key, SourceRange>> ofRanges) {
    // Frontends first: their marks are part of their endpoints' keys.
    ofFrontends.forEach(this::want);
    Frontend.Key last = null;
    Rows at = null;
    for (Change<Endpoint.Key, Endpoint> change : ofEndpoints) {
      Endpoint.Key key = change.key();
      if (at == null || !key.frontend().equals(last)) {
        last = key.frontend();
        at = rows.computeIfAbsent(last, _ -> new Rows());
      }
      replace(
          at, key, change instanceof Change.Put<Endpoint.Key, Endpoint> put ? put.value() : null);
      if (at.isEmpty()) {
        rows.remove(key.frontend());
        at = null;
      }
    }
    for (Change<SourceRange.Key, SourceRange> change : ofRanges) {
      switch (change) {
        case Change.Put<SourceRange.Key, SourceRange>(var _, var range, var _) ->
            FrontendLowering.entries(range, sink::want);
        case Change.Remove<SourceRange.Key, SourceRange>(var _, var was) ->
            FrontendLowering.entries(was, (key, _) -> sink.unwant(key));
      }
    }
  }

  private void want(Change<Frontend.Key, Frontend> change) {
    Frontend.Key key = change.key();
    Rows at = rows.computeIfAbsent(key, _ -> new Rows());
    Frontend was = at.frontend;
    Frontend now =
        switch (change) {
          case Change.Put<Frontend.Key, Frontend>(var _, var frontend, var _) -> frontend;
          case Change.Remove<Frontend.Key, Frontend> _ -> null;
        };
    List<Endpoint> moved = new ArrayList<>();
    for (View view : View.values()) {
      if (slotBase(was, view) != slotBase(now, view)) {
        for (Endpoint endpoint : at.of(view)) {
          if (endpoint != null) {
            moved.add(endpoint);
          }
        }
      }
    }
    moved.forEach(endpoint ->
        FrontendLowering.entries(endpoint, slotBase(was, endpoint.key().view()), toDrop));
    sticky += stickiness(now) - stickiness(was);
    if (was != null) {
      endpointsLost |= was.affinity().isPresent() && (now == null || now.affinity().isEmpty());
      FrontendLowering.entries(was, toAnswer, toDrop);
    }
    at.frontend = now;
    if (now != null) {
      FrontendLowering.entries(now, toAnswer, toAdd);
    } else if (at.isEmpty()) {
      rows.remove(key);
    }
    moved.forEach(endpoint ->
        FrontendLowering.entries(endpoint, slotBase(now, endpoint.key().view()), toAdd));
  }

  private void replace(Rows at, Endpoint.Key key, @Nullable Endpoint now) {
    Endpoint was = at.get(key.view(), key.slot());
    if (was != null || now != null) {
      at.put(key.view(), key.slot(), now);
    }
    Frontend frontend = at.frontend;
    int base = slotBase(frontend, key.view());
    if (was != null) {
      FrontendLowering.entries(was, base, toDrop);
      // What an affinity leads to may have moved to another slot: whoever looks finds out.
      endpointsLost |=
          frontend != null
              && frontend.affinity().isPresent()
              && (now == null || !now.address().equals(was.address()) || now.port() != was.port());
    }
    if (now != null) {
      FrontendLowering.entries(now, base, toAdd);
    }
  }

  private static int stickiness(@Nullable Frontend frontend) {
    return frontend != null && frontend.affinity().isPresent() ? 1 : 0;
  }

  private static int slotBase(@Nullable Frontend frontend, View view) {
    return frontend == null
        ? FrontendMark.slotBase(view, MasqueradeClass.KEEP_SOURCE, false)
        : FrontendMark.slotBase(
            view, frontend.answer(view).masquerade(), frontend.affinity().isPresent());
  }

  /** As {@link ChooserLowering#answer}; there are few, and each is of many frontends. */
  private Entry answer(FrontendMark mark) {
    Entry entry = answers.get(mark.bits());
    if (entry == null) {
      entry = ChooserLowering.answer(mark);
      answers.put(mark.bits(), entry);
    }
    return entry;
  }

  private void add(RangeKey key, Entry entry) {
    sink.want(
        key, isShared(key) ? shared.computeIfAbsent(key, _ -> new Sharers()).add(entry) : entry);
  }

  private void drop(RangeKey key, Entry entry) {
    Sharers sharers = isShared(key) ? shared.get(key) : null;
    if (sharers == null) {
      sink.unwant(key);
      return;
    }
    sharers.drop(entry);
    if (sharers.isEmpty()) {
      shared.remove(key);
      sink.unwant(key);
    } else {
      sink.want(key, sharers.first());
    }
  }

  private static boolean isShared(RangeKey key) {
    return switch (key.set()) {
      case "hairpin-v4", "hairpin-v6", "lent-v4", "lent-v6" -> true;
      case FrontendLowering.ANSWERS, FrontendLowering.ANSWERS_OUTSIDE -> true;
      default -> false;
    };
  }

  /** A change to a row that is to be. */
  static <K, V> Change.Put<K, V> put(K key, V value) {
    return new Change.Put<>(key, value, Optional.empty());
  }
}
