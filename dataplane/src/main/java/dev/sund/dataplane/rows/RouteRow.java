package dev.sund.dataplane.rows;

import dev.sund.kernel.route.RouteType;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import java.util.Optional;

/**
 * A route of ours in the main table.
 *
 * @param destination the prefix
 * @param metric as {@link Lowering#metric} has it
 * @param type unicast or unreachable
 * @param device the device it leaves by, empty for a dead end
 * @param gateway the next hop, empty on a pod's link
 * @param onlink whether the gateway is taken as being on the link whatever the subnets say
 * @param source the preferred source of packets born on this node
 * @param scope {@code rtm_scope}: 253 on a link without a gateway, else 0; IPv6 has 0 only
 * @param mtu the largest packet in bytes, 0 for the device's
 * @param other what else a route that was read says, as words; empty for all that we write
 */
public record RouteRow(
    Prefix destination,
    int metric,
    RouteType type,
    Optional<String> device,
    Optional<Ip> gateway,
    boolean onlink,
    Optional<Ip> source,
    int scope,
    int mtu,
    String other) {

  /** What tells two routes apart in one table. */
  public record Key(Prefix destination, int metric) implements Comparable<Key> {
    @Override
    public int compareTo(Key that) {
      int byDestination = destination.compareTo(that.destination);
      return byDestination != 0 ? byDestination : Integer.compare(metric, that.metric);
    }
  }

  /** This route's key. */
  public Key key() {
    return new Key(destination, metric);
  }

  /** Told column by column. */
  public Row describe() {
    return Row.of("route", destination.toString())
        .with("type", type.label())
        .maybe("via", gateway)
        .maybe("dev", device)
        .with("onlink", onlink)
        .maybe("src", source)
        .with("mtu", mtu)
        .with("metric", metric)
        .with("scope", scope)
        .with("other", other.isEmpty() ? "none" : other)
        .row();
  }

  /** As {@code ip route} writes it. */
  @Override
  public String toString() {
    return (type == RouteType.UNICAST ? "" : type.label() + " ")
        + destination
        + gateway.map(ip -> " via " + ip).orElse("")
        + device.map(name -> " dev " + name).orElse("")
        + (onlink ? " onlink" : "")
        + source.map(ip -> " src " + ip).orElse("")
        + (mtu == 0 ? "" : " mtu " + mtu)
        + " metric "
        + metric
        + (other.isEmpty() ? "" : " " + other);
  }
}
