package dev.sund.dataplane.probe;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.List;

/**
 * A probe of another node that is waited for. It is known by what no translation changes: the
 * largest segment that it announces, or its text.
 *
 * @param family its addresses' family
 * @param protocol TCP or UDP
 * @param destinations which it may have here; of several probes at once one with such a destination
 *     is meant
 */
public record WatchedPacket(Family family, Protocol protocol, List<Ip> destinations) {
  public WatchedPacket {
    destinations = List.copyOf(destinations);
  }
}
