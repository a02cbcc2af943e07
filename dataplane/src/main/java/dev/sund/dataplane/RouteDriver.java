package dev.sund.dataplane;

import dev.sund.dataplane.rows.Lowering;
import dev.sund.dataplane.rows.RouteRow;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.engine.program.Route;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.kernel.route.RouteType;
import dev.sund.kernel.route.Rtnl;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Prefix;
import dev.sund.model.Reason;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Writes routes of the main table: the only writer of routes.
 *
 * <p><b>How does a restarted agent know that a route is ours?</b> By its protocol number, {@link
 * Marks#ROUTE_PROTOCOL}. A route of another number where ours should be is left alone and said
 * ({@link Reason#FOREIGN_OBJECT}): new routes are made exclusively, never by replacing, and none
 * behind a route that the kernel would prefer.
 *
 * <p><b>What happens to packets if we die right here?</b> Each route is one message, so every route
 * is either the old or the new one, and a changed one is replaced in one step. Routes to pods are
 * written first. The kernel forwards on.
 */
public final class RouteDriver implements Driver {
  private static final Comparator<RouteRow.Key> PODS_FIRST =
      Comparator.<RouteRow.Key, Boolean>comparing(key -> !key.destination().isHost())
          .thenComparing(Comparator.naturalOrder());

  private final KernelRoutes kernel;
  private final Predicate<String> foreign;
  private final Devices devices;
  private final DeltaTable<RouteRow.Key, RouteRow> table = new DeltaTable<>(PODS_FIRST);
  private final Problems problems = new Problems();
  private final TreeSet<String> reread = new TreeSet<>();

  /** Routes of others with a lower metric than ours to the same destination. */
  private final TreeMap<Prefix, RouteEntry> preferred = new TreeMap<>();

  /** Whether {@link #preferred} is so still, as far as is known. */
  private volatile boolean met;

  /**
   * A driver for the namespace of {@code kernel}.
   *
   * @param kernel closed by whoever opened it
   */
  public RouteDriver(KernelRoutes kernel) {
    this(kernel, _ -> false);
  }

  /**
   * As {@link #RouteDriver(KernelRoutes)}.
   *
   * @param foreign says of which devices that routes want others are the makers: no route is led
   *     there
   */
  public RouteDriver(KernelRoutes kernel, Predicate<String> foreign) {
    this.kernel = kernel;
    this.foreign = foreign;
    this.devices = new Devices(kernel);
  }

  @Override
  public String name() {
    return "routes";
  }

  @Override
  public void want(ProgramDelta delta) {
    for (Change<Prefix, Route> change : delta.routes()) {
      switch (change) {
        case Change.Put<Prefix, Route>(Prefix _, Route route, Optional<Route> _) -> {
          RouteRow row = Lowering.route(route);
          table.want(row.key(), row);
        }
        case Change.Remove<Prefix, Route>(Prefix destination, Route _) -> {
          table.unwant(new RouteRow.Key(destination, Lowering.metric(destination)));
          problems.clear(() -> object(destination));
        }
      }
    }
  }

  @Override
  public ApplyReport resync() throws KernelException {
    devices.replace(kernel.links());
    TreeMap<RouteRow.Key, RouteRow> seen = new TreeMap<>();
    List<RouteEntry> all = readAll();
    for (RouteEntry entry : all) {
      if (entry.protocol() == Marks.ROUTE_PROTOCOL) {
        RouteRow row = RowReader.route(entry, devices::name);
        seen.put(row.key(), row);
      }
    }
    table.seeAll(seen);
    reread.clear();
    meet(all);
    return ApplyReport.of(problems.all());
  }

  private List<RouteEntry> readAll() throws KernelException {
    List<RouteEntry> all = new ArrayList<>();
    met = true; // what changes from here on is told anew
    for (Family family : Family.values()) {
      all.addAll(kernel.routes(RouteFilter.main(family)));
    }
    return all;
  }

  /** Learns which routes of others go before ours: those are said, and ours are not written. */
  private void meet(List<RouteEntry> all) {
    TreeMap<Prefix, RouteEntry> others = new TreeMap<>();
    for (RouteEntry entry : all) {
      int ours = Lowering.metric(entry.destination());
      if (entry.protocol() != Marks.ROUTE_PROTOCOL
          && Integer.compareUnsigned(entry.metric(), ours) < 0) {
        others.put(entry.destination(), entry);
      }
    }
    for (Prefix destination : preferred.keySet()) {
      if (!others.containsKey(destination)) {
        problems.clear(object(destination));
      }
    }
    preferred.clear();
    preferred.putAll(others);
    preferred.forEach((destination, other) -> {
      RouteRow.Key key = new RouteRow.Key(destination, Lowering.metric(destination));
      if (table.wanted(key).isPresent()) {
        problems.put(foreign(destination, other));
      }
    });
  }

  @Override
  public ApplyReport apply(Step step, int most) {
    Problems.Log log = new Problems.Log();
    switch (step) {
      case PUT -> {
        reread();
        put(table.puts(most), log);
      }
      case REMOVE -> remove(table.removes(most), log);
    }
    return log.report(table.pending(), problems);
  }

  @Override
  public void allowSweep() {
    table.allowSweep();
  }

  @Override
  public void retry() {
    table.retry();
  }

  @Override
  public void othersChanged() {
    met = false;
  }

  @Override
  public int pending() {
    return table.pending();
  }

  /**
   * The routes by the device went with it, or are no longer what they were: wanted ones are written
   * again, and of those that are to be removed nothing is assumed.
   */
  @Override
  public void deviceReset(String device) {
    devices.forget(device);
    int doubtful =
        table.unseeIf(row ->
            row.device().filter(device::equals).isPresent() && table.wanted(row.key()).isPresent());
    if (doubtful > 0) {
      reread.add(device);
    }
    table.retry();
  }

  @Override
  public void close() {}

  /** Whether the kernel has the wanted route to {@code destination}, or none as wanted. */
  public boolean settled(Prefix destination) {
    RouteRow.Key key = new RouteRow.Key(destination, Lowering.metric(destination));
    return table.wanted(key).equals(table.seen(key));
  }

  /** What is wrong with the route to {@code destination}. */
  public Optional<Condition> problem(Prefix destination) {
    return problems.of(object(destination));
  }

  /** Learns which of a device's routes still stand, instead of asking by writing each. */
  private void reread() {
    for (String device : List.copyOf(reread)) {
      try {
        OptionalInt index = devices.index(device);
        if (index.isPresent()) {
          for (Family family : Family.values()) {
            RouteFilter ours = RouteFilter.main(family).withProtocol(Marks.ROUTE_PROTOCOL);
            for (RouteEntry entry : kernel.routes(ours.withDevice(index.getAsInt()))) {
              RouteRow row = RowReader.route(entry, devices::name);
              table.see(row.key(), row);
            }
          }
        }
      } catch (KernelException _) {
        // then writing finds out what stands
      }
      reread.remove(device);
    }
  }

  private void put(List<Change.Put<RouteRow.Key, RouteRow>> changes, Problems.Log log) {
    if (!met && !changes.isEmpty()) {
      try {
        meet(readAll());
      } catch (KernelException _) {
        // writing will say what is wrong with the kernel
      }
    }
    List<Change.Put<RouteRow.Key, RouteRow>> sent = new ArrayList<>();
    List<RouteRequest> requests = new ArrayList<>();
    for (var change : changes) {
      RouteEntry other = preferred.get(change.key().destination());
      if (other != null) {
        fail(change.key(), foreign(change.key().destination(), other), null, log);
        continue;
      }
      Optional<RouteEntry> entry = entry(change.value(), log);
      if (entry.isPresent()) {
        sent.add(change);
        requests.add(
            change.was().isPresent()
                ? new RouteRequest.PutRoute(entry.get())
                : new RouteRequest.CreateRoute(entry.get()));
      }
    }
    List<Change.Put<RouteRow.Key, RouteRow>> taken = settle(sent, requests, log);
    if (!taken.isEmpty()) {
      putWhereTaken(taken, log);
    }
  }

  /** Sends, and returns those whose key something else holds. */
  private List<Change.Put<RouteRow.Key, RouteRow>> settle(
      List<Change.Put<RouteRow.Key, RouteRow>> sent,
      List<RouteRequest> requests,
      Problems.Log log) {
    List<Change.Put<RouteRow.Key, RouteRow>> taken = new ArrayList<>();
    List<Outcome> outcomes = send(requests, log);
    for (int i = 0; i < outcomes.size(); i++) {
      var change = sent.get(i);
      switch (outcomes.get(i)) {
        case Outcome.Settled settled when settled == Outcome.Settled.ALREADY_THERE ->
            taken.add(change);
        case Outcome.Settled _ -> {
          table.done(change);
          problems.clear(() -> object(change.key().destination()));
          log.done("put", change.value());
        }
        case Outcome.Failed(KernelException cause) -> {
          if (cause instanceof KernelException.NotFound) {
            change.value().device().ifPresent(devices::forget);
          }
          fail(
              change.key(),
              Problems.refused(object(change.key().destination()), cause),
              cause,
              log);
        }
      }
    }
    return taken;
  }

  /** Reads back what is there: ours is replaced where it differs, foreign is left alone. */
  private void putWhereTaken(List<Change.Put<RouteRow.Key, RouteRow>> taken, Problems.Log log) {
    List<Change.Put<RouteRow.Key, RouteRow>> sent = new ArrayList<>();
    List<RouteRequest> requests = new ArrayList<>();
    try {
      TreeMap<RouteRow.Key, RouteEntry> there = new TreeMap<>();
      for (Family family : Family.values()) {
        if (taken.stream().anyMatch(change -> change.key().destination().family() == family)) {
          for (RouteEntry entry : kernel.routes(RouteFilter.main(family))) {
            there.putIfAbsent(new RouteRow.Key(entry.destination(), entry.metric()), entry);
          }
        }
      }
      for (var change : taken) {
        RouteEntry found = there.get(change.key());
        Optional<RouteEntry> entry = entry(change.value(), log);
        if (entry.isEmpty()) {
          continue; // said by entry()
        }
        if (found != null && found.protocol() != Marks.ROUTE_PROTOCOL) {
          fail(change.key(), foreign(change.key().destination(), found), null, log);
        } else if (found == null) {
          table.retry(); // gone meanwhile: the next cycle makes it
        } else {
          RouteRow row = RowReader.route(found, devices::name);
          table.see(row.key(), row);
          if (!row.equals(change.value())) {
            sent.add(change);
            requests.add(new RouteRequest.PutRoute(entry.get()));
          }
        }
      }
    } catch (KernelException e) {
      taken.forEach(change ->
          fail(change.key(), Problems.refused(object(change.key().destination()), e), e, log));
      return;
    }
    if (!requests.isEmpty()) {
      settle(sent, requests, log);
    }
  }

  private void remove(List<Change.Remove<RouteRow.Key, RouteRow>> changes, Problems.Log log) {
    List<RouteRequest> requests = new ArrayList<>();
    for (var change : changes) {
      RouteRow was = change.was();
      requests.add(
          new RouteRequest.DeleteRoute(
              deletable(was.destination(), was.type(), was.scope(), was.metric())));
    }
    List<Outcome> outcomes = send(requests, log);
    for (int i = 0; i < outcomes.size(); i++) {
      var change = changes.get(i);
      switch (outcomes.get(i)) {
        case Outcome.Settled _ -> {
          table.done(change);
          doubt(change.key());
          problems.clear(() -> object(change.key().destination()));
          log.done("remove", change.was());
        }
        case Outcome.Failed(KernelException cause) ->
            fail(
                change.key(),
                Problems.refused(object(change.key().destination()), cause),
                cause,
                log);
      }
    }
  }

  /**
   * IPv4's removal without a metric takes the route of another metric when its own has gone
   * meanwhile: what should be there is written again, which costs nothing where it stands.
   */
  private void doubt(RouteRow.Key removed) {
    RouteRow.Key ours =
        new RouteRow.Key(removed.destination(), Lowering.metric(removed.destination()));
    if (removed.metric() == 0 && !ours.equals(removed)) {
      table.unsee(ours);
    }
  }

  /** Names a route of ours and no way of it, as a removal wants it. */
  static RouteEntry deletable(RouteEntry route) {
    return deletable(route.destination(), route.type(), route.scope(), route.metric());
  }

  private static RouteEntry deletable(Prefix destination, RouteType type, int scope, int metric) {
    return new RouteEntry(
        destination,
        Rtnl.TABLE_MAIN,
        Marks.ROUTE_PROTOCOL,
        type,
        scope,
        metric,
        Optional.empty(),
        0,
        Optional.empty(),
        0,
        0,
        List.of(),
        0,
        "");
  }

  private List<Outcome> send(List<RouteRequest> requests, Problems.Log log) {
    if (requests.isEmpty()) {
      return List.of();
    }
    log.sent(requests.size());
    try {
      return kernel.apply(name(), requests);
    } catch (KernelException e) {
      return requests.stream().<Outcome>map(_ -> new Outcome.Failed(e)).toList();
    }
  }

  private Optional<RouteEntry> entry(RouteRow row, Problems.Log log) {
    RouteEntry entry = RouteEntry.to(row.destination());
    if (row.device().isPresent()) {
      String device = row.device().get();
      if (foreign.test(device)) {
        fail(row.key(), foreignDevice(row.destination(), device), null, log);
        return Optional.empty();
      }
      try {
        OptionalInt index = devices.index(device);
        if (index.isEmpty()) {
          fail(row.key(), Problems.noDevice(object(row.destination()), device), null, log);
          return Optional.empty();
        }
        entry = entry.withDevice(index.getAsInt());
      } catch (KernelException e) {
        fail(row.key(), Problems.refused(object(row.destination()), e), e, log);
        return Optional.empty();
      }
    }
    if (row.gateway().isPresent()) {
      entry = entry.withGateway(row.gateway().get());
    }
    if (row.source().isPresent()) {
      entry = entry.withSource(row.source().get());
    }
    if (row.onlink()) {
      entry = entry.withOnlink();
    }
    return Optional.of(
        (row.type() == RouteType.UNICAST ? entry : entry.withType(row.type()))
            .withMetric(row.metric())
            .withMtu(row.mtu())
            .withProtocol(Marks.ROUTE_PROTOCOL));
  }

  private void fail(
      RouteRow.Key key,
      Condition condition,
      @org.jspecify.annotations.Nullable KernelException cause,
      Problems.Log log) {
    table.hold(key);
    problems.put(condition);
    log.failed(condition, Optional.ofNullable(cause));
  }

  private static Condition foreignDevice(Prefix destination, String device) {
    return new Condition(
        Reason.FOREIGN_OBJECT,
        object(destination),
        "dev",
        "The device " + device + " was not made by Sund, so no route leads there.",
        "Remove or rename it: ip link delete " + device + ".");
  }

  private Condition foreign(Prefix destination, RouteEntry found) {
    return new Condition(
        Reason.FOREIGN_OBJECT,
        object(destination),
        "",
        "A route that Sund did not make is in its place: "
            + RowReader.route(found, devices::name)
            + " proto "
            + found.protocol()
            + ". It is left alone.",
        "Remove that route, or give the pods another range.");
  }

  private static ObjectRef object(Prefix destination) {
    return new ObjectRef("route", destination.toString());
  }
}
