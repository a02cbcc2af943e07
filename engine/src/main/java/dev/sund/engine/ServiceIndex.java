package dev.sund.engine;

import dev.sund.engine.ServiceSummary.Origin;
import dev.sund.engine.cluster.EndpointSlice;
import dev.sund.engine.cluster.EndpointSlice.Backend;
import dev.sund.engine.cluster.Node;
import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.LoadBalancerIp;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.engine.cluster.ServiceSettings;
import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Prefix;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The cluster's Services with their slices, and which places they ask for. Of several that ask for
 * one place the oldest has it.
 *
 * <p>A change of a Service or of one of its slices touches its own places and nothing else, however
 * many Services there are.
 */
final class ServiceIndex {
  private final Map<ServiceKey, Service> services = new HashMap<>();
  private final Map<String, EndpointSlice> slices = new HashMap<>();

  /** The slices of each Service, sorted by name; of one that is not there too. */
  private final Map<ServiceKey, List<EndpointSlice>> slicesOf = new HashMap<>();

  /** Who asks for which place, the one that has it first. */
  private final Map<Frontend.Key, List<Wish>> wishes = new HashMap<>();

  /** What each Service asks for, in the order of its ports. */
  private final Map<ServiceKey, List<Wish>> wishesOf = new HashMap<>();

  /** The Services that have a single address as theirs, node ports' apart. */
  private final NavigableMap<Ip, Set<ServiceKey>> addresses = new TreeMap<>();

  /** The slices in which an endpoint has a hint. */
  private final Set<String> hinting = new HashSet<>();

  /** The words of slices that are said again and again. */
  private final Words words;

  /** In which zones nodes are, and how many in each. */
  private final Map<String, Integer> zones = new HashMap<>();

  private ServiceSettings settings = ServiceSettings.DEFAULT;
  private ServiceScope scope;

  /**
   * No Services yet.
   *
   * @param pods the cluster's pods, by the words of which endpoints are kept: a view
   */
  ServiceIndex(NodeName self, Map<PodKey, Pod> pods) {
    words = new Words(services, pods);
    scope = ServiceScope.initial(self);
  }

  /**
   * That packets to a place go to a Service.
   *
   * @param key the place
   * @param created the Service's age
   * @param service whose wish it is
   * @param origin which of its addresses
   * @param port the index of the port in {@link Service#ports}
   */
  record Wish(Frontend.Key key, long created, ServiceKey service, Origin origin, int port)
      implements Comparable<Wish> {
    private static final Comparator<Wish> ORDER =
        Comparator.comparingLong(Wish::created)
            .thenComparing(Wish::service)
            .thenComparing(Wish::origin)
            .thenComparingInt(Wish::port);

    @Override
    public int compareTo(Wish other) {
      return ORDER.compare(this, other);
    }
  }

  // What rows are made from.

  /** What the rows have of this node. */
  ServiceScope scope() {
    return scope;
  }

  /** How Services are to be served. */
  ServiceSettings settings() {
    return settings;
  }

  Optional<Service> service(ServiceKey key) {
    return Optional.ofNullable(services.get(key));
  }

  Collection<Service> services() {
    return Collections.unmodifiableCollection(services.values());
  }

  Collection<EndpointSlice> slices() {
    return Collections.unmodifiableCollection(slices.values());
  }

  Set<ServiceKey> keys() {
    return Collections.unmodifiableSet(services.keySet());
  }

  /** A Service's slices, sorted by name. */
  List<EndpointSlice> slices(ServiceKey key) {
    return slicesOf.getOrDefault(key, List.of());
  }

  /** The wish of the Service that has a place, as far as it is for Services to have. */
  Optional<Wish> holder(Frontend.Key key) {
    List<Wish> who = wishes.get(key);
    return who == null ? Optional.empty() : Optional.of(who.getFirst());
  }

  /** All who ask for a place. */
  List<Wish> wishes(Frontend.Key key) {
    return wishes.getOrDefault(key, List.of());
  }

  /** What a Service asks for, in the order of its ports. */
  List<Wish> wishes(ServiceKey key) {
    return wishesOf.getOrDefault(key, List.of());
  }

