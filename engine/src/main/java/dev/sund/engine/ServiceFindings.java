package dev.sund.engine;

import dev.sund.engine.Answerers.Candidate;
import dev.sund.engine.ServiceIndex.Wish;
import dev.sund.engine.ServiceSummary.Origin;
import dev.sund.engine.ServiceSummary.Use;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.EndpointSlice.SlicePort;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Masquerade;
import dev.sund.engine.program.Masquerade.Part;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import dev.sund.model.ServiceKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * What is wrong with Services, by the state as it is: the conditions of one Service as a function
 * of its name. As {@link Findings}, it remembers nothing.
 */
final class ServiceFindings {
  private final ClusterState state;
  private final ServiceRows rows;
  private final ServiceSummaries summaries;
  private final NavigableMap<Masquerade.Key, Masquerade> ranges;

  /** The Service of the API servers, which are hardly ever pods. */
  private static final String API_SERVER = "default/kubernetes";

  /** The range found last: often that of the next address too. */
  private Optional<Prefix> lastRange = Optional.empty();

  /**
   * Findings of a state.
   *
   * @param ranges the masquerade table as it is now: who is a pod of the cluster
   */
  ServiceFindings(
      ClusterState state,
      ServiceRows rows,
      ServiceSummaries summaries,
      NavigableMap<Masquerade.Key, Masquerade> ranges) {
    this.state = state;
    this.rows = rows;
    this.summaries = summaries;
    this.ranges = ranges;
  }

  /** Whether a condition may go when a node or a range of pods comes. */
  static boolean dependsOnOthers(Condition condition) {
    return condition.reason() == Reason.ENDPOINT_OUTSIDE_PODS
        || condition.reason() == Reason.UNKNOWN_HINT;
  }

  /**
   * Whose conditions may differ after changes of the places that Services ask for and of ranges and
   * addresses around them. Costs what the changes have; only a range or a node that goes makes it
   * look at all endpoints.
   *
   * @param changed what changed in the masquerade table
   * @param suspects the Services with conditions that depend on others
   */
  void spread(
      Touched touched, List<Change<Masquerade.Key, Masquerade>> changed, Set<ServiceKey> suspects) {
    ServiceIndex index = state.services();
    for (Frontend.Key key : touched.frontends) {
      for (Wish wish : index.wishes(key)) {
        touched.services.add(wish.service());
      }
    }
    boolean others = !touched.nodes.isEmpty();
    for (Prefix range : touched.ranges) {
      if (range.isHost()) {
        index.within(range, touched.services); // it may be a node's address, or one no more
      }
    }
    for (Change<Masquerade.Key, Masquerade> change : changed) {
      if (change.key().part() == Part.CLUSTER) {
        others = true;
        index.within(change.key().range(), touched.services);
        if (change instanceof Change.Remove<Masquerade.Key, Masquerade>) {
          index.withEndpointsIn(change.key().range(), touched.services);
        }
      }
    }
    if (others) {
      touched.services.addAll(suspects);
    }
    if (!touched.lostZones.isEmpty() || !touched.lostNodes.isEmpty()) {
      index.hinting(touched.lostZones, touched.lostNodes, touched.services);
    }
  }

  /** What is wrong with a Service; nothing with one that no proxy serves. */
  List<Condition> of(ServiceKey key) {
    Optional<Service> found = state.services().service(key);
    if (found.isEmpty()
        || found.get().notServed().isPresent()
        || !state.services().scope().settings().enabled()) {
      return List.of();
    }
    Service service = found.get();
    List<Condition> conditions = new ArrayList<>(0); // hardly ever one
    ObjectRef object = new ObjectRef("Service", key.toString());
    List<EndpointSlice> slices = state.services().slices(key);
    places(service, object, conditions);
    affinity(service, object).ifPresent(conditions::add);
    unbacked(service, slices, object).ifPresent(conditions::add);
    contradiction(slices, object).ifPresent(conditions::add);
    unknownHint(slices, object).ifPresent(conditions::add);
    tooMany(service, slices, object).ifPresent(conditions::add);
    outside(slices, object).ifPresent(conditions::add);
    return conditions.isEmpty() ? List.of() : List.copyOf(new TreeSet<>(conditions));
  }

