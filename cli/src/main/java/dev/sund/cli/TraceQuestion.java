package dev.sund.cli;

import dev.sund.engine.cluster.Pod;
import dev.sund.engine.cluster.Service;
import dev.sund.engine.cluster.Service.ServicePort;
import dev.sund.engine.trace.Packet;
import dev.sund.engine.trace.Packet.FromNode;
import dev.sund.engine.trace.Packet.FromOutside;
import dev.sund.engine.trace.Packet.FromPod;
import dev.sund.engine.trace.Packet.Origin;
import dev.sund.engine.trace.Underlay;
import dev.sund.lab.offline.OfflineCluster;
import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import dev.sund.model.PodKey;
import dev.sund.model.Protocol;
import dev.sund.model.ServiceKey;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Reads {@code FROM} and {@code TO[:PORT][/PROTO]} of a trace, and makes the packets of them: one
 * for each family that both ends have. {@code svc/[NAMESPACE/]NAME[:PORT]} is a Service's own
 * addresses, its port by number or name; without a port the only one that it has.
 */
final class TraceQuestion {
  private static final String ENDS =
      "Name an end as NAMESPACE/POD, node/NAME, outside/NAME, an address or, as destination,"
          + " svc/NAME.";
  private static final String SERVICE = "svc/";

  private final String place;
  private OfflineCluster cluster;

  /**
   * Questions about a cluster.
   *
   * @param place where it is known from, such as {@code in the files}
   */
  TraceQuestion(OfflineCluster cluster, String place) {
    this.cluster = cluster;
    this.place = place;
  }

  /** The cluster, and whom outside of it the questions so far are about. */
  OfflineCluster cluster() {
    return cluster;
  }

  /** The packets that are asked about. */
  List<Packet> packets(String from, String to) {
    Optional<Ip> source = Ip.tryParse(from);
    source.ifPresent(ip -> cluster = cluster.withOutside(ip));
    Origin origin = source.map(this::whoHas).orElseGet(() -> origin(from));
    Destination destination =
        to.startsWith(SERVICE) ? service(to, namespace(origin)) : destination(to);
    List<Packet> packets = new ArrayList<>();
    for (Ip ip : destination.addresses()) {
      cluster = cluster.withOutside(ip);
      boolean asked =
          source.isPresent()
              ? source.get().family() == ip.family()
              : destination.addresses().size() == 1 || sends(origin, ip);
      if (asked) {
        Packet small = Packet.small(origin, ip, destination.protocol(), destination.port());
        packets.add(source.map(small::from).orElse(small));
      }
    }
    if (packets.isEmpty()) {
      throw CommandFailure.badInput(
          from + " and " + to + " have no address of the same family.", "Trace to an address.");
    }
    return packets;
  }

  /** The pod, the node or the host outside that has an address. */
  private Origin whoHas(Ip ip) {
    for (Pod pod : cluster.pods().values()) {
      if (pod.ips().contains(ip) && !pod.hostNetwork()) {
        return new FromPod(pod.key());
      }
    }
    for (Underlay.Host host : cluster.underlay().hosts()) {
      if (host.carries(ip)) {
        return host.role() == Underlay.Role.NODE
            ? new FromNode(new NodeName(host.name()))
            : new FromOutside(host.name());
      }
    }
    throw CommandFailure.badInput(
        "Nobody " + place + " has the address " + ip + ".",
        "Name who sends, or an address outside of the cluster.");
  }

  private boolean sends(Origin origin, Ip to) {
    return addresses(origin).stream().anyMatch(ip -> ip.family() == to.family());
  }

  private static String namespace(Origin origin) {
    return origin instanceof FromPod(PodKey pod) ? pod.namespace() : "default";
  }

  private Destination service(String text, String otherwise) {
    String rest = text.substring(SERVICE.length());
    int colon = rest.indexOf(':');
    String name = colon < 0 ? rest : rest.substring(0, colon);
    String port = colon < 0 ? "" : rest.substring(colon + 1);
    Service service = service(name.indexOf('/') < 0 ? otherwise + "/" + name : name);
    List<ServicePort> ports =
        service.ports().stream()
            .filter(one ->
                port.isEmpty()
                    || port.equals(one.name())
                    || port.equals(String.valueOf(one.port()))
                    || port.equals(one.port() + "/" + one.protocol().label()))
            .toList();
    if (ports.size() != 1) {
      List<String> all =
          service.ports().stream()
              .map(one -> one.port() + "/" + one.protocol().label() + " " + one.name())
              .map(String::strip)
              .toList();
      throw CommandFailure.badInput(
          "'"
              + text
              + (ports.isEmpty() ? "' names no port of " : "' may be several ports of ")
              + service.key()
              + ".",
          all.isEmpty() ? "It has none." : "There are: " + list(all));
    }
    if (service.clusterIps().isEmpty()) {
      throw CommandFailure.badInput(
          service.key() + " has no address of its own yet.", "Give it spec.clusterIP.");
    }
    return new Destination(
        service.clusterIps(), ports.getFirst().protocol(), ports.getFirst().port());
  }

