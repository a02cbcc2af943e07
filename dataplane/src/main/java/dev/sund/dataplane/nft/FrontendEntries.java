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
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The frontends, ranges of sources and endpoints that are wanted, and the elements that they
 * become. Several rows may lead to one element (who chooses among so many endpoints; whose source
 * cannot be answered): it is there as long as one of them is.
 */
final class FrontendEntries {
  private final TreeMap<Frontend.Key, Frontend> frontends = new TreeMap<>();
  private final TreeMap<Endpoint.Key, Endpoint> endpoints = new TreeMap<>();
  private final Map<RangeKey, TreeMap<String, Users>> shared = new HashMap<>();
  private final Sink sink;
  private boolean endpointsLost;
  private int sticky;

  /** Takes the elements that a change of a row leads to. */
  interface Sink {
    /** The element is to be so. */
    void want(RangeKey key, Entry entry);

    /** The element is to be gone. */
    void unwant(RangeKey key);
  }

  /** How many rows want an element to be so. */
  private record Users(Entry entry, int count) {}

  FrontendEntries(Sink sink) {
    this.sink = sink;
  }

  /** The frontends that are wanted. */
  SortedMap<Frontend.Key, Frontend> frontends() {
    return Collections.unmodifiableSortedMap(frontends);
  }

  /** A frontend's endpoints, of both views. */
  Collection<Endpoint> endpointsOf(Frontend.Key key) {
    return Collections.unmodifiableCollection(
        endpoints
            .subMap(
                new Endpoint.Key(key, View.INSIDE, 0),
                true,
                new Endpoint.Key(key, View.OUTSIDE, Frontend.MOST_ENDPOINTS - 1),
                true)
            .values());
  }

  /** Whether an endpoint has this address to lend. */
  boolean isLent(Ip address) {
    Data value = new Data.Value(Bytes.of(address));
    return shared.entrySet().stream()
        .filter(one -> one.getKey().set().equals(FrontendLowering.lent(address.family())))
        .anyMatch(one ->
            one.getValue().firstEntry().getValue().entry().data().equals(Optional.of(value)));
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
    for (Change<Endpoint.Key, Endpoint> change : ofEndpoints) {
      switch (change) {
        case Change.Put<Endpoint.Key, Endpoint>(var key, var endpoint, var _) ->
            replace(key, endpoints.put(key, endpoint), endpoint);
        case Change.Remove<Endpoint.Key, Endpoint>(var key, var _) ->
            replace(key, endpoints.remove(key), null);
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
    Frontend was = frontends.get(key);
    Frontend now =
        switch (change) {
          case Change.Put<Frontend.Key, Frontend>(var _, var frontend, var _) -> frontend;
          case Change.Remove<Frontend.Key, Frontend> _ -> null;
        };
    List<Endpoint> moved = new ArrayList<>();
    for (View view : View.values()) {
      if (slotBase(was, view) != slotBase(now, view)) {
        for (Endpoint endpoint : endpointsOf(key)) {
          if (endpoint.key().view() == view) {
            moved.add(endpoint);
          }
        }
      }
    }
    moved.forEach(endpoint ->
        FrontendLowering.entries(
            endpoint, slotBase(was, endpoint.key().view()), (at, entry) -> drop(at, entry)));
    sticky += stickiness(now) - stickiness(was);
    if (was != null) {
      endpointsLost |= was.affinity().isPresent() && (now == null || now.affinity().isEmpty());
      FrontendLowering.entries(was, this::drop);
    }
    if (now == null) {
      frontends.remove(key);
    } else {
      frontends.put(key, now);
      FrontendLowering.entries(now, this::add);
    }
    moved.forEach(endpoint ->
        FrontendLowering.entries(endpoint, slotBase(now, endpoint.key().view()), this::add));
  }

  private void replace(Endpoint.Key key, @Nullable Endpoint was, @Nullable Endpoint now) {
    Frontend frontend = frontends.get(key.frontend());
    int base = slotBase(frontend, key.view());
    if (was != null) {
      FrontendLowering.entries(was, base, this::drop);
      // What an affinity leads to may have moved to another slot: whoever looks finds out.
      endpointsLost |=
          frontend != null
              && frontend.affinity().isPresent()
              && (now == null || !now.address().equals(was.address()) || now.port() != was.port());
    }
    if (now != null) {
      FrontendLowering.entries(now, base, this::add);
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

  private void add(RangeKey key, Entry entry) {
    if (isShared(key)) {
      TreeMap<String, Users> users = shared.computeIfAbsent(key, _ -> new TreeMap<>());
      users.merge(
          entry.toString(),
          new Users(entry, 1),
          (before, one) -> new Users(entry, before.count() + one.count()));
      sink.want(key, users.firstEntry().getValue().entry());
    } else {
      sink.want(key, entry);
    }
  }

  private void drop(RangeKey key, Entry entry) {
    TreeMap<String, Users> users = shared.get(key);
    if (users == null) {
      sink.unwant(key);
      return;
    }
    users.computeIfPresent(
        entry.toString(),
        (_, before) -> before.count() == 1 ? null : new Users(entry, before.count() - 1));
    if (users.isEmpty()) {
      shared.remove(key);
      sink.unwant(key);
    } else {
      sink.want(key, users.firstEntry().getValue().entry());
    }
  }

  private static boolean isShared(RangeKey key) {
    String set = key.set();
    return set.startsWith("hairpin-")
        || set.startsWith("lent-")
        || set.startsWith(FrontendLowering.ANSWERS);
  }

  /** A change to a row that is to be. */
  static <K, V> Change.Put<K, V> put(K key, V value) {
    return new Change.Put<>(key, value, Optional.empty());
  }
}