  private List<Wish> made(Service service) {
    if (!scope.settings().enabled() || service.notServed().isPresent()) {
      return List.of();
    }
    List<Wish> found = new ArrayList<>();
    Set<Family> families = EnumSet.noneOf(Family.class);
    service.clusterIps().forEach(ip -> families.add(ip.family()));
    for (int index = 0; index < service.ports().size(); index++) {
      ServicePort port = service.ports().get(index);
      for (Ip ip : service.clusterIps()) {
        found.add(wish(service, index, port.port(), new Place.At(ip), Origin.CLUSTER_IP));
      }
      if (service.type() == Service.Type.LOAD_BALANCER) {
        for (LoadBalancerIp balancer : service.loadBalancerIps()) {
          if (!balancer.proxied() && isAddress(balancer.address(), families)) {
            Place place = new Place.At(balancer.address());
            found.add(wish(service, index, port.port(), place, Origin.LOAD_BALANCER_IP));
          }
        }
      }
      for (Ip ip : service.externalIps()) {
        if (isAddress(ip, families)) {
          found.add(wish(service, index, port.port(), new Place.At(ip), Origin.EXTERNAL_IP));
        }
      }
      if (port.nodePort().isPresent() && hasNodePorts(service.type())) {
        for (Family family : families) {
          for (Place place : nodePortPlaces(family)) {
            found.add(wish(service, index, port.nodePort().get(), place, Origin.NODE_PORT));
          }
        }
      }
    }
    return found;
  }

  private static Wish wish(Service service, int index, int number, Place place, Origin origin) {
    return new Wish(
        new Frontend.Key(place, service.ports().get(index).protocol(), number),
        service.created(),
        service.key(),
        origin,
        index);
  }

  private static boolean hasNodePorts(Service.Type type) {
    return switch (type) {
      case NODE_PORT, LOAD_BALANCER -> true;
      case CLUSTER_IP, EXTERNAL_NAME -> false;
    };
  }

  /** A Service has no other addresses than of the families of its cluster addresses. */
  private static boolean isAddress(Ip ip, Set<Family> families) {
    return families.contains(ip.family())
        && !ip.isLoopback()
        && !ip.isUnspecified()
        && !ip.isMulticast();
  }

  private List<Place> nodePortPlaces(Family family) {
    List<Ip> addresses = scope.nodePorts().get(family);
    return addresses == null
        ? List.of(new Place.AnyLocal(family))
        : addresses.stream().<Place>map(Place.At::new).toList();
  }

  /** Adds the Services that have addresses in a range. */
  void within(Prefix range, Set<ServiceKey> found) {
    if (range.isHost()) {
      found.addAll(addresses.getOrDefault(range.address(), Set.of()));
    } else {
      addresses.subMap(range.address(), true, range.last(), true).values().forEach(found::addAll);
    }
  }

  /** Adds the Services that have endpoints in a range; looks at all endpoints. */
  void withEndpointsIn(Prefix range, Set<ServiceKey> found) {
    for (EndpointSlice slice : slices.values()) {
      if (slice.family() == range.family()) {
        for (Backend backend : slice.endpoints()) {
          if (range.contains(backend.address())) {
            found.add(slice.service());
            break;
          }
        }
      }
    }
  }

  /** Adds the Services with hints for one of these; looks at all endpoints with hints. */
  void hinting(Set<String> forZones, Set<NodeName> forNodes, Set<ServiceKey> found) {
    for (String name : hinting) {
      EndpointSlice slice = slices.get(name);
      if (slice != null
          && slice.endpoints().stream().anyMatch(one -> names(one, forZones, forNodes))) {
        found.add(slice.service());
      }
    }
  }

  private static boolean names(Backend backend, Set<String> zones, Set<NodeName> nodes) {
    return backend.forZones().stream().anyMatch(zones::contains)
        || backend.forNodes().stream().anyMatch(nodes::contains);
  }

  /** Whether a node is in this zone. */
  boolean isZone(String zone) {
    return zones.containsKey(zone);
  }

  // How it changes.

  /** A node is another than it was: hints may name nobody any more. */
  void putNode(Optional<Node> was, Optional<Node> now, Touched touched) {
    Optional<String> before = was.flatMap(ServiceScope::zone);
    Optional<String> after = now.flatMap(ServiceScope::zone);
    after.ifPresent(zone -> zones.merge(zone, 1, Integer::sum));
    before.ifPresent(zone -> {
      if (zones.merge(zone, -1, (count, less) -> count == 1 ? null : count + less) == null) {
        touched.lostZones.add(zone);
      }
    });
    if (now.isEmpty()) {
      was.ifPresent(node -> touched.lostNodes.add(node.name()));
    }
  }

  /** From now on Services are to be served so. */
  void put(ServiceSettings now, Touched touched) {
    if (!now.equals(settings)) {
      touched.everything = true;
      touched.ranges.addAll(settings.podRanges());
      touched.ranges.addAll(now.podRanges());
      settings = now;
    }
  }

  /** From now on a Service is so, or is none. */
  void put(ServiceKey key, Optional<Service> now, Touched touched) {
    Service was = now.isPresent() ? services.put(key, now.get()) : services.remove(key);
    if (now.equals(Optional.ofNullable(was))) {
      return;
    }
    touched.services.add(key);
    for (Wish wish : wishes(key)) {
      touched.frontends.add(wish.key());
      remove(wish);
    }
    wishesOf.remove(key);
    now.ifPresent(this::makeWishes);
    wishes(key).forEach(wish -> touched.frontends.add(wish.key()));
  }

