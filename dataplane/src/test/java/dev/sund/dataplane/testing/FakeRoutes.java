package dev.sund.dataplane.testing;

import dev.sund.dataplane.KernelRoutes;
import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.Sysctl;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.BridgeFilter;
import dev.sund.kernel.route.BridgePort;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.LinkKind;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.kernel.route.Rtnl;
import dev.sund.kernel.route.Vxlan;
import dev.sund.model.Family;
import dev.sund.model.Mac;
import dev.sund.model.Prefix;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * A kernel in memory, with what drivers rely on: keys, EEXIST, what goes with a device that goes
 * down or away. One failure switch for each call, and one for requests.
 */
public final class FakeRoutes implements KernelRoutes {
  /** The calls that can be made to fail. */
  public enum Call {
    APPLY,
    LINKS,
    LINK,
    ADDRESSES,
    ROUTES,
    NEIGHBOURS,
    FDB,
    SYSCTLS,
    WRITE_SYSCTLS,
    ENTER,
    NAMESPACE_ID
  }

  private static final int IFF_UP = 1;
  private static final int LOWER_UP = 0x10000;

  private final Map<Path, FakeRoutes> others;
  private final int id;
  private final TreeMap<Integer, Link> links = new TreeMap<>();
  private final List<Address> addresses = new ArrayList<>();
  private final Map<List<Object>, RouteEntry> routes = new LinkedHashMap<>();
  private final Map<List<Object>, Neighbour> neighbours = new LinkedHashMap<>();
  private final Map<List<Object>, FdbEntry> fdb = new LinkedHashMap<>();
  private final Map<Sysctl, String> sysctls = new TreeMap<>();
  private final EnumMap<Call, KernelException> failures = new EnumMap<>(Call.class);
  private Predicate<RouteRequest> refused = _ -> false;
  private final List<RouteRequest> requests = new ArrayList<>();
  private int nextIndex = 2;

  /** A namespace with {@code lo} and forwarding off. */
  public FakeRoutes() {
    this(new HashMap<>(), 0);
  }

  private FakeRoutes(Map<Path, FakeRoutes> others, int id) {
    this.others = others;
    this.id = id;
    links.put(
        1, link(1, "lo", "", 65536, Optional.empty(), 0, OptionalInt.empty(), Optional.empty()));
    sysctls.put(Sysctl.ipv4("ip_forward"), "0");
    sysctls.put(Sysctl.ipv6Conf("all", "forwarding"), "0");
  }

  /** A further namespace with this path. */
  public FakeRoutes namespace(Path path) {
    FakeRoutes other = new FakeRoutes(others, others.size() + 100);
    others.put(path, other);
    return other;
  }

  /** The namespace at this path is gone. */
  public void removeNamespace(Path path) {
    FakeRoutes gone = Objects.requireNonNull(others.remove(path));
    List.copyOf(links.values()).stream()
        .filter(link -> link.peerNamespace().equals(OptionalInt.of(gone.id)))
        .forEach(link -> delete(link.index()));
  }

  /** A foreign device that is up. */
  public int device(String name) {
    int index = nextIndex++;
    links.put(
        index,
        up(
            link(index, name, "", 1500, Optional.empty(), 0, OptionalInt.empty(), Optional.empty()),
            true));
    return index;
  }

  /** Makes a call fail from now on. */
  public void fail(Call call, Errno errno) {
    failures.put(call, exception(call.name().toLowerCase(java.util.Locale.ROOT), "", errno));
  }

  /** Heals all. */
  public void heal() {
    failures.clear();
    refused = _ -> false;
  }

  /** Refuses these requests with EINVAL. */
  public void refuse(Predicate<RouteRequest> which) {
    refused = which;
  }

  /** What was sent, and forgets it. */
  public List<RouteRequest> sent() {
    List<RouteRequest> all = new ArrayList<>(requests);
    others
        .values()
        .forEach(other -> {
          all.addAll(other.requests);
          other.requests.clear();
        });
    requests.clear();
    return all;
  }

  /** Puts a route as someone else would. */
  public void put(RouteEntry route) {
    routes.put(key(route), route);
  }

  /** Takes all routes away without a word. */
  public void dropRoutes() {
    routes.clear();
  }

  @Override
  public List<Outcome> apply(String driver, List<RouteRequest> batch) throws KernelException {
    check(Call.APPLY);
    List<Outcome> outcomes = new ArrayList<>();
    for (RouteRequest request : batch) {
      requests.add(request);
      outcomes.add(one(request));
    }
    return outcomes;
  }

