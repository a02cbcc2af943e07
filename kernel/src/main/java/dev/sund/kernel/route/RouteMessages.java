package dev.sund.kernel.route;

import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.Netlink;
import dev.sund.kernel.netlink.NlReader;
import java.util.Optional;

/** Decodes rtnetlink's messages into {@link RouteEvent}s. */
public final class RouteMessages {
  private RouteMessages() {}

  /**
   * Decodes one message.
   *
   * @param type {@code nlmsg_type}
   * @param flags {@code nlmsg_flags}
   * @param body what follows the header
   * @return empty for a message of a type or family that is not followed
   * @throws Malformed when it is not what its type says
   */
  public static Optional<RouteEvent> decode(int type, int flags, NlReader body) throws Malformed {
    return switch (type) {
      case Rtnl.RTM_NEWLINK -> Link.read(body).map(RouteEvent.LinkChanged::new);
      case Rtnl.RTM_DELLINK -> Link.read(body).map(RouteEvent.LinkGone::new);
      case Rtnl.RTM_NEWADDR -> Address.read(body).map(RouteEvent.AddressChanged::new);
      case Rtnl.RTM_DELADDR -> Address.read(body).map(RouteEvent.AddressGone::new);
      case Rtnl.RTM_NEWROUTE -> {
        boolean replaced = (flags & Netlink.NLM_F_REPLACE) != 0;
        yield RouteEntry.read(body).map(route -> new RouteEvent.RouteChanged(route, replaced));
      }
      case Rtnl.RTM_DELROUTE -> RouteEntry.read(body).map(RouteEvent.RouteGone::new);
      case Rtnl.RTM_NEWRULE -> Rule.read(body).map(RouteEvent.RuleChanged::new);
      case Rtnl.RTM_DELRULE -> Rule.read(body).map(RouteEvent.RuleGone::new);
      case Rtnl.RTM_NEWNEIGH, Rtnl.RTM_DELNEIGH -> neighbour(type == Rtnl.RTM_NEWNEIGH, body);
      default -> Optional.empty();
    };
  }

  private static Optional<RouteEvent> neighbour(boolean there, NlReader body) throws Malformed {
    int family = body.takeU8();
    if (family == Rtnl.AF_BRIDGE) {
      Optional<FdbEntry> entry = FdbEntry.read(body);
      return there ? entry.map(RouteEvent.FdbChanged::new) : entry.map(RouteEvent.FdbGone::new);
    }
    Optional<Neighbour> neighbour = Neighbour.read(family, body);
    return there
        ? neighbour.map(RouteEvent.NeighbourChanged::new)
        : neighbour.map(RouteEvent.NeighbourGone::new);
  }
}
