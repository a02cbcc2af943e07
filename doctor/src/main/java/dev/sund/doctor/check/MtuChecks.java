package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Whether what pods send fits into what carries it. RFC 7348 (VXLAN), RFC 2003 (IPIP), RFC 8926
 * (Geneve), the WireGuard paper section 5.4.
 */
public final class MtuChecks {
  private static final String DEVICES = "sys/class/net";
  private static final String ROUTES = "proc/net/route";
  private static final String ROUTES6 = "proc/net/ipv6_route";

  private MtuChecks() {}

  /**
   * A device.
   *
   * @param type {@code DEVTYPE} of its uevent, or tunnel kinds by their ARPHRD number; empty else
   * @param below the device that carries it, when it is told; empty else
   * @param six whether its outer packets are IPv6
   */
  record Device(String name, long mtu, String type, String below, boolean six) {
    /** What its header takes of an outer packet; nothing when it is no tunnel. */
    OptionalLong header() {
      OptionalLong four =
          switch (type) {
            case "vxlan", "geneve" -> OptionalLong.of(50);
            case "ipip" -> OptionalLong.of(20);
            case "gre" -> OptionalLong.of(24);
            case "wireguard" -> OptionalLong.of(60);
            default -> OptionalLong.empty();
          };
      return six && four.isPresent() ? OptionalLong.of(four.getAsLong() + 20) : four;
    }
  }

