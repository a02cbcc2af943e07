package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import dev.sund.doctor.probe.Crossing;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What lies below the nodes' network: what it lets through, and what wraps it. */
final class UnderlayChecks {
  private UnderlayChecks() {}

  /** The checks of this family. */
  static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "probe-underlay",
            "which fabrics the network between two nodes carries",
            host -> new Carried(Peer.of(host), tunnels(host)),
            UnderlayChecks::passing),
        new Check<>(
            "probe-encapsulation",
            "whether the way to a peer is itself a tunnel",
            host -> new Wrapped(Peer.of(host), tunnels(host), Hypervisor.of(host)),
            UnderlayChecks::wrapped));
  }

  /**
   * What passes, and what must.
   *
   * @param tunnels this node's tunnels, by what they need
   */
  record Carried(Peer peer, Map<Crossing, String> tunnels) {}

  /**
   * What the way carries, and on what machine.
   *
   * @param machine who makes it, when it is a virtual one
   */
  record Wrapped(Peer peer, Map<Crossing, String> tunnels, Optional<String> machine) {}

  /** This node's tunnels that are up. */
  private static Map<Crossing, String> tunnels(Host host) throws UnreadException {
    Map<Crossing, String> tunnels = new EnumMap<>(Crossing.class);
    for (Line line : host.lines(Facts.LINKS)) {
      if (!line.is("up")) {
        continue;
      }
      Optional<Crossing> kind =
          switch (line.text("kind")) {
            case "vxlan" -> Crossing.of("udp-" + line.text("port"));
            case "ipip" -> Optional.of(Crossing.IPIP);
            case "geneve" -> Optional.of(Crossing.GENEVE);
            case "wireguard" -> Optional.of(Crossing.WIREGUARD);
            default -> Optional.empty();
          };
      kind.ifPresent(one -> tunnels.putIfAbsent(one, line.text("link")));
    }
    return tunnels;
  }

  private static Verdict passing(Carried carried) {
    Peer peer = carried.peer;
    List<Finding> findings = new ArrayList<>();
    List<String> blocked = new ArrayList<>();
    for (Crossing kind : Crossing.values()) {
      String ways =
          Stream.of(peer.there(), peer.back())
              .filter(way -> way.loses(kind))
              .map(way -> (way == peer.there() ? "to " : "from ") + peer.address())
              .collect(Collectors.joining(" and "));
      String tunnel = carried.tunnels.get(kind);
      if (!ways.isEmpty() && tunnel != null) {
        findings.add(
            new Finding(
                Severity.ERROR,
                tunnel,
                "%s needs %s, of which nothing passes %s.".formatted(tunnel, kind.text(), ways),
                "Pods of these two nodes do not reach each other.",
                "Let it pass (security group, firewall, the peer's own), or "
                    + Fabric.of(peer).sentence()));
      } else if (!ways.isEmpty()) {
        blocked.add(kind.text() + " " + ways);
      }
    }
    if (!peer.seen().equals(peer.local())) {
      findings.add(
          new Finding(
              Severity.WARNING,
              "translation to " + peer.address(),
              "The peer sees this node's packets come from %s, and it is %s."
                  .formatted(peer.seen(), peer.local()),
              "Something between translates addresses: tunnels' ends do not know each other, and no"
                  + " route without a tunnel works.",
              "Let the nodes reach each other without translation, by their addresses in the"
                  + " cluster"));
    }
    if (!blocked.isEmpty()) {
      findings.add(
          new Finding(
              Severity.NOTE,
              "underlay to " + peer.address(),
              "Does not pass: " + String.join("; ", blocked) + ".",
              "A fabric that needs it does not work between these nodes.",
              Fabric.of(peer).sentence()));
    }
    String passing =
        Stream.of(Crossing.values())
            .filter(peer::passes)
            .map(Crossing::text)
            .collect(Collectors.joining(", "));
    return Verdict.of(findings, "passes: " + passing + "; " + Fabric.of(peer).sentence());
  }

  /**
   * What takes so many bytes of a packet.
   *
   * @param likely how likely it is that, in percent, on a virtual machine
   */
  private record Wrapping(long bytes, String name, int likely) {}

  private static final List<Wrapping> WRAPPINGS =
      List.of(
          new Wrapping(4, "a VLAN tag that a switch port has no room for", 70),
          new Wrapping(8, "PPPoE", 95),
          new Wrapping(20, "IPIP", 80),
          new Wrapping(24, "GRE", 85),
          new Wrapping(28, "GRE with a key", 70),
          new Wrapping(38, "Ethernet in GRE", 75),
          new Wrapping(40, "Google's network, or IP in IPv6", 80),
          new Wrapping(42, "NVGRE", 75),
          new Wrapping(50, "VXLAN, or Geneve without options", 85),
          new Wrapping(54, "VXLAN with a tag inside", 60),
          new Wrapping(58, "Geneve as OVN has it", 85),
          new Wrapping(60, "WireGuard over IPv4", 75),
          new Wrapping(70, "VXLAN over IPv6", 80),
          new Wrapping(80, "WireGuard", 85),
          new Wrapping(100, "VXLAN in VXLAN, a vSwitch or IPsec", 55));

  private static Verdict wrapped(Wrapped wrapped) {
    Peer peer = wrapped.peer;
    long path = peer.carries();
    long whole = path > 1_500 ? 9_000 : 1_500;
    if (path == whole || path > 9_000 || (whole == 9_000 && path < 8_800)) {
      return new Verdict.Right("the way carries " + path + " bytes, as a bare network does");
    }
    if (path < 1_280) {
      return new Verdict.NotHere(
          "what carries " + path + " bytes is no known tunnel (see probe-path-mtu)");
    }
    long taken = whole - path;
    String guess = "something that takes " + taken + " bytes";
    int likely = 50;
    for (Wrapping one : WRAPPINGS) {
      if (one.bytes == taken) {
        guess = one.name;
        // Between machines of their own a small MTU is as often somebody's setting.
        likely = wrapped.machine.isPresent() ? one.likely : one.likely * 2 / 3;
      }
    }
    String found =
        "The way to %s carries %d bytes, %d less than %d: below is probably %s (%d %%%s)"
            .formatted(
                peer.address(),
                path,
                taken,
                whole,
                guess,
                likely,
                wrapped.machine.map(name -> "; this machine is of " + name).orElse(""));
    if (wrapped.tunnels.isEmpty()) {
      return new Verdict.Wrong(
          List.of(
              new Finding(
                  Severity.NOTE,
                  "way to " + peer.address(),
                  found + ".",
                  "A tunnel of the cluster would wrap what is wrapped already.",
                  Fabric.of(peer).sentence())));
    }
    String own = String.join(", ", wrapped.tunnels.values());
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                own,
                found + ", and " + own + " wraps again.",
                "Each packet is wrapped twice: less room, no offload by the network card, and two"
                    + " MTUs to get right.",
                Fabric.of(peer).sentence())));
  }
}