  private void makeWishes(Service service) {
    List<Wish> made = made(service);
    if (!made.isEmpty()) {
      wishesOf.put(service.key(), made);
      made.forEach(this::add);
    }
  }

  /** From now on the slice of this name is so, or is none. */
  void putSlice(String name, Optional<EndpointSlice> told, Touched touched) {
    Optional<EndpointSlice> now = told.map(words::in);
    EndpointSlice was = now.isPresent() ? slices.put(name, now.get()) : slices.remove(name);
    if (now.equals(Optional.ofNullable(was))) {
      return;
    }
    if (now.isPresent() && hasHint(now.get())) {
      hinting.add(name);
    } else {
      hinting.remove(name);
    }
    if (was != null) {
      slicesOf.computeIfPresent(was.service(), (_, all) -> without(all, was));
      touch(was.service(), touched);
    }
    if (now.isPresent()) {
      slicesOf.merge(now.get().service(), List.of(now.get()), ServiceIndex::sorted);
      touch(now.get().service(), touched);
    }
  }

  private static boolean hasHint(EndpointSlice slice) {
    for (Backend backend : slice.endpoints()) {
      if (!backend.forZones().isEmpty() || !backend.forNodes().isEmpty()) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable List<EndpointSlice> without(
      List<EndpointSlice> all, EndpointSlice slice) {
    List<EndpointSlice> rest =
        all.stream().filter(one -> !one.name().equals(slice.name())).toList();
    return rest.isEmpty() ? null : rest;
  }

  private static List<EndpointSlice> sorted(List<EndpointSlice> all, List<EndpointSlice> more) {
    List<EndpointSlice> both = new ArrayList<>(all);
    both.addAll(more);
    both.sort(Comparator.comparing(EndpointSlice::name));
    return List.copyOf(both);
  }

  /** All rows of a Service, and what is wrong with it, may differ. */
  private void touch(ServiceKey key, Touched touched) {
    if (services.containsKey(key)) {
      touched.services.add(key);
      wishes(key).forEach(wish -> touched.frontends.add(wish.key()));
    }
  }

  /** From now on the node is so. */
  void settle(ServiceScope now, Touched touched) {
    if (now.equals(scope)) {
      return;
    }
    boolean moved = !now.hasPlacesOf(scope);
    touched.services.addAll(services.keySet());
    touched.frontends.addAll(wishes.keySet());
    scope = now;
    if (moved) {
      wishes.clear();
      wishesOf.clear();
      addresses.clear();
      services.values().forEach(this::makeWishes);
      touched.frontends.addAll(wishes.keySet());
    }
  }

  private void add(Wish wish) {
    wishes.merge(wish.key(), List.of(wish), (all, more) -> with(all, more.getFirst()));
    if (hasAddress(wish)) {
      addresses.merge(address(wish), Set.of(wish.service()), ServiceIndex::union);
    }
  }

  /** Node ports are at nodes' addresses and not at one of the Service's own. */
  private static boolean hasAddress(Wish wish) {
    return wish.origin() != Origin.NODE_PORT && wish.key().place() instanceof Place.At;
  }

  private static Ip address(Wish wish) {
    return wish.key().place() instanceof Place.At at
        ? at.address()
        : Ip.any(wish.key().place().family());
  }

  private static Set<ServiceKey> union(Set<ServiceKey> all, Set<ServiceKey> more) {
    if (all.containsAll(more)) {
      return all;
    }
    Set<ServiceKey> both = all.size() == 1 ? new HashSet<>(all) : all; // of one they are immutable
    both.addAll(more);
    return both;
  }

  private static List<Wish> with(List<Wish> all, Wish wish) {
    List<Wish> more = new ArrayList<>(all);
    more.add(wish);
    Collections.sort(more);
    return List.copyOf(more);
  }

  private void remove(Wish wish) {
    wishes.computeIfPresent(
        wish.key(),
        (_, all) -> {
          List<Wish> rest = all.stream().filter(one -> !one.equals(wish)).toList();
          return rest.isEmpty() ? null : rest;
        });
    if (hasAddress(wish)) {
      addresses.computeIfPresent(address(wish), (_, all) -> without(all, wish.service()));
    }
  }

  private static @Nullable Set<ServiceKey> without(Set<ServiceKey> all, ServiceKey service) {
    if (all.size() == 1) {
      return all.contains(service) ? null : all;
    }
    all.remove(service);
    return all.isEmpty() ? null : all;
  }
}
