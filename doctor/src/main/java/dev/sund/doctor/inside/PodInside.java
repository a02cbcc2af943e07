package dev.sund.doctor.inside;

import dev.sund.doctor.Facts;
import dev.sund.doctor.LineText;
import dev.sund.doctor.Rights;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.WholeFile;
import dev.sund.doctor.live.LiveFacts;
import dev.sund.doctor.pods.PodNetwork;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.Address;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.Neighbour;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.route.RouteSocket;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Tells the fact {@value dev.sund.doctor.Facts#POD}: devices with the node's ends of them, the way
 * out and whether its gateway answers, connections that nobody answers, and what the pod's own
 * counters say. One empty datagram is sent to each gateway, so that the kernel asks who it is.
 */
public final class PodInside implements Facts {
  private static final int DISCARD = 9;
  private static final int LOOKS = 12;
  private static final int LOOK_MILLIS = 100;

  /** NUD_INCOMPLETE: asked, and nobody has answered yet. */
  private static final int INCOMPLETE = 1;

  private final Path root;
  private final PodNetwork pod;
  private final LineText text = new LineText();

  /**
   * A pod's.
   *
   * @param root of the node's file systems
   */
  public PodInside(Path root, PodNetwork pod) {
    this.root = root;
    this.pod = pod;
  }

  @Override
  public String tell(String name) throws UnreadException {
    NetNs inside = NetNs.at(pod.namespace());
    NetNs node = LiveFacts.networkOf(root);
    try {
      text.word("pod", pod.name())
          .flag("node", pod.node())
          .word("namespace", pod.namespace())
          .word("by", pod.how())
          .end();
      try (RouteSocket here = RouteSocket.open(inside);
          RouteSocket outside = RouteSocket.open(node)) {
        List<Link> links = here.links();
        devices(links, here.addresses(), outside.links());
        Map<Integer, String> names = new HashMap<>();
        links.forEach(link -> names.put(link.index(), link.name()));
        for (Family family : Family.values()) {
          ways(here, inside, family, names);
          uplink(outside, family);
        }
      }
      files(inside);
      return text.toString();
    } catch (KernelException.Denied e) {
      throw new UnreadException(
          "the network of " + pod.name() + ": " + e.getMessage(), Rights.remedy());
    } catch (KernelException e) {
      throw new UnreadException(
          "the network of " + pod.name() + ": " + e.getMessage(),
          "Is the pod still there? Run it again.");
    }
  }

  private void devices(List<Link> links, List<Address> addresses, List<Link> ofNode) {
    Map<Integer, Link> byIndex = new HashMap<>();
    ofNode.forEach(link -> byIndex.put(link.index(), link));
    for (Link link : links) {
      if (link.isLoopback()) {
        continue;
      }
      List<String> own =
          addresses.stream()
              .filter(one -> one.device() == link.index())
              .map(one -> one.address().toString())
              .toList();
      text.word("device", link.name())
          .word("kind", link.kind())
          .word("mtu", link.mtu())
          .flag("up", link.isUp())
          .flag("carrier", link.hasCarrier())
          .list("addresses", own);
      Link end = link.kind().equals("veth") && !pod.node() ? byIndex.get(link.lower()) : null;
      if (end != null && end.kind().equals("veth") && end.lower() == link.index()) {
        text.word("end", end.name()).word("end-mtu", end.mtu());
        Link bridge = byIndex.get(end.master());
        if (bridge != null) {
          text.word("bridge", bridge.name()).word("bridge-mtu", bridge.mtu());
        }
      }
      text.end();
    }
  }

  private void ways(RouteSocket here, NetNs inside, Family family, Map<Integer, String> names)
      throws KernelException {
    for (RouteEntry route : here.routes(RouteFilter.main(family))) {
      if (route.destination().length() == 0) {
        text.word("default", family == Family.V4 ? "ipv4" : "ipv6")
            .word("device", names.getOrDefault(route.device(), ""))
            .flag("dead", (route.flags() & (RouteEntry.DEAD | RouteEntry.LINK_DOWN)) != 0);
        if (route.gateway().isPresent()) {
          Ip gateway = route.gateway().get();
          text.word("gateway", gateway)
              .word("neighbour", neighbour(here, inside, gateway, route.device()));
        }
        text.end();
      }
    }
  }

  /** The gateway's state once the kernel has asked for it. */
  private static int neighbour(RouteSocket here, NetNs inside, Ip gateway, int device)
      throws KernelException {
    try (NetSocket socket = inside.call(() -> NetSocket.udp(gateway.family()))) {
      MessageBuffer nothing = new MessageBuffer(64);
      nothing.sendTo(socket, 0, new Endpoint(gateway, DISCARD));
    }
    Optional<Integer> state = Optional.empty();
    for (int i = 0; i < LOOKS; i++) {
      state = state(here, gateway, device);
      if (state.isPresent() && state.get() != INCOMPLETE) {
        return state.get();
      }
      try {
        Thread.sleep(LOOK_MILLIS);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    return state.orElse(0);
  }

  private static Optional<Integer> state(RouteSocket here, Ip gateway, int device)
      throws KernelException {
    for (Neighbour one : here.neighbours(gateway.family(), device)) {
      if (one.ip().equals(gateway)) {
        return Optional.of(one.state());
      }
    }
    return Optional.empty();
  }

  /** The devices by which the node's own packets leave: pods' packets go that way, or below it. */
  private void uplink(RouteSocket node, Family family) throws KernelException {
    Map<Integer, Link> links = new HashMap<>();
    for (Link link : node.links()) {
      links.put(link.index(), link);
    }
    for (RouteEntry route : node.routes(RouteFilter.main(family))) {
      Link link = links.get(route.device());
      if (route.destination().length() == 0 && link != null) {
        text.word("uplink", link.name())
            .word("family", family == Family.V4 ? "ipv4" : "ipv6")
            .word("mtu", link.mtu())
            .end();
      }
    }
  }

  private void files(NetNs inside) throws KernelException {
    Map<String, String> files =
        inside.call(() -> {
          Map<String, String> read = new LinkedHashMap<>();
          for (String file : List.of("tcp", "tcp6", "snmp", "netstat")) {
            try {
              read.put(file, WholeFile.text(Path.of("/proc/thread-self/net", file)));
            } catch (IOException _) {
              read.remove(file); // a network without IPv6
            }
          }
          return read;
        });
    for (String file : List.of("tcp", "tcp6")) {
      TcpTable.write(files.getOrDefault(file, ""), text);
    }
    List<String> lines = new ArrayList<>();
    for (String file : List.of("snmp", "netstat")) {
      files.getOrDefault(file, "").lines().forEach(lines::add);
    }
    for (int i = 0; i + 1 < lines.size(); i += 2) {
      String[] names = lines.get(i).split("\\s+");
      String[] values = lines.get(i + 1).split("\\s+");
      for (int k = 1; k < Math.min(names.length, values.length); k++) {
        String counter = names[0].replace(":", "") + "." + names[k];
        if (counter.matches(
            "Tcp\\.(PassiveOpens|ActiveOpens|AttemptFails)"
                + "|TcpExt\\.(ListenOverflows|ListenDrops|TCPTimeouts)")) {
          text.word("counter", counter).word("value", values[k]).end();
        }
      }
    }
  }
}
