package dev.sund.agent.apply;

import dev.sund.agent.log.Log;
import dev.sund.dataplane.nft.BridgeTableDriver;
import dev.sund.dataplane.nft.ForwardDriver;
import dev.sund.dataplane.nft.NftDriver;
import dev.sund.dataplane.nft.PolicyDriver;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.nft.NftEvent;
import dev.sund.kernel.nft.NftFamily;
import dev.sund.kernel.nft.NftMonitor;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.RouteEvent;
import dev.sund.kernel.route.RouteMonitor;
import dev.sund.model.Marks;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntPredicate;

/**
 * Listens to the kernel: what changed that was not us. Two platform threads, {@code sund-monitor}
 * for routes and devices and {@code sund-nft-monitor} for nf_tables.
 *
 * <p>Opened before the state is read for the first time, so that nothing falls between; what comes
 * meanwhile waits in the sockets.
 */
public final class DriftMonitor implements AutoCloseable {

  /** Takes what was heard; must not wait. */
  public interface Listener {
    /**
     * Parts of what is ours may have drifted; {@code cause} is {@code event} or {@code overflow}.
     */
    void drifted(Set<String> parts, String cause);

    /** Something that Sund did not make changed. */
    void factsMayHaveChanged();

    /** The node lost an address of its own: connections from it are dead without a word. */
    void addressGone();
  }

  private static final Set<String> TABLES = Set.of(Marks.TABLE, Marks.POLICY_TABLE);

  private static final Set<NftFamily> FAMILIES = Set.of(NftFamily.INET, NftFamily.BRIDGE);

  private final RouteMonitor routes;
  private final NftMonitor nft;
  private final DriftFilter filter;
  private final Listener listener;
  private final Log log;
  private boolean touched;
  private boolean policiesTouched;
  private boolean framesTouched;
  private boolean othersTouched;

  private DriftMonitor(
      RouteMonitor routes, NftMonitor nft, DriftFilter filter, Listener listener, Log log) {
    this.routes = routes;
    this.nft = nft;
    this.filter = filter;
    this.listener = listener;
    this.log = log;
  }

  /**
   * Subscribes.
   *
   * @param own the ports of the sockets by which we change nf_tables
   * @param listener called on the monitor's threads
   */
  static DriftMonitor open(
      NetNs namespace, DriftFilter filter, IntPredicate own, Listener listener, Log log)
      throws KernelException {
    RouteMonitor routes = RouteMonitor.open(namespace);
    try {
      return new DriftMonitor(
          routes,
          NftMonitor.openFor(namespace, FAMILIES, TABLES, ForwardDriver::mayDecide, own),
          filter,
          listener,
          log);
    } catch (KernelException | RuntimeException e) {
      routes.close();
      throw e;
    }
  }

  /** Begins to listen. Not from inside a namespace: the threads belong to the caller's. */
  void start(List<Link> devices) {
    filter.devices(devices);
    routes.start(Marks.THREAD_PREFIX + "monitor", this::routeEvent);
    nft.start(
        Marks.THREAD_PREFIX + "nft-monitor",
        new NftMonitor.Sink() {
          @Override
          public void event(NftEvent event) {
            nftEvent(event);
          }

          @Override
          public void resync(String why) {
            log.warn("nf_tables events were lost", "why", why);
            listener.drifted(
                Set.of(
                    NftDriver.NAME, PolicyDriver.NAME, BridgeTableDriver.NAME, ForwardDriver.NAME),
                "overflow");
          }
        });
  }

  @Override
  public void close() {
    nft.close();
    routes.close();
  }

  private void routeEvent(RouteEvent event) {
    DriftFilter.Verdict verdict = filter.judge(event);
    if (verdict.isNothing()) {
      return;
    }
    boolean lost = event instanceof RouteEvent.Resync;
    if (lost) {
      log.warn("route events were lost", "why", event);
    } else {
      log.debug("the kernel changed", "parts", verdict.parts(), "event", event);
    }
    if (!verdict.parts().isEmpty()) {
      listener.drifted(verdict.parts(), lost ? "overflow" : "event");
    }
    if (verdict.facts()) {
      listener.factsMayHaveChanged();
      if (event instanceof RouteEvent.AddressGone) {
        listener.addressGone();
      }
    }
  }

  /** A transaction's objects come first, then who committed it. */
  private void nftEvent(NftEvent event) {
    switch (event) {
      case NftEvent.TableChanged changed ->
          touched |= ours(changed.table().family(), changed.table().name());
      case NftEvent.ChainChanged changed ->
          touched |= ours(changed.chain().family(), changed.chain().table());
      case NftEvent.RuleChanged changed ->
          touched |= ours(changed.rule().family(), changed.rule().table());
      case NftEvent.SetChanged changed ->
          touched |= ours(changed.set().family(), changed.set().table());
      case NftEvent.ElementsChanged changed -> touched |= ours(changed.family(), changed.table());
      case NftEvent.Other _ -> {
        // a kind that no table of ours has
      }
      case NftEvent.Committed committed -> {
        Set<String> parts = new TreeSet<>();
        if (touched) {
          parts.add(NftDriver.NAME);
        }
        if (policiesTouched) {
          parts.add(PolicyDriver.NAME);
        }
        if (framesTouched) {
          parts.add(BridgeTableDriver.NAME);
        }
        if (othersTouched) {
          parts.add(ForwardDriver.NAME);
        }
        if (!parts.isEmpty()) {
          log.debug("the rules changed", "by", committed.generation());
          listener.drifted(parts, "event");
        }
        touched = false;
        policiesTouched = false;
        framesTouched = false;
        othersTouched = false;
      }
    }
  }

  /** Whether it is our table of translations; notes that another changed. */
  private boolean ours(NftFamily family, String table) {
    boolean ours = family == NftFamily.INET && table.equals(Marks.TABLE);
    boolean policies = family == NftFamily.INET && table.equals(Marks.POLICY_TABLE);
    boolean frames = family == NftFamily.BRIDGE && table.equals(Marks.POLICY_TABLE);
    policiesTouched |= policies;
    framesTouched |= frames;
    othersTouched |= !ours && !policies && !frames;
    return ours;
  }
}
