package dev.sund.dataplane.nft;

import dev.sund.engine.program.Change;
import dev.sund.engine.program.Endpoint;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.MasqueradeClass;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The frontends and endpoints that are wanted, and the elements that they become. Several rows may
 * lead to one element (who chooses among so many endpoints; whose source cannot be answered): it is
 * there as long as one of them is.
 */
final class FrontendEntries {
  private final TreeMap<Frontend.Key, Frontend> frontends = new TreeMap<>();
  private final TreeMap<Endpoint.Key, Endpoint> endpoints = new TreeMap<>();
  private final Map<RangeKey, TreeMap<String, Users>> shared = new HashMap<>();
  private final Sink sink;

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

  /** The endpoints that are wanted. */
  SortedMap<Endpoint.Key, Endpoint> endpoints() {
    return Collections.unmodifiableSortedMap(endpoints);
  }

  /** Takes over changed rows. */
  void want(
      Collection<? extends Change<Frontend.Key, Frontend>> ofFrontends,
      Collection<? extends Change<Endpoint.Key, Endpoint>> ofEndpoints) {
    for (Change<Endpoint.Key, Endpoint> change : ofEndpoints) {
      switch (change) {
        case Change.Put<Endpoint.Key, Endpoint>(var key, var endpoint, var _) -> {
          forget(endpoints.put(key, endpoint));
          entries(endpoint).forEach(this::add);
        }
        case Change.Remove<Endpoint.Key, Endpoint>(var key, var _) -> forget(endpoints.remove(key));
      }
    }
    for (Change<Frontend.Key, Frontend> change : ofFrontends) {
      // The class is part of the mark by which endpoints are found.
      List<Endpoint> own = endpointsOf(change.key());
      MasqueradeClass before = masquerade(change.key());
      own.forEach(endpoint -> forget(endpoint, before));
      Frontend was =
          switch (change) {
            case Change.Put<Frontend.Key, Frontend>(var key, var frontend, var _) ->
                frontends.put(key, frontend);
            case Change.Remove<Frontend.Key, Frontend>(var key, var _) -> frontends.remove(key);
          };
      if (was != null) {
        FrontendLowering.entries(was).forEach(this::drop);
      }
      own.forEach(endpoint -> entries(endpoint).forEach(this::add));
      if (change instanceof Change.Put<Frontend.Key, Frontend>(var _, var frontend, var _)) {
        FrontendLowering.entries(frontend).forEach(this::add);
      }
    }
  }

  private List<Endpoint> endpointsOf(Frontend.Key key) {
    return new ArrayList<>(
        endpoints
            .subMap(
                new Endpoint.Key(key, 0),
                true,
                new Endpoint.Key(key, Frontend.MOST_ENDPOINTS - 1),
                true)
            .values());
  }

  private NavigableMap<RangeKey, Entry> entries(Endpoint endpoint) {
    return FrontendLowering.entries(endpoint, masquerade(endpoint.key().frontend()));
  }

  private MasqueradeClass masquerade(Frontend.Key key) {
    Frontend frontend = frontends.get(key);
    return frontend == null ? MasqueradeClass.KEEP_SOURCE : frontend.inside().masquerade();
  }

  private void forget(@org.jspecify.annotations.Nullable Endpoint endpoint) {
    if (endpoint != null) {
      forget(endpoint, masquerade(endpoint.key().frontend()));
    }
  }

  private void forget(Endpoint endpoint, MasqueradeClass masquerade) {
    FrontendLowering.entries(endpoint, masquerade).forEach(this::drop);
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
    return key.set().equals(FrontendLowering.DISPATCH) || key.set().startsWith("hairpin-");
  }
}