  private void places(Service service, ObjectRef object, List<Condition> conditions) {
    for (Wish wish : state.services().wishes(service.key())) {
      Optional<String> instead = summaries.instead(wish);
      if (instead.isPresent()) {
        conditions.add(
            new Condition(
                Reason.SERVICE_PORT_TAKEN,
                object,
                field(wish.origin()),
                "%d/%s at %s belongs to %s, which keeps it."
                    .formatted(
                        wish.key().port(),
                        wish.key().protocol().label(),
                        Findings.at(wish.key().place()),
                        instead.get()),
                "Give one of the two another port or address."));
      }
      if (wish.key().place() instanceof Place.At(var ip) && wish.origin() != Origin.NODE_PORT) {
        owner(ip, wish.origin())
            .map(owner ->
                new Condition(
                    Reason.SERVICE_ADDRESS_TAKEN,
                    object,
                    field(wish.origin()),
                    ip + " is " + owner + ".",
                    "Take the address out, or give Services, pods and nodes ranges apart."))
            .ifPresent(conditions::add);
      }
    }
  }

  /** Whose an address is; that a node has its external and balancers' addresses is usual. */
  private Optional<String> owner(Ip ip, Origin origin) {
    Optional<Prefix> range = podRange(ip);
    if (range.isPresent()) {
      return Optional.of("an address of pods (" + range.get() + ")");
    }
    return origin == Origin.CLUSTER_IP && state.nodes().haveAddress(ip)
        ? Optional.of("the address of a node")
        : Optional.empty();
  }

  private static String field(Origin origin) {
    return switch (origin) {
      case CLUSTER_IP -> "spec.clusterIPs";
      case LOAD_BALANCER_IP -> "status.loadBalancer.ingress";
      case EXTERNAL_IP -> "spec.externalIPs";
      case NODE_PORT -> "spec.ports.nodePort";
    };
  }

  /** The range of pods with this address: such ranges share no addresses. */
  private Optional<Prefix> podRange(Ip ip) {
    if (lastRange.isPresent() && lastRange.get().contains(ip)) {
      return lastRange;
    }
    Masquerade.Key below = ranges.floorKey(new Masquerade.Key(Prefix.host(ip), Part.CLUSTER));
    if (below == null || below.part() != Part.CLUSTER || !below.range().contains(ip)) {
      return Optional.empty();
    }
    lastRange = Optional.of(below.range());
    return lastRange;
  }

  private static Optional<Condition> affinity(Service service, ObjectRef object) {
    return service
        .affinity()
        .filter(asked -> !ServiceRows.affinity(asked).equals(asked))
        .map(asked ->
            new Condition(
                Reason.INVALID_FIELD,
                object,
                "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
                "%d is not 1 to 86400 seconds; %d is used."
                    .formatted(asked.toSeconds(), seconds(ServiceRows.affinity(asked))),
                "Write 1 to 86400."));
  }

  private static long seconds(Duration time) {
    return time.toSeconds();
  }

  private static Optional<Condition> unbacked(
      Service service, List<EndpointSlice> slices, ObjectRef object) {
    return service.hasSelector() || size(slices) > 0
        ? Optional.empty()
        : Optional.of(
            new Condition(
                Reason.SERVICE_UNBACKED,
                object,
                "spec.selector",
                "It has none, and no EndpointSlice has an endpoint for the Service: whoever asks is"
                    + " refused.",
                "Make an EndpointSlice with label kubernetes.io/service-name, or give it a"
                    + " selector."));
  }

  private static int size(List<EndpointSlice> slices) {
    int size = 0;
    for (EndpointSlice slice : slices) {
      size += slice.endpoints().size();
    }
    return size;
  }

  private record Word(EndpointSlice slice, Backend backend) {}

