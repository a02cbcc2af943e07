package dev.sund.agent.drops;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.agent.log.Log;
import dev.sund.dataplane.nft.DropSite;
import dev.sund.engine.DropNames;
import dev.sund.engine.DroppedPacket;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.netlink.Buffers;
import dev.sund.kernel.nflog.LoggedPacket;
import dev.sund.kernel.nflog.PacketHead;
import dev.sund.kernel.nflog.PacketLog;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.model.RuleId.Direction;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Takes what the log shows, and has it named by the engine, some packets at once: the engine has
 * other work, and a packet is joined with the program of nearly the moment at which it was dropped.
 * On the log's own thread.
 */
final class DropReader implements PacketLog.Sink {
  private static final int AT_ONCE = 64;
  private static final int MOST_DEVICES = 1_000;
  private static final long PAUSE_NANOS = Duration.ofMillis(50).toNanos();
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private final NetNs namespace;
  private final ApplyLoop loop;
  private final DropRing ring;
  private final DropTally tally;
  private final Consumer<String> failed;
  private final Log log;
  private final Map<Integer, String> devices = new HashMap<>();
  private final List<Shown> waiting = new ArrayList<>();

  private record Shown(Instant time, DroppedPacket packet, int sourcePort, int bytes) {}

  DropReader(
      NetNs namespace,
      ApplyLoop loop,
      DropRing ring,
      DropTally tally,
      Consumer<String> failed,
      Log log) {
    this.namespace = namespace;
    this.loop = loop;
    this.ring = ring;
    this.tally = tally;
    this.failed = failed;
    this.log = log;
  }

  @Override
  public void packet(LoggedPacket shown) {
    tally.told();
    Optional<DropSite> at = DropSite.ofPrefix(shown.prefix());
    if (shown.head().isEmpty() || at.isEmpty()) {
      return; // nothing to tell of it
    }
    PacketHead head = shown.head().get();
    DropSite site = at.get();
    waiting.add(
        new Shown(
            Instant.now().truncatedTo(ChronoUnit.MILLIS),
            new DroppedPacket(
                site.direction(),
                site.reason(),
                device(site, shown),
                head.source(),
                head.destination(),
                head.protocol(),
                head.destinationPort(),
                shown
                    .connection()
                    .filter(tuple ->
                        !tuple.destination().equals(head.destination())
                            || tuple.destinationPort() != head.destinationPort())
                    .map(tuple ->
                        new DroppedPacket.Asked(tuple.destination(), tuple.destinationPort()))),
            head.sourcePort(),
            head.bytes()));
    if (waiting.size() >= AT_ONCE) {
      name();
    }
  }

  /** Where policies were not asked, and the receiver is meant, it is known by its device. */
  private String device(DropSite site, LoggedPacket shown) {
    boolean out = site.reason().isPresent() && site.direction() == Direction.INGRESS;
    int port = out ? shown.outPort() : shown.inPort();
    return device(port != 0 ? port : out ? shown.outDevice() : shown.inDevice());
  }

  @Override
  public void lost(long packets) {
    tally.lost(packets);
  }

  @Override
  public void drained() {
    name();
    LockSupport.parkNanos(PAUSE_NANOS); // what comes meanwhile is named together
  }

  @Override
  public void failed(String why) {
    failed.accept(why);
  }

  private void name() {
    if (waiting.isEmpty()) {
      return;
    }
    List<Shown> some = List.copyOf(waiting);
    waiting.clear();
    try {
      ring.add(
          loop.ask(
              compiler -> {
                DropNames names = compiler.drops();
                List<DropEvent> events = new ArrayList<>(some.size());
                for (Shown one : some) {
                  events.add(
                      new DropEvent(
                          0,
                          one.time(),
                          one.packet(),
                          one.sourcePort(),
                          one.bytes(),
                          names.story(one.packet())));
                }
                return events;
              },
              PATIENCE));
    } catch (TimeoutException _) {
      log.warn("dropped packets are not told: the engine is busy", "packets", some.size());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      log.error("dropped packets cannot be named", "error", e.toString());
    }
  }

  /** A device's name by its number; empty when it is gone. */
  private String device(int index) {
    if (index == 0) {
      return "";
    }
    String known = devices.get(index);
    if (known == null) {
      if (devices.size() >= MOST_DEVICES) {
        devices.clear();
      }
      known = read(index);
      devices.put(index, known);
    }
    return known;
  }

  private String read(int index) {
    try (RouteSocket routes = RouteSocket.open(namespace, Buffers.SMALL)) {
      return routes.link(index).map(Link::name).orElse("");
    } catch (KernelException e) {
      log.debug("a device has no name", "number", index, "why", String.valueOf(e.getMessage()));
      return "";
    }
  }
}