  /**
   * The node's devices.
   *
   * @param underlay the device of the default route, of IPv4 or else of IPv6; empty without one
   */
  record Links(Map<String, Device> devices, Optional<Device> underlay) {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "tunnel-mtu",
            "whether tunnels fit into the network below",
            MtuChecks::links,
            MtuChecks::tunnels),
        new Check<>(
            "pod-mtu",
            "whether pods' packets fit into the tunnel",
            MtuChecks::links,
            MtuChecks::pods));
  }

  static Links links(Host host) throws UnreadException {
    return host.once(Links.class, MtuChecks::read);
  }

  private static Links read(Host host) throws UnreadException {
    Map<String, Line> told = new HashMap<>();
    for (Line line : host.lines(Facts.LINKS)) {
      told.put(line.text("link"), line);
    }
    Optional<String> way = way(host);
    // Without a way out by IPv4 the nodes' tunnels have IPv6 outside, too.
    boolean six = way.isEmpty() && sixth(host).isPresent();
    Map<String, Device> devices = new TreeMap<>();
    for (String name : host.names(DEVICES)) {
      OptionalLong mtu = host.numberIfThere(DEVICES + "/" + name + "/mtu");
      if (mtu.isPresent()) {
        Line line = told.getOrDefault(name, new Line(Facts.LINKS, Map.of()));
        devices.put(
            name,
            new Device(
                name,
                mtu.getAsLong(),
                type(host, name),
                line.text("below"),
                six || line.text("outer").equals("ipv6")));
      }
    }
    if (devices.isEmpty()) {
      throw new UnreadException("/" + DEVICES + " shows no device", "Is /sys mounted?");
    }
    way = way.isPresent() ? way : sixth(host);
    return new Links(devices, way.flatMap(name -> Optional.ofNullable(devices.get(name))));
  }

  /** The device of the default route of IPv4. */
  private static Optional<String> way(Host host) throws UnreadException {
    return host.text(ROUTES)
        .lines()
        .skip(1)
        .map(line -> line.strip().split("\\s+"))
        .filter(words -> words.length > 7 && words[1].equals("00000000"))
        .map(words -> words[0])
        .findFirst();
  }

  /** The device of the default route of IPv6. */
  private static Optional<String> sixth(Host host) throws UnreadException {
    return host.textIfThere(ROUTES6)
        .orElse("")
        .lines()
        .map(line -> line.strip().split("\\s+"))
        .filter(words -> words.length > 9 && words[1].equals("00") && !words[9].equals("lo"))
        .filter(words -> words[0].equals("0".repeat(32)))
        .map(words -> words[9])
        .findFirst();
  }

  private static String type(Host host, String name) throws UnreadException {
    for (String line :
        host.textIfThere(DEVICES + "/" + name + "/uevent").orElse("").lines().toList()) {
      if (line.startsWith("DEVTYPE=")) {
        return line.substring("DEVTYPE=".length());
      }
    }
    // ARPHRD_TUNNEL and ARPHRD_IPGRE, include/uapi/linux/if_arp.h
    return switch (host.textIfThere(DEVICES + "/" + name + "/type").orElse("")) {
      case "768" -> "ipip";
      case "778" -> "gre";
      default -> "";
    };
  }

  private static Verdict tunnels(Links links) {
    List<Device> tunnels =
        links.devices.values().stream().filter(device -> device.header().isPresent()).toList();
    if (tunnels.isEmpty()) {
      return new Verdict.NotHere("there is no tunnel");
    }
    if (links.underlay.isEmpty()) {
      return new Verdict.NotHere("there is no default route to say what carries the tunnels");
    }
    List<Finding> findings = new ArrayList<>();
    List<String> read = new ArrayList<>();
    for (Device tunnel : tunnels) {
      Device below = links.devices.getOrDefault(tunnel.below, links.underlay.get());
      long fits = below.mtu - tunnel.header().orElse(0);
      read.add("%s %d over %s %d".formatted(tunnel.name, tunnel.mtu, below.name, below.mtu));
      if (tunnel.mtu > fits) {
        findings.add(
            new Finding(
                Severity.ERROR,
                tunnel.name,
                "%s (%s) has MTU %d, and %s below it %d: with %d bytes of headers at most %d fit."
                    .formatted(
                        tunnel.name,
                        tunnel.type,
                        tunnel.mtu,
                        below.name,
                        below.mtu,
                        tunnel.header().orElse(0),
                        fits),
                "Packets that fill the tunnel are cut to pieces or lost: connections open, and stop"
                    + " at the first large answer.",
                "ip link set %s mtu %d, and the same in the network plugin's configuration (Calico"
                        .formatted(tunnel.name, fits)
                    + " veth_mtu, flannel reads it from the device, Cilium mtu)"));
      } else if (fits - tunnel.mtu > 500) {
        findings.add(
            new Finding(
                Severity.NOTE,
                tunnel.name,
                "%s has MTU %d, and %s would carry %d."
                    .formatted(tunnel.name, tunnel.mtu, below.name, fits),
                "Large transfers need more packets than they would.",
                "ip link set " + tunnel.name + " mtu " + fits + " on all nodes at once"));
      }
    }
    return Verdict.of(findings, String.join(", ", read));
  }

  private static Verdict pods(Links links) {
    Optional<Device> tunnel =
        links.devices.values().stream()
            .filter(device -> device.header().isPresent())
            // Sund gives its routes by a tunnel the tunnel's MTU: the larger one is for others.
            .filter(device -> !device.name.startsWith("sund-"))
            .min(Comparator.comparingLong(Device::mtu));
    Optional<Device> narrow = tunnel.isPresent() ? tunnel : links.underlay;
    List<Device> ends =
        links.devices.values().stream()
            .filter(device -> device.name.matches("veth.*|cali.*|lxc.*|sund.*"))
            .filter(device -> device.header().isEmpty() && device.type.isEmpty())
            .filter(device -> !device.equals(links.underlay.orElse(null)))
            .toList();
    if (narrow.isEmpty() || ends.isEmpty()) {
      return new Verdict.NotHere(
          ends.isEmpty() ? "there is no pod" : "there is neither a tunnel nor a default route");
    }
    Device carries = narrow.get();
    List<Device> wide = ends.stream().filter(device -> device.mtu > carries.mtu).toList();
    if (wide.isEmpty()) {
      return new Verdict.Right(
          ends.size() + " pods' devices, none above " + carries.name + "'s " + carries.mtu);
    }
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.WARNING,
                wide.getFirst().name
                    + (wide.size() == 1 ? "" : " and " + (wide.size() - 1) + " more"),
                "%d of %d pods' devices have a larger MTU (%d) than %s (%d)."
                    .formatted(
                        wide.size(), ends.size(), wide.getFirst().mtu, carries.name, carries.mtu),
                "What pods send to other nodes must be refused first, by an ICMP message that UDP"
                    + " programs and firewalls like to lose.",
                "Set the plugin's MTU to " + carries.mtu + " and make the pods anew")));
  }
}
