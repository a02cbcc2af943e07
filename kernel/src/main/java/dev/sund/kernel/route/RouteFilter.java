package dev.sund.kernel.route;

import dev.sund.model.Family;

/**
 * Which routes to list. The kernel leaves out the others, so that a node with a full BGP table does
 * not hand it over.
 *
 * @param family of which destinations
 * @param table of this table, 0 for all
 * @param protocol made by this protocol number, 0 for all
 * @param device by this ifindex, 0 for all
 */
public record RouteFilter(Family family, int table, int protocol, int device) {
  /** All routes of the main table. */
  public static RouteFilter main(Family family) {
    return new RouteFilter(family, Rtnl.TABLE_MAIN, 0, 0);
  }

  /** All routes of all tables. */
  public static RouteFilter all(Family family) {
    return new RouteFilter(family, 0, 0, 0);
  }

  /** Of these only those that were made by this protocol number. */
  public RouteFilter withProtocol(int number) {
    return new RouteFilter(family, table, number, device);
  }

  /** Of these only those by this device. */
  public RouteFilter withDevice(int index) {
    return new RouteFilter(family, table, protocol, index);
  }

  /** Whether the filter takes this route: older kernels do not filter themselves. */
  boolean takes(RouteEntry route) {
    return route.family() == family
        && (table == 0 || route.table() == table)
        && (protocol == 0 || route.protocol() == protocol)
        && (device == 0
            || route.device() == device
            || route.nextHops().stream().anyMatch(hop -> hop.device() == device));
  }
}
