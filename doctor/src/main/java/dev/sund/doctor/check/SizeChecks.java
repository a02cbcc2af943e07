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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Sizes of packets where two must agree: both ends of a pair, a route and its device, two tunnels.
 */
public final class SizeChecks {
  /** What is left of Ethernet's 1500 bytes below a tunnel, or what a provider is known to give. */
  private static final Map<Long, String> LEFT =
      Map.of(
          1_450L, "what VXLAN leaves of 1500",
          1_430L, "what VXLAN over IPv6 leaves of 1500",
          1_442L, "what Geneve leaves of 1500 in OVN's form",
          1_460L, "what Google's network has",
          1_420L, "what WireGuard leaves of 1500",
          1_440L, "what WireGuard over IPv4 leaves of 1500",
          1_480L, "what IPIP leaves of 1500",
          1_476L, "what GRE leaves of 1500");

  private static final long ETHERNET = 1_500;

  /** So much above its MTU a device takes (VLAN_HLEN, is_skb_forwardable). */
  private static final long VLAN_HEADER = 4;

  private SizeChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "pair-mtu",
            "whether both ends of a pod's device agree",
            SizeChecks::pairs,
            SizeChecks::agree),
        new Check<>(
            "route-mtu",
            "whether routes promise more than devices carry",
            SizeChecks::routes,
            SizeChecks::promise),
        new Check<>(
            "double-encapsulation",
            "whether the tunnel goes within another one",
            SizeChecks::layers,
            SizeChecks::within));
  }

  /**
   * A device pair.
   *
   * @param device the node's end
   * @param here its MTU
   * @param pod the namespace of the other end
   * @param there that end's MTU
   */
  record Pair(String device, long here, String pod, long there) {}

  private static List<Pair> pairs(Host host) throws UnreadException {
    Map<String, Line> ends = new HashMap<>();
    for (Line line : host.lines(Facts.LINKS)) {
      if (line.text("kind").equals("veth") && line.has("peer-namespace")) {
        ends.put(line.text("peer-namespace") + " " + line.text("index"), line);
      }
    }
    List<Pair> pairs = new ArrayList<>();
    for (Line line : host.lines(Facts.PODS)) {
      Line end = ends.get(line.text("id") + " " + line.text("peer"));
      // Namespaces count their devices alike: both ends must name each other.
      if (line.text("kind").equals("veth")
          && end != null
          && (!line.has("index") || line.text("index").equals(end.text("peer")))) {
        pairs.add(
            new Pair(end.text("link"), end.number("mtu"), line.text("pod"), line.number("mtu")));
      }
    }
    return pairs;
  }

  private static Verdict agree(List<Pair> pairs) {
    if (pairs.isEmpty()) {
      return new Verdict.NotHere("there is no pod");
    }
    List<Pair> wrong =
        pairs.stream().filter(pair -> Math.abs(pair.here - pair.there) > VLAN_HEADER).toList();
    if (wrong.isEmpty()) {
      return new Verdict.Right(pairs.size() + " device pairs, both ends with one MTU");
    }
    Pair first = wrong.getFirst();
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.ERROR,
                first.device + (wrong.size() == 1 ? "" : " and " + (wrong.size() - 1) + " more"),
                "%d of %d device pairs have two MTUs: %s has %d, its other end in %s has %d."
                    .formatted(
                        wrong.size(),
                        pairs.size(),
                        first.device,
                        first.here,
                        first.pod,
                        first.there),
                "What the larger end sends is dropped by the smaller one without a word: small"
                    + " requests work, large ones hang.",
                "ip link set %s mtu %d, or make the pod anew"
                    .formatted(first.device, first.there))));
  }

  /**
   * Routes with a size.
   *
   * @param all how many routes there are
   * @param sized those that have one
   * @param large of them those that are larger than their device, as {@code ROUTE: MTU ...}
   */
  record Routes(long all, int sized, List<String> large) {}

  private static Routes routes(Host host) throws UnreadException {
    Map<String, Long> devices = new HashMap<>();
    for (Line line : host.lines(Facts.LINKS)) {
      devices.put(line.text("link"), line.number("mtu"));
    }
    long all = 0;
    int sized = 0;
    List<String> large = new ArrayList<>();
    for (Line line : host.lines(Facts.ROUTES)) {
      all += line.number("all");
      if (line.has("route")) {
        sized++;
        long carries = devices.getOrDefault(line.text("device"), Long.MAX_VALUE);
        if (line.number("mtu") > carries) {
          large.add(
              "%s has %s, %s carries %d"
                  .formatted(line.text("route"), line.text("mtu"), line.text("device"), carries));
        }
      }
    }
    return new Routes(all, sized, large);
  }

  private static Verdict promise(Routes is) {
    if (is.large.isEmpty()) {
      return new Verdict.Right(
          "%,d routes, %,d with an MTU of their own, none above its device"
              .formatted(is.all, is.sized));
    }
    String first = is.large.getFirst();
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.ERROR,
                first.substring(0, first.indexOf(' ')),
                "%d routes have a larger MTU than their device: %s."
                    .formatted(is.large.size(), first),
                "The kernel believes the route: it makes packets that the device does not take, and"
                    + " asks nobody to send smaller ones.",
                "ip route change with a smaller mtu, or without; who wrote it is the route's proto"
                    + " in ip route show")));
  }

  /**
   * What is below the tunnel.
   *
   * @param tunnels their names
   * @param device what carries them; empty when it is not known
   * @param mtu of it
   * @param hypervisor on which this machine runs; empty on hardware
   */
  record Layers(List<String> tunnels, String device, long mtu, Optional<String> hypervisor) {}

  private static Layers layers(Host host) throws UnreadException {
    MtuChecks.Links links = MtuChecks.links(host);
    List<String> tunnels =
        links.devices().values().stream()
            .filter(device -> device.header().isPresent())
            .map(device -> device.name() + " (" + device.type() + ")")
            .toList();
    return new Layers(
        tunnels,
        links.underlay().map(MtuChecks.Device::name).orElse(""),
        links.underlay().map(MtuChecks.Device::mtu).orElse(0L),
        Hypervisor.of(host));
  }

  private static Verdict within(Layers is) {
    if (is.tunnels.isEmpty() || is.device.isEmpty()) {
      return new Verdict.NotHere(
          is.tunnels.isEmpty() ? "there is no tunnel" : "there is no default route");
    }
    String on = is.hypervisor.map(name -> "a virtual machine on " + name).orElse("no virtual one");
    if (is.mtu >= ETHERNET) {
      return new Verdict.Right(
          "%s has MTU %d: nothing is missing that a tunnel below would take; the machine is %s"
              .formatted(is.device, is.mtu, on));
    }
    String size = LEFT.get(is.mtu);
    boolean likely = size != null && is.hypervisor.isPresent();
    return new Verdict.Wrong(
        List.of(
            new Finding(
                Severity.NOTE,
                is.device,
                "%s has MTU %d%s, and the machine is %s: the network below is %s a tunnel itself, and %s goes within it."
                    .formatted(
                        is.device,
                        is.mtu,
                        size == null ? "" : ", " + size,
                        on,
                        likely ? "likely" : "possibly",
                        String.join(", ", is.tunnels)),
                "Each packet is wrapped twice: two headers of each 1500 bytes, the work of both, and"
                    + " devices that cut one tunnel's segments do not cut those of two.",
                "Where the nodes share a subnet, routes instead of a tunnel (flannel host-gw, Calico"
                    + " CrossSubnet); or ask the provider for a private network with jumbo frames")));
  }
}