  private Outcome one(RouteRequest request) {
    try {
      if (refused.test(request)) {
        throw exception(request.operation(), request.object(), Errno.EINVAL);
      }
      doOne(request);
      return Outcome.DONE;
    } catch (KernelException.AlreadyExists e) {
      return request.intent() == RouteRequest.Intent.CREATE
          ? Outcome.ALREADY_THERE
          : new Outcome.Failed(e);
    } catch (KernelException.NotFound e) {
      return request.intent() == RouteRequest.Intent.DELETE
          ? Outcome.ALREADY_GONE
          : new Outcome.Failed(e);
    } catch (KernelException e) {
      return new Outcome.Failed(e);
    }
  }

  private void doOne(RouteRequest request) throws KernelException {
    switch (request) {
      case RouteRequest.CreateLink create -> create(create);
      case RouteRequest.SetLink set -> {
        Link link = find(request, set.index(), set.name());
        for (LinkSetting setting : set.settings()) {
          set(link.index(), setting);
        }
      }
      case RouteRequest.DeleteLink gone -> delete(find(request, gone.index(), gone.name()).index());
      case RouteRequest.DeleteGroup group -> {
        List<Link> members =
            links.values().stream().filter(link -> link.group() == group.group()).toList();
        require(request, !members.isEmpty(), Errno.ENODEV);
        members.forEach(link -> delete(link.index()));
      }
      case RouteRequest.SetHairpin set ->
          requireDevice(request, set.index()); // of no consequence to the drivers
      case RouteRequest.SetBridgeFilter set -> requireDevice(request, set.index());
      case RouteRequest.PutBroadcastAddress(Address address) ->
          doOne(new RouteRequest.PutAddress(address));
      case RouteRequest.AddRoute(RouteEntry route) -> putRoute(request, route);
      case RouteRequest.PutAddress(Address address) -> {
        requireDevice(request, address.device());
        addresses.removeIf(
            old -> old.device() == address.device() && old.address().equals(address.address()));
        addresses.add(address);
        if (address.ip().family() == Family.V6) {
          put(
              RouteEntry.to(Prefix.host(address.ip()))
                  .withDevice(address.device())
                  .withTable(Rtnl.TABLE_LOCAL));
        }
      }
      case RouteRequest.DeleteAddress(Address address) ->
          require(
              request,
              addresses.removeIf(old ->
                  old.device() == address.device() && old.address().equals(address.address())),
              Errno.EADDRNOTAVAIL);
      case RouteRequest.CreateRoute(RouteEntry route) -> {
        require(request, !routes.containsKey(key(route)), Errno.EEXIST);
        putRoute(request, route);
      }
      case RouteRequest.PutRoute(RouteEntry route) -> putRoute(request, route);
      case RouteRequest.DeleteRoute(RouteEntry route) -> {
        RouteEntry there = routes.get(key(route));
        require(
            request,
            there != null
                && there.protocol() == route.protocol()
                && there.type() == route.type()
                && there.scope() == route.scope(),
            Errno.ESRCH);
        routes.remove(key(route));
      }
      case RouteRequest.PutNeighbour(Neighbour neighbour) -> {
        requireDevice(request, neighbour.device());
        neighbours.put(List.of(neighbour.device(), neighbour.ip()), neighbour);
      }
      case RouteRequest.DeleteNeighbour(Neighbour neighbour) ->
          require(
              request,
              neighbours.remove(List.of(neighbour.device(), neighbour.ip())) != null,
              Errno.ENOENT);
      case RouteRequest.PutFdb(FdbEntry entry) -> {
        requireDevice(request, entry.device());
        fdb.put(List.of(entry.device(), entry.mac()), entry);
      }
      case RouteRequest.DeleteFdb(FdbEntry entry) ->
          require(request, fdb.remove(List.of(entry.device(), entry.mac())) != null, Errno.ENOENT);
      case RouteRequest.CreateRule _, RouteRequest.DeleteRule _ ->
          throw new UnsupportedOperationException("rules");
      case RouteRequest.ChangeTraffic _ -> throw new UnsupportedOperationException("queues");
    }
  }

