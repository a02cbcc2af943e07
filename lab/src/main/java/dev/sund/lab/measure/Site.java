package dev.sund.lab.measure;

import dev.sund.engine.trace.Packet.Origin;
import dev.sund.kernel.NetNs;
import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Port;
import java.util.List;

/**
 * A place whose sockets are measured with: a pod, a node or a host.
 *
 * @param origin who it is
 * @param machine the machine that it is on, by name
 * @param namespace its network namespace
 * @param addresses its addresses; at least one
 * @param ports where it answers, besides {@link #ECHO}; by TCP and by UDP at a port of either, by
 *     SCTP at one of that
 * @param perAddress whether servers bind to each address alone, so that answers leave with the
 *     address that was asked: where there are several addresses of a family
 */
public record Site(
    Origin origin,
    String machine,
    NetNs namespace,
    List<Ip> addresses,
    List<Port> ports,
    boolean perAddress) {
  /** Every site answers at this port, by TCP and by UDP (RFC 862). */
  public static final int ECHO = 7;

  public Site {
    Checks.that(!addresses.isEmpty(), "a site has an address, but " + origin + " has none");
    addresses = List.copyOf(addresses);
    ports = List.copyOf(ports);
  }

  /** Whether it has an address of this family. */
  public boolean has(Family family) {
    return addresses.stream().anyMatch(ip -> ip.family() == family);
  }
}
