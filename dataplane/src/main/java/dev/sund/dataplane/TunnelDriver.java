package dev.sund.dataplane;

import dev.sund.dataplane.rows.FdbRow;
import dev.sund.dataplane.rows.Lowering;
import dev.sund.dataplane.rows.NeighbourRow;
import dev.sund.dataplane.rows.TunnelRow;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Tunnel;
import dev.sund.engine.program.TunnelPeer;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.FdbEntry;
import dev.sund.kernel.route.Ipip;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.LinkKind;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.kernel.route.Vxlan;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.InterfaceAddress;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * Writes VXLAN and IPIP devices with their addresses, neighbours and forwarding entries.
 *
 * <p><b>How does a restarted agent know that a device is ours?</b> By its ifalias, whose first word
 * is {@link dev.sund.model.Marks#ALIAS_PREFIX}; a device of our name without it counts as ours only
 * while it carries the MAC address that no one else would derive, or, for IPIP, our link group. Any
 * other device of our name is left alone and said ({@link Reason#FOREIGN_OBJECT}). Neighbours and
 * forwarding entries are ours because their device is.
 *
 * <p><b>What happens to packets if we die right here?</b> A peer's forwarding entry is written
 * before its neighbour, and both before routes use them; a neighbour is removed before its
 * forwarding entry. Where a device must be made anew, since the kernel does not change its VNI,
 * port or local address, the old one goes and the new one comes with its addresses and peers in one
 * send; packets in between are lost, and the routes follow.
 */
public final class TunnelDriver implements Driver {
  /** The device's own table, not that of a bridge above it. */
  private static final int NTF_SELF = 2;

  private final KernelRoutes kernel;
  private final Devices devices;
  private final DeltaTable<String, TunnelRow> tunnels = new DeltaTable<>();
  private final DeltaTable<NeighbourRow.Key, NeighbourRow> neighbours = new DeltaTable<>();
  private final DeltaTable<FdbRow.Key, FdbRow> fdb = new DeltaTable<>();

  /** Which peer wants a forwarding entry: of two that name one MAC the later one. */
  private final Map<FdbRow.Key, TunnelPeer.Key> fdbOwners = new HashMap<>();

  private final Set<String> foreign = new HashSet<>();
  private final Problems problems = new Problems();

  /**
   * A driver for the namespace of {@code kernel}.
   *
   * @param kernel closed by whoever opened it
   */
  public TunnelDriver(KernelRoutes kernel) {
    this.kernel = kernel;
    this.devices = new Devices(kernel);
  }

  @Override
  public String name() {
    return "tunnels";
  }

  @Override
  public void want(ProgramDelta delta) {
    for (Change<String, Tunnel> change : delta.tunnels()) {
      switch (change) {
        case Change.Put<String, Tunnel>(String device, Tunnel tunnel, Optional<Tunnel> _) ->
            tunnels.want(device, Lowering.tunnel(tunnel));
        case Change.Remove<String, Tunnel>(String device, Tunnel _) -> {
          tunnels.unwant(device);
          problems.clear(TunnelTexts.object(device));
        }
      }
    }
    for (Change<TunnelPeer.Key, TunnelPeer> change : delta.tunnelPeers()) {
      switch (change) {
        case Change.Put<TunnelPeer.Key, TunnelPeer>(var key, var peer, var was) -> {
          was.ifPresent(old -> unwantFdb(old, key));
          NeighbourRow neighbour = Lowering.neighbour(peer);
          FdbRow entry = Lowering.fdb(peer);
          neighbours.want(neighbour.key(), neighbour);
          fdb.want(entry.key(), entry);
          fdbOwners.put(entry.key(), key);
        }
        case Change.Remove<TunnelPeer.Key, TunnelPeer>(var key, var was) -> {
          NeighbourRow.Key neighbour = Lowering.neighbour(was).key();
          neighbours.unwant(neighbour);
          problems.clear(() -> TunnelTexts.object(neighbour));
          unwantFdb(was, key);
        }
      }
    }
  }

  private void unwantFdb(TunnelPeer peer, TunnelPeer.Key owner) {
    FdbRow.Key key = Lowering.fdb(peer).key();
    if (fdbOwners.remove(key, owner)) {
      fdb.unwant(key);
      problems.clear(() -> TunnelTexts.object(key));
    }
  }

  @Override
  public ApplyReport resync() throws KernelException {
    List<Link> links = kernel.links();
    devices.replace(links);
    List<Address> addresses = kernel.addresses();
    TreeMap<String, TunnelRow> seenTunnels = new TreeMap<>();
    TreeMap<NeighbourRow.Key, NeighbourRow> seenNeighbours = new TreeMap<>();
    TreeMap<FdbRow.Key, FdbRow> seenFdb = new TreeMap<>();
    Set<String> foreignNow = new HashSet<>();
    for (Link link : links) {
      if (isOurs(link)) {
        seenTunnels.put(link.name(), RowReader.tunnel(link, addresses, devices::name));
        readPeers(link, seenNeighbours, seenFdb);
      } else if (RowReader.hasTunnelName(link)) {
        foreignNow.add(link.name());
      }
    }
    foreign.clear();
    foreign.addAll(foreignNow);
    tunnels.seeAll(seenTunnels);
    neighbours.seeAll(seenNeighbours);
    fdb.seeAll(seenFdb);
    return ApplyReport.of(problems.all());
  }

  private void readPeers(
      Link link,
      Map<NeighbourRow.Key, NeighbourRow> seenNeighbours,
      Map<FdbRow.Key, FdbRow> seenFdb)
      throws KernelException {
    for (Family family : Family.values()) {
      for (Neighbour neighbour : kernel.neighbours(family, link.index())) {
        NeighbourRow row = RowReader.neighbour(neighbour, link.name());
        // What the kernel learns by itself goes by itself, unless it stands where ours should.
        if (row.permanent() || neighbours.wanted(row.key()).isPresent()) {
          seenNeighbours.put(row.key(), row);
        }
      }
    }
    for (FdbEntry entry : kernel.fdb(link.index())) {
      if (entry.isSelf()) {
        FdbRow row = RowReader.fdb(entry, link.name());
        seenFdb.put(row.key(), row);
      }
    }
  }

  private boolean isOurs(Link link) {
    return RowReader.isTunnel(link)
        || (link.kind().equals("vxlan")
            && link.alias().isEmpty()
            && tunnels
                .wanted(link.name())
                .filter(row -> link.mac().isPresent() && link.mac().equals(row.mac()))
                .isPresent());
  }

  @Override
  public ApplyReport apply(Step step, int most) {
    Problems.Log log = new Problems.Log();
    switch (step) {
      case PUT -> {
        tunnels.puts(most).forEach(change -> putTunnel(change, log));
        putPeers(fdb.puts(most), neighbours.puts(most), log);
      }
      case REMOVE -> {
        tunnels.removes(most).forEach(change -> removeTunnel(change, log));
        removePeers(neighbours.removes(most), fdb.removes(most), log);
      }
    }
    return log.report(pending(), problems);
  }

  @Override
  public void allowSweep() {
    tunnels.allowSweep();
    neighbours.allowSweep();
    fdb.allowSweep();
  }

  @Override
  public void retry() {
    tunnels.retry();
    neighbours.retry();
    fdb.retry();
  }

  @Override
  public int pending() {
    return tunnels.pending() + neighbours.pending() + fdb.pending();
  }

  @Override
  public void close() {}

  /** Whether a device of a tunnel's name is there that Sund did not make. */
  public boolean isForeign(String device) {
    return foreign.contains(device);
  }

  private void putTunnel(Change.Put<String, TunnelRow> change, Problems.Log log) {
    TunnelRow row = change.value();
    ObjectRef object = TunnelTexts.object(row.device());
    if (foreign.contains(row.device())) {
      fail(row.device(), TunnelTexts.foreignDevice(object), null, log);
      return;
    }
    try {
      Optional<TunnelRow> was = change.was();
      if (was.isPresent() && was.get().fixed().equals(row.fixed())) {
        adjust(row, was.get(), log);
      } else {
        make(row, was.isPresent(), log);
      }
    } catch (KernelException e) {
      devices.forget(row.device());
      fail(row.device(), Problems.refused(object, e), e, log);
    }
  }

  private void make(TunnelRow row, boolean anew, Problems.Log log) throws KernelException {
    String underlay = row.fixed().underlayDevice().orElseThrow();
    OptionalInt underlayIndex = devices.index(underlay);
    if (underlayIndex.isEmpty()) {
      fail(row.device(), Problems.noDevice(TunnelTexts.object(row.device()), underlay), null, log);
      return;
    }
    List<RouteRequest> requests = new ArrayList<>();
    OptionalInt before = anew ? devices.index(row.device()) : OptionalInt.empty();
    if (before.isPresent()) {
      requests.add(new RouteRequest.DeleteLink(before.getAsInt(), row.device()));
    }
    requests.add(
        new RouteRequest.CreateLink(
            row.device(),
            before.orElse(0), // the same number, so that all that hangs on it can follow at once
            kind(row.fixed(), underlayIndex.getAsInt()),
            settings(row)));
    if (before.isPresent()) {
      requests.addAll(hangingOn(row, before.getAsInt()));
    }
    List<Outcome> outcomes = send(requests, log);
    int created = before.isPresent() ? 1 : 0;
    outcomes.get(created).orThrow();
    if (outcomes.get(created) == Outcome.ALREADY_THERE) {
      fail(row.device(), taken(row), null, log);
      return;
    }
    devices.forget(row.device());
    neighbours.unseeIf(entry -> entry.device().equals(row.device()));
    fdb.unseeIf(entry -> entry.device().equals(row.device()));
    if (before.isPresent()) {
      for (Outcome outcome : outcomes) {
        outcome.orThrow();
      }
      neighbours.wanted().values().stream()
          .filter(entry -> entry.device().equals(row.device()))
          .forEach(entry -> neighbours.see(entry.key(), entry));
      fdb.wanted().values().stream()
          .filter(entry -> entry.device().equals(row.device()))
          .forEach(entry -> fdb.see(entry.key(), entry));
    } else {
      int index = indexOf(row.device());
      List<RouteRequest> addresses = new ArrayList<>();
      row.addresses().forEach(address -> addresses.add(putAddress(index, address)));
      for (Outcome outcome : send(addresses, log)) {
        outcome.orThrow();
      }
    }
    tunnels.see(row.device(), row);
    neighbours.retry();
    fdb.retry();
    log.reset(row.device());
    settled(row, (anew ? "make anew " : "make ") + row, log);
  }

  private static LinkKind kind(TunnelRow.Fixed fixed, int underlay) {
    return switch (fixed.wire()) {
      case TunnelRow.Wire.Vxlan(var vni, var port, var learning, var df) ->
          new Vxlan(vni, port, fixed.local(), underlay, fixed.remote(), learning, 0, df);
      case TunnelRow.Wire.Ipip(var ttl, var pathMtuDiscovery) ->
          new Ipip(fixed.local(), underlay, fixed.remote(), ttl, pathMtuDiscovery);
    };
  }

  /** Why the kernel says that it exists: of its name, or of what it would take. */
  private Condition taken(TunnelRow row) throws KernelException {
    for (Link link : kernel.links()) {
      boolean sameNetwork =
          switch (row.fixed().wire()) {
            case TunnelRow.Wire.Vxlan(var vni, var port, _, _) ->
                link.vxlan()
                    .filter(vxlan -> vxlan.vni() == vni && vxlan.port() == port)
                    .isPresent();
            case TunnelRow.Wire.Ipip _ ->
                link.ipip()
                    .filter(ipip -> ipip.local().equals(row.fixed().local()))
                    .filter(ipip -> ipip.remote().isEmpty())
                    .isPresent();
          };
      if (sameNetwork && !link.name().equals(row.device())) {
        return TunnelTexts.foreignNetwork(TunnelTexts.object(row.device()), row, link.name());
      }
    }
    foreign.add(row.device());
    return TunnelTexts.foreignDevice(TunnelTexts.object(row.device()));
  }

  private static List<LinkSetting> settings(TunnelRow row) {
    List<LinkSetting> settings = new ArrayList<>();
    row.mac()
        .ifPresentOrElse(
            mac -> settings.add(new LinkSetting.Address(mac)),
            () -> settings.add(new LinkSetting.Group(Marks.GROUP_TUNNELS)));
    settings.add(new LinkSetting.Mtu(row.mtu()));
    settings.add(new LinkSetting.Alias(row.alias()));
    settings.add(new LinkSetting.Up(true));
    if (row.mtu() >= PodDriver.MIN_MTU_V6 && row.mac().isPresent()) {
      settings.add(new LinkSetting.LinkLocal(false));
    }
    return settings;
  }

  /** Addresses and peers of a device made anew. */
  private List<RouteRequest> hangingOn(TunnelRow row, int index) {
    List<RouteRequest> requests = new ArrayList<>();
    row.addresses().forEach(address -> requests.add(putAddress(index, address)));
    for (FdbRow entry : fdb.wanted().values()) {
      if (entry.device().equals(row.device())) {
        requests.add(new RouteRequest.PutFdb(entry(entry, index)));
      }
    }
    for (NeighbourRow entry : neighbours.wanted().values()) {
      if (entry.device().equals(row.device())) {
        requests.add(new RouteRequest.PutNeighbour(entry(entry, index)));
      }
    }
    return requests;
  }

  /** Changes what the kernel changes of a device that stands. */
  private void adjust(TunnelRow row, TunnelRow was, Problems.Log log) throws KernelException {
    int index = indexOf(row.device());
    List<LinkSetting> settings = new ArrayList<>();
    if (!row.mac().equals(was.mac())) {
      row.mac().ifPresent(mac -> settings.add(new LinkSetting.Address(mac)));
    }
    if (row.mtu() != was.mtu()) {
      settings.add(new LinkSetting.Mtu(row.mtu()));
    }
    if (!row.alias().equals(was.alias())) {
      settings.add(new LinkSetting.Alias(row.alias()));
    }
    if (row.up() != was.up()) {
      settings.add(new LinkSetting.Up(row.up()));
    }
    List<RouteRequest> requests = new ArrayList<>();
    if (!settings.isEmpty()) {
      requests.add(new RouteRequest.SetLink(index, row.device(), settings));
    }
    for (String address : row.addresses()) {
      if (!was.addresses().contains(address)) {
        requests.add(putAddress(index, address));
      }
    }
    for (String address : was.addresses()) {
      if (!row.addresses().contains(address)) {
        requests.add(
            new RouteRequest.DeleteAddress(Address.alone(index, InterfaceAddress.parse(address))));
      }
    }
    for (Outcome outcome : send(requests, log)) {
      outcome.orThrow();
    }
    tunnels.see(row.device(), row);
    if (!row.mac().equals(was.mac())) {
      // The kernel forgets the neighbours of a device that gets another address.
      neighbours.unseeIf(entry -> entry.device().equals(row.device()));
    }
    if (row.up() != was.up() || row.mtu() != was.mtu()) {
      // Going down took the routes, and another MTU changed that of IPv6 routes; nobody says so.
      log.reset(row.device());
    }
    settled(row, "change " + row, log);
  }

  private void settled(TunnelRow row, String what, Problems.Log log) {
    problems.clear(TunnelTexts.object(row.device()));
    log.done(what);
  }

  private void removeTunnel(Change.Remove<String, TunnelRow> change, Problems.Log log) {
    String device = change.key();
    try {
      send(List.of(new RouteRequest.DeleteLink(0, device)), log).getFirst().orThrow();
      tunnels.done(change);
      devices.forget(device);
      neighbours.unseeIf(entry -> entry.device().equals(device));
      fdb.unseeIf(entry -> entry.device().equals(device));
      problems.clear(TunnelTexts.object(device));
      log.done("remove tunnel " + device);
    } catch (KernelException e) {
      fail(device, Problems.refused(TunnelTexts.object(device), e), e, log);
    }
  }

  private void putPeers(
      List<Change.Put<FdbRow.Key, FdbRow>> entries,
      List<Change.Put<NeighbourRow.Key, NeighbourRow>> nexts,
      Problems.Log log) {
    Peers peers = new Peers(log);
    for (var change : entries) {
      peers.add(
          change,
          fdb,
          change.value().device(),
          () -> TunnelTexts.object(change.key()),
          index -> new RouteRequest.PutFdb(entry(change.value(), index)));
    }
    for (var change : nexts) {
      peers.add(
          change,
          neighbours,
          change.value().device(),
          () -> TunnelTexts.object(change.key()),
          index -> new RouteRequest.PutNeighbour(entry(change.value(), index)));
    }
    peers.send();
  }

  private void removePeers(
      List<Change.Remove<NeighbourRow.Key, NeighbourRow>> nexts,
      List<Change.Remove<FdbRow.Key, FdbRow>> entries,
      Problems.Log log) {
    Peers peers = new Peers(log);
    for (var change : nexts) {
      peers.add(
          change,
          neighbours,
          change.was().device(),
          () -> TunnelTexts.object(change.key()),
          index -> new RouteRequest.DeleteNeighbour(entry(change.was(), index)));
    }
    for (var change : entries) {
      peers.add(
          change,
          fdb,
          change.was().device(),
          () -> TunnelTexts.object(change.key()),
          index -> new RouteRequest.DeleteFdb(entry(change.was(), index)));
    }
    peers.send();
  }

  /** A batch of changes of neighbours and forwarding entries. */
  private final class Peers {
    private final Problems.Log log;
    private final List<RouteRequest> requests = new ArrayList<>();
    private final List<Settle> settles = new ArrayList<>();

    Peers(Problems.Log log) {
      this.log = log;
    }

    <K extends Comparable<K>, V> void add(
        Change<K, V> change,
        DeltaTable<K, V> table,
        String device,
        Supplier<ObjectRef> object,
        java.util.function.IntFunction<RouteRequest> request) {
      Settle settle =
          outcome -> {
            switch (outcome) {
              case Outcome.Settled _ -> {
                table.done(change);
                problems.clear(object);
                switch (change) {
                  case Change.Put<K, V>(K _, V value, Optional<V> _) -> log.done("put", value);
                  case Change.Remove<K, V>(K _, V was) -> log.done("remove", was);
                }
              }
              case Outcome.Failed(KernelException cause) -> {
                if (cause instanceof KernelException.NotFound) {
                  devices.forget(device);
                }
                table.hold(change.key());
                hold(Problems.refused(object.get(), cause), cause, log);
              }
            }
          };
      if (foreign.contains(device)) {
        table.hold(change.key()); // said of the device
        return;
      }
      try {
        OptionalInt index = devices.index(device);
        if (index.isPresent()) {
          requests.add(request.apply(index.getAsInt()));
          settles.add(settle);
        } else if (change instanceof Change.Remove<K, V>) {
          table.done(change); // it went with its device
        } else {
          table.hold(change.key());
          hold(Problems.noDevice(object.get(), device), null, log);
        }
      } catch (KernelException e) {
        settle.with(new Outcome.Failed(e));
      }
    }

    void send() {
      List<Outcome> outcomes;
      try {
        outcomes = TunnelDriver.this.send(requests, log);
      } catch (KernelException e) {
        outcomes = requests.stream().<Outcome>map(_ -> new Outcome.Failed(e)).toList();
      }
      for (int i = 0; i < outcomes.size(); i++) {
        settles.get(i).with(outcomes.get(i));
      }
    }
  }

  private interface Settle {
    void with(Outcome outcome);
  }

  private List<Outcome> send(List<RouteRequest> requests, Problems.Log log) throws KernelException {
    if (requests.isEmpty()) {
      return List.of();
    }
    log.sent(requests.size());
    return kernel.apply(name(), requests);
  }

  private int indexOf(String device) throws KernelException {
    OptionalInt index = devices.index(device);
    if (index.isEmpty()) {
      throw dev.sund.kernel.Errno.exception(
          "find link",
          device,
          dev.sund.kernel.Errno.ENODEV.number(),
          "",
          dev.sund.kernel.Capability.NET_ADMIN);
    }
    return index.getAsInt();
  }

  private void fail(
      String device,
      Condition condition,
      @org.jspecify.annotations.Nullable KernelException cause,
      Problems.Log log) {
    tunnels.hold(device);
    hold(condition, cause, log);
  }

  private void hold(
      Condition condition,
      @org.jspecify.annotations.Nullable KernelException cause,
      Problems.Log log) {
    problems.put(condition);
    log.failed(condition, Optional.ofNullable(cause));
  }

  private static RouteRequest putAddress(int index, String address) {
    return new RouteRequest.PutAddress(Address.alone(index, InterfaceAddress.parse(address)));
  }

  private static FdbEntry entry(FdbRow row, int index) {
    return new FdbEntry(index, row.mac(), row.destination(), Neighbour.PERMANENT, NTF_SELF, "");
  }

  private static Neighbour entry(NeighbourRow row, int index) {
    return new Neighbour(index, row.ip(), row.mac(), Neighbour.PERMANENT, 0);
  }
}