  private void create(RouteRequest.CreateLink create) throws KernelException {
    require(create, byName(create.name()).isEmpty(), Errno.EEXIST);
    int index = create.index() == 0 ? nextIndex++ : create.index();
    Optional<Vxlan> vxlan =
        create.kind() instanceof Vxlan settings ? Optional.of(settings) : Optional.empty();
    int lower = 0;
    OptionalInt peer = OptionalInt.empty();
    if (create.kind() instanceof LinkKind.Veth veth) {
      FakeRoutes other =
          others.values().stream()
              .filter(candidate -> candidate.id == veth.namespace())
              .findFirst()
              .orElse(this);
      require(create, other.byName(veth.peer()).isEmpty(), Errno.EEXIST);
      lower = other.nextIndex++;
      peer = OptionalInt.of(other.id);
      other.links.put(
          lower,
          link(
              lower,
              veth.peer(),
              "veth",
              veth.mtu(),
              veth.mac(),
              index,
              OptionalInt.of(id),
              vxlan));
    }
    links.put(
        index,
        link(
            index,
            create.name(),
            create.kind().name(),
            1500,
            Optional.empty(),
            lower,
            peer,
            vxlan));
    for (LinkSetting setting : create.settings()) {
      set(index, setting);
    }
  }

  private void set(int index, LinkSetting setting) {
    Link link = Objects.requireNonNull(links.get(index));
    switch (setting) {
      case LinkSetting.Up(boolean up) -> {
        if (!up) {
          routes.values().removeIf(route -> route.device() == index);
          neighbours.values().removeIf(neighbour -> neighbour.device() == index);
        }
        links.put(index, up(link, up));
      }
      case LinkSetting.Mtu(int bytes) ->
          links.put(index, with(link, link.name(), bytes, link.mac(), link.group(), link.alias()));
      case LinkSetting.Address(Mac mac) -> {
        neighbours.values().removeIf(neighbour -> neighbour.device() == index);
        links.put(
            index,
            with(link, link.name(), link.mtu(), Optional.of(mac), link.group(), link.alias()));
      }
      case LinkSetting.Alias(String text) ->
          links.put(index, with(link, link.name(), link.mtu(), link.mac(), link.group(), text));
      case LinkSetting.Group(int number) ->
          links.put(index, with(link, link.name(), link.mtu(), link.mac(), number, link.alias()));
      case LinkSetting.Name(String name) ->
          links.put(index, with(link, name, link.mtu(), link.mac(), link.group(), link.alias()));
      case LinkSetting.Master _,
          LinkSetting.MaxSegments _,
          LinkSetting.Promiscuous _,
          LinkSetting.Namespace _,
          LinkSetting.LinkLocal _ -> {
        // of no consequence to the drivers
      }
    }
  }

  private void delete(int index) {
    Link link = links.remove(index);
    if (link == null) {
      return;
    }
    routes.values().removeIf(route -> route.device() == index);
    neighbours.values().removeIf(neighbour -> neighbour.device() == index);
    fdb.values().removeIf(entry -> entry.device() == index);
    addresses.removeIf(address -> address.device() == index);
    others.values().stream()
        .filter(other -> link.peerNamespace().equals(OptionalInt.of(other.id)))
        .forEach(other -> other.delete(link.lower()));
  }

  private void putRoute(RouteRequest request, RouteEntry route) throws KernelException {
    if (route.device() != 0) {
      requireDevice(request, route.device());
      require(request, links.get(route.device()).isUp(), Errno.ENETDOWN);
    }
    routes.put(key(route), route);
  }

  private static List<Object> key(RouteEntry route) {
    return List.of(route.destination(), route.table(), route.metric());
  }

  private void requireDevice(RouteRequest request, int index) throws KernelException {
    require(request, links.containsKey(index), Errno.ENODEV);
  }

  private Link find(RouteRequest request, int index, String name) throws KernelException {
    Optional<Link> link = index == 0 ? byName(name) : Optional.ofNullable(links.get(index));
    require(request, link.isPresent(), Errno.ENODEV);
    return link.orElseThrow();
  }

  private static void require(RouteRequest request, boolean holds, Errno errno)
      throws KernelException {
    if (!holds) {
      throw exception(request.operation(), request.object(), errno);
    }
  }

  private static KernelException exception(String operation, String object, Errno errno) {
    return Errno.exception(operation, object, errno.number(), "", Capability.NET_ADMIN);
  }

  private Optional<Link> byName(String name) {
    return links.values().stream().filter(link -> link.name().equals(name)).findFirst();
  }

