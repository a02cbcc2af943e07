package dev.sund.engine.program;

import dev.sund.engine.program.Route.Unreachable;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Makes one entry of a program wrong on its way to the drivers, for the tests that prove that
 * measuring finds it: a matrix that still agreed would prove nothing. No build uses it unless a
 * test asks for it.
 *
 * <p>What is made of the entry: a route becomes unreachable, a tunnel gets the next VNI (without
 * one, another local address), a peer the next MAC address, a range of source translation is left
 * out, as is a range of sources that may ask; a frontend refuses everybody, and an endpoint gets
 * the next port; what policies say of a pod, its ports, a peer or a verdict is left out.
 *
 * @param table whose entry
 * @param key the text of the entry's key: {@code 10.244.3.0/24}, {@code sund-vxlan4}, {@code
 *     sund-vxlan4 192.168.2.13}, {@code CLUSTER 10.244.2.0/24}, {@code local-v4 8080/tcp #0},
 *     {@code 10.244.3.20 in}
 */
public record WrongEntry(Table table, String key) implements UnaryOperator<ProgramDelta> {

  /** The tables that can hold one. */
  public enum Table {
    ROUTES,
    TUNNELS,
    PEERS,
    MASQUERADE,
    FRONTENDS,
    ENDPOINTS,
    SOURCES,
    POLICIES,
    POLICY_PORTS,
    POLICY_PEERS,
    POLICY_VERDICTS
  }

  /**
   * Parses {@code TABLE KEY}, the table in any case.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static WrongEntry parse(String text) {
    String[] words = text.split(" ", 2);
    for (Table table : Table.values()) {
      if (words.length == 2 && table.name().equals(words[0].toUpperCase(Locale.ROOT))) {
        return new WrongEntry(table, words[1]);
      }
    }
    throw new IllegalArgumentException(
        "'" + text + "' is not an entry such as 'routes 10.244.3.0/24'");
  }

  /** The delta with the entry made wrong, where it is put. */
  @Override
  public ProgramDelta apply(ProgramDelta delta) {
    return new ProgramDelta(
        delta.localPods(),
        delta.routes().stream().map(this::route).toList(),
        delta.tunnels().stream().map(this::tunnel).toList(),
        delta.tunnelPeers().stream().map(this::peer).toList(),
        masquerade(delta.masquerade()),
        delta.frontends().stream().map(this::frontend).toList(),
        delta.endpoints().stream().map(this::endpoint).toList(),
        delta.sourceRanges().stream()
            .filter(change -> !is(Table.SOURCES, change.key().toString()))
            .toList(),
        new PolicyDelta(
            without(Table.POLICIES, delta.policy().pods()),
            without(Table.POLICY_PORTS, delta.policy().ports()),
            without(Table.POLICY_PEERS, delta.policy().peers()),
            without(Table.POLICY_VERDICTS, delta.policy().verdicts())),
        delta.bridgePorts());
  }

  private <K, V> List<Change<K, V>> without(Table from, List<Change<K, V>> changes) {
    return changes.stream().filter(change -> !is(from, change.key().toString())).toList();
  }

  private <K extends Comparable<K>> Change<K, Route> route(Change<K, Route> change) {
    return change instanceof Change.Put<K, Route>(K at, Route route, Optional<Route> was)
            && is(Table.ROUTES, at.toString())
        ? new Change.Put<>(
            at,
            new Route(route.destination(), new Unreachable(), Optional.empty(), 0, route.rule()),
            was)
        : change;
  }

  private Change<String, Tunnel> tunnel(Change<String, Tunnel> change) {
    return change instanceof Change.Put<String, Tunnel>(String at, Tunnel tunnel, var was)
            && is(Table.TUNNELS, at)
        ? new Change.Put<>(
            at,
            new Tunnel(
                tunnel.device(),
                wire(tunnel.wire()),
                wrongLocal(tunnel),
                tunnel.underlayDevice(),
                tunnel.address(),
                tunnel.mtu(),
                tunnel.rule()),
            was)
        : change;
  }

  private static Tunnel.Wire wire(Tunnel.Wire wire) {
    return switch (wire) {
      case Tunnel.Wire.Vxlan(var vni, var port, var mac) ->
          new Tunnel.Wire.Vxlan(vni % ((1 << 24) - 1) + 1, port, mac);
      case Tunnel.Wire.Ipip() -> wire;
    };
  }

  private static Ip wrongLocal(Tunnel tunnel) {
    return switch (tunnel.wire()) {
      case Tunnel.Wire.Vxlan _ -> tunnel.local();
      case Tunnel.Wire.Ipip() -> Ip.parse("127.0.0.1");
    };
  }

  private Change<TunnelPeer.Key, TunnelPeer> peer(Change<TunnelPeer.Key, TunnelPeer> change) {
    return change instanceof Change.Put<TunnelPeer.Key, TunnelPeer>(var at, var peer, var was)
            && is(Table.PEERS, at.device() + " " + at.nextHop())
        ? new Change.Put<>(
            at,
            new TunnelPeer(
                peer.device(),
                peer.nextHop(),
                new Mac(peer.mac().bits() ^ 1),
                peer.underlay(),
                peer.rule()),
            was)
        : change;
  }

  private Change<Frontend.Key, Frontend> frontend(Change<Frontend.Key, Frontend> change) {
    return change instanceof Change.Put<Frontend.Key, Frontend>(var at, var frontend, var was)
            && is(Table.FRONTENDS, at.toString())
        ? new Change.Put<>(
            at,
            new Frontend(
                at,
                refusal(frontend.inside()),
                refusal(frontend.outside()),
                frontend.limited(),
                frontend.loopback(),
                frontend.affinity(),
                frontend.choice(),
                frontend.rule()),
            was)
        : change;
  }

  private static Frontend.Answer refusal(Frontend.Answer answer) {
    return new Frontend.Answer(new Frontend.Action.Reject(), answer.masquerade());
  }

  private Change<Endpoint.Key, Endpoint> endpoint(Change<Endpoint.Key, Endpoint> change) {
    return change instanceof Change.Put<Endpoint.Key, Endpoint>(var at, var endpoint, var was)
            && is(Table.ENDPOINTS, at.toString())
        ? new Change.Put<>(
            at,
            new Endpoint(
                at,
                endpoint.address(),
                endpoint.port() % 65535 + 1,
                endpoint.lent(),
                endpoint.rule()),
            was)
        : change;
  }

  private List<Change<Masquerade.Key, Masquerade>> masquerade(
      List<Change<Masquerade.Key, Masquerade>> changes) {
    return changes.stream()
        .filter(change -> !is(Table.MASQUERADE, change.key().part() + " " + change.key().range()))
        .toList();
  }

  private boolean is(Table other, String otherKey) {
    return table == other && key.equals(otherKey);
  }
}
