package dev.sund.engine;

import dev.sund.engine.ServiceSummary.Use;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.EndpointSlice.SlicePort;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.engine.program.Frontend;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Who answers for one port of a Service in one family, and why others do not: by readiness, hints
 * and traffic policy, as Kubernetes' {@code pkg/proxy/topology.go} decides.
 *
 * <p>Ready endpoints answer, of them those that hints name; where no endpoint is ready, those that
 * end and still serve. Those of policy {@code Cluster} and of policy {@code Local} are chosen
 * apart.
 *
 * @param all every endpoint once, sorted by address and port
 * @param any whether anybody in the cluster could answer
 */
record Answerers(List<Candidate> all, boolean any) {

  /**
   * An endpoint, and what becomes of it.
   *
   * @param slice which told of it
   * @param backend as it is there
   * @param port its port
   * @param here whether it is on this node
   * @param cluster what becomes of it under policy {@code Cluster}
   * @param local what becomes of it under policy {@code Local}
   */
  record Candidate(
      EndpointSlice slice, Backend backend, int port, boolean here, Use cluster, Use local) {
    Ip address() {
      return backend.address();
    }

    private Candidate with(Use newCluster, Use newLocal) {
      return cluster == newCluster && local == newLocal
          ? this
          : new Candidate(slice, backend, port, here, newCluster, newLocal);
    }

    private boolean isAt(Candidate other) {
      return port == other.port && address().equals(other.address());
    }
  }

  /** Those of a Service's port. */
  static Answerers of(
      Service service,
      ServicePort port,
      Family family,
      List<EndpointSlice> slices,
      ServiceScope scope) {
    List<Candidate> all = new ArrayList<>();
    for (EndpointSlice slice : slices) {
      if (slice.family() == family) {
        for (SlicePort at : slice.ports()) {
          if (at.protocol() == port.protocol() && at.name().equals(port.name())) {
            for (Backend backend : slice.endpoints()) {
              all.add(candidate(service, slice, backend, at.port(), scope));
            }
          }
        }
      }
    }
    onceEach(all);
    boolean ready = atLeastOne(all, one -> isReady(service, one.backend()));
    boolean ending = atLeastOne(all, one -> isEnding(one.backend()));
    if (ready) {
      keepToHints(all, scope);
    } else if (ending) {
      use(all, one -> isEnding(one.backend()), true, false);
    }
    if (!atLeastOne(all, one -> one.local() == Use.USED)) {
      use(all, one -> one.here() && isEnding(one.backend()), false, true);
    }
    cutOff(all);
    return new Answerers(all, ready || ending);
  }

  /** As if hints and the node made no difference, and nobody who ends were used. */
  private static Candidate candidate(
      Service service, EndpointSlice slice, Backend backend, int port, ServiceScope scope) {
    boolean here = backend.node().isPresent() && backend.node().get().equals(scope.self());
    Use use =
        isReady(service, backend)
            ? Use.USED
            : backend.terminating() ? Use.TERMINATING : Use.NOT_READY;
    return new Candidate(
        slice, backend, port, here, use, use == Use.USED && !here ? Use.NOT_LOCAL : use);
  }

  private static boolean isReady(Service service, Backend backend) {
    return service.publishNotReady() || (backend.ready() && !backend.terminating());
  }

  private static boolean isEnding(Backend backend) {
    return backend.serving() && backend.terminating();
  }

  /**
   * Slices may tell of an endpoint twice, while it moves between them: the better word counts, of
   * two equal ones that of the first slice by name.
   */
  private static void onceEach(List<Candidate> all) {
    if (all.size() < 2) {
      return;
    }
    all.sort(Answerers::compare); // stable, and slices came by name
    List<Candidate> once = new ArrayList<>(all.size());
    for (Candidate one : all) {
      if (once.isEmpty() || !once.getLast().isAt(one)) {
        once.add(one);
      }
    }
    if (once.size() < all.size()) {
      all.clear();
      all.addAll(once);
    }
  }

  private static int compare(Candidate one, Candidate other) {
    int order = one.address().compareTo(other.address());
    if (order == 0) {
      order = Integer.compare(one.port(), other.port());
    }
    if (order == 0) {
      order = one.cluster().compareTo(other.cluster());
    }
    if (order == 0) {
      order = Boolean.compare(other.backend().serving(), one.backend().serving());
    }
    return order == 0 ? Boolean.compare(other.here(), one.here()) : order;
  }

  /** Hints count when each ready endpoint has one, and one of them names this node or its zone. */
  private static void keepToHints(List<Candidate> all, ServiceScope scope) {
    Predicate<Backend> ofNode = backend -> backend.forNodes().contains(scope.self());
    Predicate<Backend> ofZone =
        backend -> scope.zone().isPresent() && backend.forZones().contains(scope.zone().get());
    if (counts(all, backend -> !backend.forNodes().isEmpty(), ofNode)) {
      drop(all, ofNode, Use.OTHER_NODE);
    } else if (counts(all, backend -> !backend.forZones().isEmpty(), ofZone)) {
      drop(all, ofZone, Use.OTHER_ZONE);
    }
  }

  private static boolean counts(
      List<Candidate> all, Predicate<Backend> hinted, Predicate<Backend> named) {
    boolean any = false;
    for (Candidate one : all) {
      if (one.cluster() == Use.USED) {
        if (!hinted.test(one.backend())) {
          return false;
        }
        any |= named.test(one.backend());
      }
    }
    return any;
  }

  private static void drop(List<Candidate> all, Predicate<Backend> named, Use why) {
    all.replaceAll(one ->
        one.cluster() == Use.USED && !named.test(one.backend()) ? one.with(why, one.local()) : one);
  }

  private static void use(
      List<Candidate> all, Predicate<Candidate> which, boolean cluster, boolean local) {
    all.replaceAll(one ->
        which.test(one)
            ? one.with(cluster ? Use.USED : one.cluster(), local ? Use.USED : one.local())
            : one);
  }

  private static void cutOff(List<Candidate> all) {
    if (all.size() <= Frontend.MOST_ENDPOINTS) {
      return;
    }
    int cluster = 0;
    int local = 0;
    for (int i = 0; i < all.size(); i++) {
      Candidate one = all.get(i);
      cluster += one.cluster() == Use.USED ? 1 : 0;
      local += one.local() == Use.USED ? 1 : 0;
      all.set(
          i,
          one.with(
              cluster > Frontend.MOST_ENDPOINTS && one.cluster() == Use.USED
                  ? Use.TOO_MANY
                  : one.cluster(),
              local > Frontend.MOST_ENDPOINTS && one.local() == Use.USED
                  ? Use.TOO_MANY
                  : one.local()));
    }
  }

  private static boolean atLeastOne(List<Candidate> all, Predicate<Candidate> which) {
    for (Candidate one : all) {
      if (which.test(one)) {
        return true;
      }
    }
    return false;
  }

  /** The endpoints in use under policy {@code Cluster}, sorted by address and port. */
  List<Candidate> cluster() {
    return used(all, false);
  }

  /** The endpoints in use under policy {@code Local}, sorted by address and port. */
  List<Candidate> local() {
    return used(all, true);
  }

  private static List<Candidate> used(List<Candidate> all, boolean local) {
    List<Candidate> found = new ArrayList<>(all.size());
    for (Candidate one : all) {
      if ((local ? one.local() : one.cluster()) == Use.USED) {
        found.add(one);
      }
    }
    return found;
  }
}