  private void check(Call call) throws KernelException {
    KernelException failure = failures.get(call);
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public List<Link> links() throws KernelException {
    check(Call.LINKS);
    return List.copyOf(links.values());
  }

  @Override
  public Optional<Link> link(String name) throws KernelException {
    check(Call.LINK);
    return byName(name);
  }

  @Override
  public Optional<Link> link(int index) throws KernelException {
    check(Call.LINK);
    return Optional.ofNullable(links.get(index));
  }

  @Override
  public List<Address> addresses() throws KernelException {
    check(Call.ADDRESSES);
    return List.copyOf(addresses);
  }

  @Override
  public List<RouteEntry> routes(RouteFilter filter) throws KernelException {
    check(Call.ROUTES);
    return routes.values().stream()
        .filter(route -> route.family() == filter.family())
        .filter(route -> filter.table() == 0 || route.table() == filter.table())
        .filter(route -> filter.device() == 0 || route.device() == filter.device())
        .filter(route -> filter.protocol() == 0 || route.protocol() == filter.protocol())
        .toList();
  }

  @Override
  public List<Neighbour> neighbours(Family family, int device) throws KernelException {
    check(Call.NEIGHBOURS);
    return neighbours.values().stream()
        .filter(neighbour -> neighbour.ip().family() == family)
        .filter(neighbour -> device == 0 || neighbour.device() == device)
        .toList();
  }

  @Override
  public Optional<BridgeFilter> bridgeFilter(int index) {
    return Optional.empty();
  }

  @Override
  public Optional<BridgePort> bridgePort(int index) {
    return Optional.empty();
  }

  @Override
  public List<FdbEntry> fdb(int device) throws KernelException {
    check(Call.FDB);
    return fdb.values().stream().filter(entry -> device == 0 || entry.device() == device).toList();
  }

  @Override
  public Map<Sysctl, String> sysctls(List<Sysctl> settings) throws KernelException {
    check(Call.SYSCTLS);
    Map<Sysctl, String> values = new TreeMap<>(sysctls);
    values.keySet().retainAll(settings);
    return values;
  }

  /** Sets a value as someone else would. */
  public void sysctl(String key, String value) {
    sysctls.put(new Sysctl(key), value);
  }

  /** The value of a setting. */
  public String sysctl(String key) {
    return sysctls.getOrDefault(new Sysctl(key), "none");
  }

  @Override
  public List<KernelException> writeSysctls(Map<Sysctl, String> values) throws KernelException {
    check(Call.WRITE_SYSCTLS);
    sysctls.putAll(values);
    return List.of();
  }

  @Override
  public Inside enter(Path namespace) throws KernelException {
    check(Call.ENTER);
    FakeRoutes other = others.get(namespace);
    if (other == null) {
      throw exception("open namespace", namespace.toString(), Errno.ENOENT);
    }
    return new Inside() {
      @Override
      public int descriptor() {
        return other.id;
      }

      @Override
      public KernelRoutes routes() {
        return other;
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public OptionalInt namespaceId(Inside other) throws KernelException {
    check(Call.NAMESPACE_ID);
    int wanted = other.descriptor();
    return links.values().stream()
            .anyMatch(link -> link.peerNamespace().equals(OptionalInt.of(wanted)))
        ? OptionalInt.of(wanted)
        : OptionalInt.empty();
  }

  @Override
  public void close() {}

  private static Link up(Link link, boolean up) {
    return new Link(
        link.index(),
        link.name(),
        up ? IFF_UP | LOWER_UP : 0,
        link.mtu(),
        link.mac(),
        up ? 6 : 2,
        link.group(),
        link.alias(),
        link.master(),
        link.lower(),
        link.peerNamespace(),
        link.kind(),
        link.vxlan(),
        link.ipip());
  }

  private static Link with(
      Link link, String name, int mtu, Optional<Mac> mac, int group, String alias) {
    return new Link(
        link.index(),
        name,
        link.flags(),
        mtu,
        mac,
        link.operState(),
        group,
        alias,
        link.master(),
        link.lower(),
        link.peerNamespace(),
        link.kind(),
        link.vxlan(),
        link.ipip());
  }

  private static Link link(
      int index,
      String name,
      String kind,
      int mtu,
      Optional<Mac> mac,
      int lower,
      OptionalInt peerNamespace,
      Optional<Vxlan> vxlan) {
    return new Link(
        index, name, 0, mtu, mac, 2, 0, "", 0, lower, peerNamespace, kind, vxlan, Optional.empty());
  }
}