  /** The first contradiction in the order of slices: one is enough to look for more. */
  private static Optional<Condition> contradiction(List<EndpointSlice> slices, ObjectRef object) {
    if (slices.size() < 2) {
      return Optional.empty();
    }
    Map<Ip, Word> first = new HashMap<>();
    for (EndpointSlice slice : slices) {
      for (Backend backend : slice.endpoints()) {
        Word word = new Word(slice, backend);
        Word before = first.putIfAbsent(backend.address(), word);
        if (before != null && before.slice() != slice) {
          Optional<String> what = difference(before, word);
          if (what.isPresent()) {
            return Optional.of(
                new Condition(
                    Reason.CONTRADICTING_SLICES,
                    object,
                    "endpointslices",
                    "%s and %s contradict each other on %s: %s."
                        .formatted(
                            before.slice().name(), slice.name(), backend.address(), what.get()),
                    "Delete the one that does not belong there."));
          }
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<String> difference(Word one, Word other) {
    if (one.backend().ready() != other.backend().ready()) {
      return Optional.of("ready or not");
    }
    if (one.backend().serving() != other.backend().serving()
        || one.backend().terminating() != other.backend().terminating()) {
      return Optional.of("terminating or not");
    }
    for (SlicePort port : one.slice().ports()) {
      for (SlicePort same : other.slice().ports()) {
        if (port.protocol() == same.protocol()
            && port.name().equals(same.name())
            && port.port() != same.port()) {
          return Optional.of("port %d or %d".formatted(port.port(), same.port()));
        }
      }
    }
    return Optional.empty();
  }

  private Optional<Condition> unknownHint(List<EndpointSlice> slices, ObjectRef object) {
    for (EndpointSlice slice : slices) {
      for (Backend backend : slice.endpoints()) {
        for (String zone : backend.forZones()) {
          if (!state.services().isZone(zone)) {
            return Optional.of(
                unknownHint(object, "Zone " + zone, backend, "topology.kubernetes.io/zone"));
          }
        }
        for (NodeName node : backend.forNodes()) {
          if (state.nodes().get(node).isEmpty()) {
            return Optional.of(unknownHint(object, "Node " + node, backend, "name"));
          }
        }
      }
    }
    return Optional.empty();
  }

  private static Condition unknownHint(
      ObjectRef object, String what, Backend backend, String label) {
    return new Condition(
        Reason.UNKNOWN_HINT,
        object,
        "endpointslices.hints",
        "%s of %s is no node's %s.".formatted(what, backend.address(), label),
        "Label the nodes, or mend the hint.");
  }

  private Optional<Condition> tooMany(
      Service service, List<EndpointSlice> slices, ObjectRef object) {
    if (size(slices) <= Frontend.MOST_ENDPOINTS) {
      return Optional.empty();
    }
    for (int port = 0; port < service.ports().size(); port++) {
      for (Family family : Family.values()) {
        List<Candidate> found = rows.answerers(service, port, family).all();
        long left = found.stream().filter(one -> one.cluster() == Use.TOO_MANY).count();
        if (left > 0) {
          return Optional.of(
              new Condition(
                  Reason.TOO_MANY_ENDPOINTS,
                  object,
                  "endpointslices",
                  "%d endpoints can be used, of which %d are."
                      .formatted(Frontend.MOST_ENDPOINTS + left, Frontend.MOST_ENDPOINTS),
                  "Split the Service, or let hints keep connections in their zone."));
        }
      }
    }
    return Optional.empty();
  }

  private Optional<Condition> outside(List<EndpointSlice> slices, ObjectRef object) {
    if (object.name().equals(API_SERVER)) {
      return Optional.empty();
    }
    int outside = 0;
    int all = 0;
    Ip first = null;
    Set<Ip> seen = slices.size() > 1 ? new HashSet<>() : Set.of();
    for (EndpointSlice slice : slices) {
      for (Backend backend : slice.endpoints()) {
        if (slices.size() > 1 && !seen.add(backend.address())) {
          continue;
        }
        all++;
        if (podRange(backend.address()).isEmpty()) {
          outside++;
          first =
              first == null || backend.address().compareTo(first) < 0 ? backend.address() : first;
        }
      }
    }
    if (first == null) {
      return Optional.empty();
    }
    List<String> text = new ArrayList<>();
    text.add(
        "%d of %d endpoints %s no pods', such as %s"
            .formatted(outside, all, outside == 1 ? "is" : "are", first));
    if (state.nodes().haveAddress(first)) {
      text.add("a node's");
    }
    return Optional.of(
        new Condition(
            Reason.ENDPOINT_OUTSIDE_PODS,
            object,
            "endpointslices",
            String.join(", ", text) + ".",
            "If it is not meant so, see whether a pool leaves out a range that pods have."));
  }
}