  private Service service(String name) {
    Service service;
    try {
      service = cluster.services().get(ServiceKey.parse(name));
    } catch (IllegalArgumentException e) {
      throw CommandFailure.badInput(e.getMessage() + ".", "Write svc/[NAMESPACE/]NAME[:PORT].");
    }
    if (service == null) {
      throw CommandFailure.badInput(
          "There is no Service " + name + " " + place + " that a proxy serves.",
          cluster.services().isEmpty()
              ? "There are none."
              : "There are: "
                  + list(cluster.services().keySet().stream().map(ServiceKey::toString).toList()));
    }
    return service;
  }

  private record Destination(List<Ip> addresses, Protocol protocol, int port) {}

  private Destination destination(String text) {
    String rest = text;
    Optional<Protocol> protocol = Optional.empty();
    int slash = rest.lastIndexOf('/');
    if (slash > 0 && isProtocol(rest.substring(slash + 1))) {
      protocol = Optional.of(Protocol.parse(rest.substring(slash + 1)));
      rest = rest.substring(0, slash);
    }
    int port = 0;
    int colon = rest.lastIndexOf(':');
    boolean bracketed = rest.startsWith("[");
    if (colon > 0 && (rest.indexOf(':') == colon || bracketed && rest.charAt(colon - 1) == ']')) {
      port = port(text, rest.substring(colon + 1));
      rest = rest.substring(0, colon);
    }
    if (bracketed && rest.endsWith("]")) {
      rest = rest.substring(1, rest.length() - 1);
    }
    Protocol chosen = protocol.orElse(port == 0 ? Protocol.ICMP : Protocol.TCP);
    if (port == 0 && chosen != Protocol.ICMP) {
      throw CommandFailure.badInput(
          "'" + text + "' names no port for " + chosen.label() + ".", "Write TO:PORT/PROTO.");
    }
    return new Destination(addresses(rest), chosen, port);
  }

  private static boolean isProtocol(String text) {
    return List.of("tcp", "udp", "icmp", "sctp").contains(text.toLowerCase(Locale.ROOT));
  }

  private static int port(String all, String text) {
    if (text.matches("[0-9]{1,5}")
        && Integer.parseInt(text) >= 1
        && Integer.parseInt(text) <= 65535) {
      return Integer.parseInt(text);
    }
    throw CommandFailure.badInput(
        "'" + all + "' names the port '" + text + "'.", "A port is a number from 1 to 65535.");
  }

  private List<Ip> addresses(String text) {
    if (text.indexOf('/') < 0) {
      try {
        return List.of(Ip.parse(text));
      } catch (IllegalArgumentException e) {
        throw CommandFailure.badInput("'" + text + "' is not an address.", ENDS);
      }
    }
    return addresses(origin(text));
  }

  private List<Ip> addresses(Origin origin) {
    return switch (origin) {
      case FromPod(PodKey pod) ->
          Optional.ofNullable(cluster.pods().get(pod)).map(Pod::ips).orElse(List.of());
      case FromNode(NodeName node) -> hostAddresses(node.text());
      case FromOutside(String host) -> hostAddresses(host);
    };
  }

  private List<Ip> hostAddresses(String name) {
    return cluster.underlay().host(name).stream()
        .flatMap(host -> host.links().stream())
        .flatMap(link -> link.addresses().stream())
        .map(address -> address.ip())
        .toList();
  }

  private Origin origin(String text) {
    int slash = text.indexOf('/');
    if (slash <= 0 || slash == text.length() - 1) {
      throw CommandFailure.badInput("'" + text + "' does not name an end.", ENDS);
    }
    String space = text.substring(0, slash);
    String name = text.substring(slash + 1);
    return switch (space) {
      case "node" -> new FromNode(new NodeName(known(name, Underlay.Role.NODE)));
      case "outside" -> new FromOutside(known(name, Underlay.Role.OUTSIDE));
      default -> pod(new PodKey(space, name));
    };
  }

  private Origin pod(PodKey key) {
    Pod pod = cluster.pods().get(key);
    if (pod == null) {
      throw CommandFailure.badInput(
          "There is no running pod " + key + " " + place + ".",
          cluster.pods().isEmpty()
              ? "There are none."
              : "There are: "
                  + list(cluster.pods().keySet().stream().map(PodKey::toString).toList()));
    }
    // A pod on its node's network has no link of its own: its packets are born on the node.
    return pod.hostNetwork() ? new FromNode(pod.node().orElseThrow()) : new FromPod(key);
  }

  private String known(String name, Underlay.Role role) {
    List<String> names =
        cluster.underlay().hosts().stream()
            .filter(host -> host.role() == role)
            .map(Underlay.Host::name)
            .toList();
    if (!names.contains(name)) {
      throw CommandFailure.badInput(
          "There is no " + role.name().toLowerCase(Locale.ROOT) + " '" + name + "'.",
          "There are: " + list(names));
    }
    return name;
  }

  private static String list(List<String> names) {
    String some = names.stream().limit(12).collect(Collectors.joining(", "));
    return some + (names.size() > 12 ? " and " + (names.size() - 12) + " more." : ".");
  }
}
