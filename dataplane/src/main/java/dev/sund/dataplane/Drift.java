package dev.sund.dataplane;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteEvent;
import dev.sund.kernel.route.Rtnl;
import dev.sund.model.Marks;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Says of each event of the kernel whether something of ours is not as it was written, or something
 * that our program depends on has changed. Cheap: it looks into the drivers' tables, and asks the
 * kernel only about a device that seems to differ.
 *
 * <p>What we wrote ourselves is in the tables by the time that its event is judged, since events
 * are judged on the dataplane thread, after the cycle; so our own changes are no drift. What
 * happens inside pods' namespaces is not heard of: full resyncs find it.
 */
public final class Drift {
  private final KernelRoutes kernel;
  private final RouteDriver routes;
  private final TunnelDriver tunnels;
  private final PodDriver pods;
  private final Map<Integer, Boolean> carrier = new HashMap<>();

  /** What an event may have changed. */
  public enum Part {
    /** {@link RouteDriver}. */
    ROUTES("routes"),
    /** {@link TunnelDriver}. */
    TUNNELS("tunnels"),
    /** {@link PodDriver}. */
    PODS("pods"),
    /** What {@link FactsReader} reads. */
    FACTS("facts");

    private final String label;

    Part(String label) {
      this.label = label;
    }

    /** The driver's name, or {@code facts}. */
    public String label() {
      return label;
    }
  }

  /** A judge over these drivers, which read the same namespace as {@code kernel}. */
  public Drift(KernelRoutes kernel, RouteDriver routes, TunnelDriver tunnels, PodDriver pods) {
    this.kernel = kernel;
    this.routes = routes;
    this.tunnels = tunnels;
    this.pods = pods;
  }

  /** What has to be read again because of this event; empty for what is as we know it. */
  public Set<Part> judge(RouteEvent event) {
    Set<Part> parts = EnumSet.noneOf(Part.class);
    switch (event) {
      case RouteEvent.Resync _ -> parts.addAll(EnumSet.allOf(Part.class));
      case RouteEvent.LinkChanged(Link link) -> linkChanged(link, parts);
      case RouteEvent.LinkGone(Link link) -> linkGone(link, parts);
      case RouteEvent.AddressChanged(var address) ->
          parts.add(isTunnel(address.device()) ? Part.TUNNELS : Part.FACTS);
      case RouteEvent.AddressGone(var address) -> {
        // Routes that prefer it as their source go with it, without a word.
        parts.add(Part.ROUTES);
        parts.add(isTunnel(address.device()) ? Part.TUNNELS : Part.FACTS);
      }
      case RouteEvent.RouteChanged(RouteEntry route, boolean _) -> route(route, true, parts);
      case RouteEvent.RouteGone(RouteEntry route) -> route(route, false, parts);
      case RouteEvent.NeighbourChanged(var neighbour) -> {
        if (tunnels.differs(neighbour, true)) {
          parts.add(Part.TUNNELS);
        }
        if (pods.differs(neighbour, true)) {
          parts.add(Part.PODS);
        }
      }
      case RouteEvent.NeighbourGone(var neighbour) -> {
        if (tunnels.differs(neighbour, false)) {
          parts.add(Part.TUNNELS);
        }
        if (pods.differs(neighbour, false)) {
          parts.add(Part.PODS);
        }
      }
      case RouteEvent.FdbChanged(var entry) -> {
        if (tunnels.differs(entry, true)) {
          parts.add(Part.TUNNELS);
        }
      }
      case RouteEvent.FdbGone(var entry) -> {
        if (tunnels.differs(entry, false)) {
          parts.add(Part.TUNNELS);
        }
      }
      case RouteEvent.RuleChanged _, RouteEvent.RuleGone _ -> {
        // Sund has no rules.
      }
    }
    return parts;
  }

  private boolean isTunnel(int device) {
    return tunnels.deviceName(device).isPresent();
  }

  private void route(RouteEntry route, boolean there, Set<Part> parts) {
    if (route.table() != Rtnl.TABLE_MAIN) {
      return;
    }
    if (route.protocol() != Marks.ROUTE_PROTOCOL) {
      parts.add(Part.FACTS);
    }
    if (routes.differs(route, there)) {
      parts.add(Part.ROUTES);
    }
  }

  private void linkChanged(Link link, Set<Part> parts) {
    boolean up = link.isUp() && link.hasCarrier();
    Boolean before = carrier.put(link.index(), up);
    Part owner = owner(link);
    if (owner == Part.FACTS) {
      parts.add(Part.FACTS);
      if (before == null ? !up : before != up) {
        parts.add(Part.ROUTES); // down took its routes without a word; up lets them be made again
        parts.add(Part.TUNNELS);
      }
      return;
    }
    try {
      // An event tells how the device was then; only what it is now can be drift.
      Optional<Link> now = kernel.link(link.index());
      boolean differs =
          owner == Part.PODS
              ? pods.differs(now.orElse(link), now.isPresent())
              : tunnels.differs(now.orElse(link), now.isPresent());
      if (differs) {
        parts.add(owner);
        parts.add(Part.ROUTES);
      }
      if (!link.isUp() && !differs && now.isPresent() && now.get().isUp() && before != null) {
        parts.add(Part.ROUTES); // down and up again in the meantime
        parts.add(owner);
      }
    } catch (KernelException _) {
      parts.add(owner);
    }
  }

  private void linkGone(Link link, Set<Part> parts) {
    carrier.remove(link.index());
    Part owner = owner(link);
    if (owner == Part.FACTS) {
      parts.add(Part.FACTS);
      parts.add(Part.ROUTES);
    } else if (owner == Part.PODS ? pods.differs(link, false) : tunnels.differs(link, false)) {
      parts.add(owner);
      parts.add(Part.ROUTES);
    }
  }

  private Part owner(Link link) {
    if (RowReader.isPodLink(link) || RowReader.isDoomed(link) || pods.knows(link.name())) {
      return Part.PODS;
    }
    return RowReader.hasTunnelName(link) || isTunnel(link.index()) ? Part.TUNNELS : Part.FACTS;
  }
}
