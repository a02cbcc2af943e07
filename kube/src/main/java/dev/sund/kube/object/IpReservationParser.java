package dev.sund.kube.object;

import dev.sund.engine.cluster.ClusterEvent;
import dev.sund.kube.tree.Shape;
import dev.sund.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Calico's {@code IPReservation}: addresses that nobody gets who does not ask for them by name.
 *
 * @see <a href="https://docs.tigera.io/calico/latest/reference/resources/ipreservation">Calico's
 *     reference of the IPReservation</a>
 */
final class IpReservationParser {
  static final Shape SHAPE =
      Shape.object()
          .use("apiVersion", "kind")
          .use("metadata", Meta.SHAPE)
          .use("spec", Shape.object().use("reservedCIDRs"));

  private IpReservationParser() {}

  static Parsed<ClusterEvent> parse(String name, Field object) {
    Meta.read(object, "IPReservation", name);
    List<Prefix> ranges = new ArrayList<>();
    for (Field item : object.at("spec").at("reservedCIDRs").items()) {
      Optional<String> text = item.needed("Write a range such as 10.244.0.0/28, or an address.");
      boolean range = text.filter(written -> written.indexOf('/') >= 0).isPresent();
      if (range) {
        item.prefix("10.244.0.0/28").ifPresent(ranges::add);
      } else if (text.isPresent()) {
        item.ip("10.244.0.1").map(Prefix::host).ifPresent(ranges::add);
      }
    }
    return object.finish(() -> new ClusterEvent.ReservationSeen(name, ranges));
  }
}
