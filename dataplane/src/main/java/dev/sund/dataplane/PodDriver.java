package dev.sund.dataplane;

import dev.sund.dataplane.rows.Lowering;
import dev.sund.dataplane.rows.PodRow;
import dev.sund.engine.program.Change;
import dev.sund.engine.program.LocalPod;
import dev.sund.engine.program.ProgramDelta;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.LinkKind;
import dev.sund.kernel.route.LinkSetting;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.model.Condition;
import dev.sund.model.Family;
import dev.sund.model.Marks;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Writes pods' links: both ends with their addresses, neighbours and the routes inside the pod.
 *
 * <p><b>How does a restarted agent know that a device is ours?</b> By its link group {@link
 * Marks#GROUP_PODS}, which it has from the message that makes it, or the first word of its ifalias.
 * Any other device of our name, or of the pod's interface's name inside the pod, is left alone and
 * said ({@link Reason#FOREIGN_OBJECT}).
 *
 * <p><b>What happens to packets if we die right here?</b> A new pod's link is complete before its
 * host route is written, so nobody can reach a half-made one; a restarted agent finds the half and
 * completes it. A pod that stands has its values changed one by one, each in one message. A pod
 * that goes loses its routes first, then both ends go down and get other names and {@link
 * Marks#GROUP_DOOMED}, so that both names are free at once; a {@link Reaper} deletes the group.
 */
public final class PodDriver implements Driver {
  /** RFC 8200: a device with less has no IPv6 at all. */
  static final int MIN_MTU_V6 = 1280;

  private static final String DEFAULT_NAME = "eth0";

  private final KernelRoutes kernel;
  private final PodSide podSide;
  private final DeltaTable<String, PodRow> table = new DeltaTable<>();
  private final Map<String, LocalPod> pods = new HashMap<>();
  private final Map<String, Place> places = new HashMap<>();

  private final Problems problems = new Problems();

  /**
   * Where a pod's end of the link is.
   *
   * @param namespace the path of the pod's network namespace
   * @param interfaceName the device's name in it
   */
  public record Place(Path namespace, String interfaceName) {}

  /**
   * A driver for the namespace of {@code kernel}.
   *
   * @param kernel closed by whoever opened it
   */
  public PodDriver(KernelRoutes kernel) {
    this.kernel = kernel;
    this.podSide = new PodSide(kernel, name());
  }

  @Override
  public String name() {
    return "pods";
  }

  /**
   * Says where the pod of {@code device} is. To be told before the device is wanted; another place
   * for a device that stands means that the pod has a new sandbox, and the link is made anew.
   */
  public void place(String device, Place place) {
    Place before = places.put(device, place);
    if (before != null && !before.equals(place)) {
      // The old link is in another namespace: it goes, and its name is free for the new one.
      table.seen(device).ifPresent(old -> doom(device, Optional.of(before)));
      table.unsee(device);
    }
    LocalPod pod = pods.get(device);
    if (pod != null) {
      table.want(device, Lowering.pod(pod, place.interfaceName()));
    }
  }

  /** Forgets where the pod of {@code device} was. After its link is gone. */
  public void forget(String device) {
    places.remove(device);
  }

  /** Whether the kernel has the pod's link as wanted, or none as wanted. */
  public boolean settled(String device) {
    return table.wanted(device).equals(table.seen(device));
  }

  /** What is wrong with the pod's link. */
  public Optional<Condition> problem(String device) {
    return problems.of(object(device));
  }

  @Override
  public void want(ProgramDelta delta) {
    for (Change<String, LocalPod> change : delta.localPods()) {
      switch (change) {
        case Change.Put<String, LocalPod>(String device, LocalPod pod, Optional<LocalPod> _) -> {
          pods.put(device, pod);
          Place place = places.get(device);
          table.want(
              device, Lowering.pod(pod, place == null ? DEFAULT_NAME : place.interfaceName()));
        }
        case Change.Remove<String, LocalPod>(String device, LocalPod _) -> {
          pods.remove(device);
          table.unwant(device);
          problems.clear(object(device));
        }
      }
    }
  }

  @Override
  public ApplyReport resync() throws KernelException {
    TreeMap<String, PodRow> seen = new TreeMap<>();
    List<Neighbour> neighbours = new ArrayList<>();
    for (Family family : Family.values()) {
      neighbours.addAll(kernel.neighbours(family, 0));
    }
    for (Link link : kernel.links()) {
      if (RowReader.isPodLink(link)) {
        PodRow row = new PodRow(link.name(), RowReader.host(link, neighbours), Optional.empty());
        Optional<PodRow> wanted = table.wanted(link.name());
        Place place = places.get(link.name());
        seen.put(
            link.name(),
            wanted.isEmpty()
                ? row
                : place == null
                    ? row.withInsideOf(wanted.get())
                    : readInside(row, wanted.get(), link, place));
      }
    }
    table.seeAll(seen);
    return ApplyReport.of(problems.all());
  }

  /**
   * A pod's end whose namespace is gone, or that is not in it, counts as missing. One that could
   * not be read for another reason counts as right: to make a link anew on a guess would cut a pod
   * off.
   */
  private PodRow readInside(PodRow row, PodRow wanted, Link link, Place place) {
    try (KernelRoutes.Inside inside = kernel.enter(place.namespace())) {
      PodRow whole = new PodRow(row.device(), row.host(), podSide.read(inside, link));
      problems.clear(object(row.device()));
      return whole;
    } catch (KernelException e) {
      problems.put(unreachable(row.device(), place, e));
      return isGone(place, e) ? row : row.withInsideOf(wanted);
    }
  }

  private static boolean isGone(Place place, KernelException e) {
    return e instanceof KernelException.NotFound && e.object().equals(place.namespace().toString());
  }

  @Override
  public ApplyReport apply(Step step, int most) {
    Problems.Log log = new Problems.Log();
    switch (step) {
      case PUT -> table.puts(most).forEach(change -> put(change, log));
      case REMOVE -> table.removes(most).forEach(change -> remove(change, log));
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
  public int pending() {
    return table.pending();
  }

  @Override
  public void close() {}

  private void put(Change.Put<String, PodRow> change, Problems.Log log) {
    String device = change.key();
    Place place = places.get(device);
    if (place == null) {
      fail(device, nowhere(device), null, log);
      return;
    }
    try (KernelRoutes.Inside inside = kernel.enter(place.namespace())) {
      Optional<PodRow> was = change.was();
      if (was.isPresent() && was.get().inside().isEmpty()) {
        // Our end stands but its other end is not in the pod's namespace: another sandbox's.
        doom(device, Optional.empty());
        was = Optional.empty();
      }
      if (was.isEmpty()) {
        create(change.value(), inside, log);
      } else {
        adjust(change.value(), was.get(), inside, log);
      }
      table.see(device, change.value());
      problems.clear(object(device));
      log.done(was.isEmpty() ? "make" : "change", change.value());
    } catch (Taken taken) {
      fail(device, taken.condition, null, log);
    } catch (KernelException e) {
      Condition condition =
          isGone(place, e) ? unreachable(device, place, e) : Problems.refused(object(device), e);
      resee(device); // which finds nothing wrong with what it can read: the failure comes after
      fail(device, condition, e, log);
    }
  }

  private void create(PodRow row, KernelRoutes.Inside inside, Problems.Log log)
      throws KernelException, Taken {
    PodRow.InsideSide side = row.inside().orElseThrow();
    List<LinkSetting> settings =
        new ArrayList<>(
            List.of(
                new LinkSetting.Address(row.host().mac()),
                new LinkSetting.Mtu(row.host().mtu()),
                new LinkSetting.Group(row.host().group()),
                new LinkSetting.Alias(row.host().alias())));
    if (row.host().mtu() >= MIN_MTU_V6) {
      settings.add(new LinkSetting.LinkLocal(false));
    }
    RouteRequest create =
        new RouteRequest.CreateLink(
            row.device(),
            0,
            new LinkKind.Veth(
                side.name(), Optional.of(side.mac()), side.mtu(), 0, inside.descriptor()),
            settings);
    log.sent(1);
    Outcome outcome = kernel.apply(name(), List.of(create)).getFirst();
    outcome.orThrow();
    Optional<Link> host = kernel.link(row.device());
    if (outcome == Outcome.ALREADY_THERE) {
      throw new Taken(
          host.isPresent() ? foreignDevice(row.device()) : foreignInside(row.device(), side));
    }
    Link link = host.orElseThrow(() -> vanished(row.device()));
    log.sent(podSide.write(inside, link, side, Optional.empty()));
    // Our end goes up last: one that is up while its other end is down has no carrier, and the
    // kernel waits for RCU before it says so.
    List<RouteRequest> rest = new ArrayList<>();
    rest.add(
        new RouteRequest.SetLink(
            link.index(), row.device(), List.of(new LinkSetting.Up(row.host().up()))));
    neighbours(link.index(), row.host(), Optional.empty(), rest);
    send(rest, log);
    await(inside, link, side);
    log.reset(row.device());
  }

  /** Changes what differs, both ends' devices first: what goes down loses what hangs on it. */
  private void adjust(PodRow row, PodRow was, KernelRoutes.Inside inside, Problems.Log log)
      throws KernelException {
    Link link = kernel.link(row.device()).orElseThrow(() -> vanished(row.device()));
    PodRow.HostSide want = row.host();
    PodRow.HostSide have = was.host();
    List<LinkSetting> settings = new ArrayList<>();
    if (!want.mac().equals(have.mac())) {
      settings.add(new LinkSetting.Address(want.mac()));
    }
    if (want.mtu() != have.mtu()) {
      settings.add(new LinkSetting.Mtu(want.mtu()));
    }
    if (want.group() != have.group()) {
      settings.add(new LinkSetting.Group(want.group()));
    }
    if (!want.alias().equals(have.alias())) {
      settings.add(new LinkSetting.Alias(want.alias()));
    }
    if (want.up() != have.up()) {
      settings.add(new LinkSetting.Up(want.up()));
    }
    if (!settings.isEmpty()) {
      send(List.of(new RouteRequest.SetLink(link.index(), row.device(), settings)), log);
    }
    if (!row.inside().equals(was.inside())) {
      log.sent(podSide.write(inside, link, row.inside().orElseThrow(), was.inside()));
    }
    // The kernel forgets the neighbours of a device that gets another address or goes down.
    boolean forgotten = !want.mac().equals(have.mac()) || !have.up();
    writeNeighbours(link.index(), want, forgotten ? Optional.empty() : Optional.of(have), log);
    if (want.up() != have.up()) {
      log.reset(row.device());
    }
    if (!row.inside().equals(was.inside()) || !have.up()) {
      await(inside, link, row.inside().orElseThrow());
    }
  }

  /**
   * Waits until both ends carry packets. Of two ends that go up, the kernel lets the first send
   * only after a moment, on a thread of its own, and drops what comes before: a first packet would
   * be lost, and come again a second later.
   */
  private void await(KernelRoutes.Inside inside, Link link, PodRow.InsideSide side)
      throws KernelException {
    PodSide.awaitCarrier(kernel, link.index());
    PodSide.await(inside, link.lower(), side);
  }

  private void writeNeighbours(
      int index, PodRow.HostSide want, Optional<PodRow.HostSide> have, Problems.Log log)
      throws KernelException {
    List<RouteRequest> requests = new ArrayList<>();
    neighbours(index, want, have, requests);
    send(requests, log);
  }

  private static void neighbours(
      int index,
      PodRow.HostSide want,
      Optional<PodRow.HostSide> have,
      List<RouteRequest> requests) {
    want.neighbours()
        .forEach((ip, mac) -> {
          if (!mac.equals(have.map(side -> side.neighbours().get(ip)).orElse(null))) {
            requests.add(new RouteRequest.PutNeighbour(Neighbour.permanent(index, ip, mac)));
          }
        });
    have.ifPresent(side ->
        side.neighbours()
            .forEach((ip, mac) -> {
              if (!want.neighbours().containsKey(ip)) {
                requests.add(new RouteRequest.DeleteNeighbour(Neighbour.permanent(index, ip, mac)));
              }
            }));
  }

  private void remove(Change.Remove<String, PodRow> change, Problems.Log log) {
    String device = change.key();
    try {
      Optional<Link> link = kernel.link(device);
      if (link.isPresent() && RowReader.isPodLink(link.get())) {
        log.sent(podSide.doom(link.get(), Optional.ofNullable(places.get(device))));
      }
      table.done(change);
      problems.clear(object(device));
      log.done("remove pod-link " + device);
    } catch (KernelException e) {
      fail(device, Problems.refused(object(device), e), e, log);
    }
  }

  private void doom(String device, Optional<Place> place) {
    try {
      Optional<Link> link = kernel.link(device);
      if (link.isPresent() && RowReader.isPodLink(link.get())) {
        podSide.doom(link.get(), place);
      }
    } catch (KernelException e) {
      problems.put(Problems.refused(object(device), e)); // the new link will find the name taken
    }
  }

  /** After a failure in the middle nobody knows what stands: read it when it is tried again. */
  private void resee(String device) {
    try {
      Optional<Link> link = kernel.link(device);
      if (link.isEmpty()) {
        table.unsee(device);
      } else if (RowReader.isPodLink(link.get())) {
        List<Neighbour> neighbours = new ArrayList<>();
        for (Family family : Family.values()) {
          neighbours.addAll(kernel.neighbours(family, link.get().index()));
        }
        Place place = places.get(device);
        PodRow row = new PodRow(device, RowReader.host(link.get(), neighbours), Optional.empty());
        Optional<PodRow> wanted = table.wanted(device);
        table.see(
            device,
            place == null || wanted.isEmpty()
                ? row
                : readInside(row, wanted.get(), link.get(), place));
      }
      table.hold(device);
    } catch (KernelException _) {
      table.hold(device); // the failure itself has been said
    }
  }

  private void send(List<RouteRequest> requests, Problems.Log log) throws KernelException {
    if (!requests.isEmpty()) {
      log.sent(requests.size());
      for (Outcome outcome : kernel.apply(name(), requests)) {
        outcome.orThrow();
      }
    }
  }

  private void fail(
      String device, Condition condition, @Nullable KernelException cause, Problems.Log log) {
    table.hold(device);
    problems.put(condition);
    log.failed(condition, Optional.ofNullable(cause));
  }

  /** Something that is not ours has the name. */
  private static final class Taken extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient Condition condition;

    Taken(Condition condition) {
      super(condition.text());
      this.condition = condition;
    }
  }

  private static KernelException vanished(String device) {
    return dev.sund.kernel.Errno.exception(
        "find link",
        device,
        dev.sund.kernel.Errno.ENODEV.number(),
        "",
        dev.sund.kernel.Capability.NET_ADMIN);
  }

  private static Condition foreignDevice(String device) {
    return new Condition(
        Reason.FOREIGN_OBJECT,
        object(device),
        "",
        "A device of this name is on the node that Sund did not make. It is left alone, and the pod"
            + " has no network.",
        "Remove or rename it: ip link delete " + device + ".");
  }

  private Condition foreignInside(String device, PodRow.InsideSide side) {
    Place place = places.get(device);
    return new Condition(
        Reason.FOREIGN_OBJECT,
        object(device),
        "ifname",
        "The pod's namespace "
            + (place == null ? "" : place.namespace() + " ")
            + "has a device "
            + side.name()
            + " already. It is left alone.",
        "Delete that network first (CNI DEL), or use another interface name.");
  }

  private static Condition unreachable(String device, Place place, KernelException cause) {
    return new Condition(
        Reason.DRIFT_MISSING,
        object(device),
        "netns",
        cause instanceof KernelException.NotFound
            ? "The pod's network namespace " + place.namespace() + " is gone, and its link with it."
            : "The pod's network namespace "
                + place.namespace()
                + " cannot be read: "
                + cause.getMessage()
                + ".",
        "It is tried again; if it stays, delete the pod.");
  }

  private static Condition nowhere(String device) {
    return new Condition(
        Reason.DRIFT_MISSING,
        object(device),
        "netns",
        "The pod has no link, and nobody said where its network namespace is.",
        "Have the runtime attach it again: delete the pod.");
  }

  private static ObjectRef object(String device) {
    return new ObjectRef("pod-link", device);
  }
}
