package dev.sund.agent.apply;

import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Serving;
import dev.sund.kernel.conntrack.ConntrackEntry;
import dev.sund.kernel.conntrack.Tuple;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Which of the kernel's connections go to an endpoint that serves no more (S15): UDP to the address
 * and port of a frontend, whose answers do not come from one of its serving endpoints.
 *
 * <p>Also those that were begun before there was a frontend: they go wherever the address led then.
 * Connections of a frontend whom nobody serves are left, and so is every other protocol: TCP ends
 * by itself, and its peers know.
 */
record StaleConnections(Map<Frontend.Key, Serving> serving) {
  StaleConnections {
    serving = Map.copyOf(serving);
  }

  /** By frontends of which nobody serves some, which are left out. */
  static StaleConnections of(Collection<Serving> all) {
    Map<Frontend.Key, Serving> some = new HashMap<>();
    for (Serving one : all) {
      if (!one.endpoints().isEmpty()) {
        some.put(one.frontend(), one);
      }
    }
    return new StaleConnections(some);
  }

  /** Whether nothing can be stale. */
  boolean isEmpty() {
    return serving.isEmpty();
  }

  /** Whether the node's own addresses matter. */
  boolean needsAddresses() {
    return serving.keySet().stream().anyMatch(key -> key.place() instanceof Place.AnyLocal);
  }

  /**
   * Whether a connection is one of them.
   *
   * @param isLocal whether the node carries an address
   */
  boolean contains(ConntrackEntry entry, Predicate<Ip> isLocal) {
    Tuple asked = entry.original();
    if (asked.protocol() != Protocol.UDP.number() || asked.destinationPort() == 0) {
      return false;
    }
    Serving servers = serving.get(key(new Place.At(asked.destination()), asked));
    if (servers == null && isLocal.test(asked.destination())) {
      servers = serving.get(key(new Place.AnyLocal(asked.family()), asked));
    }
    Tuple answers = entry.reply();
    return servers != null
        && answers.sourcePort() != 0
        && !servers.endpoints().contains(new Serving.At(answers.source(), answers.sourcePort()));
  }

  private static Frontend.Key key(Place place, Tuple asked) {
    return new Frontend.Key(place, Protocol.UDP, asked.destinationPort());
  }
}
