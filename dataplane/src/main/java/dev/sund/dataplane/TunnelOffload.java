package dev.sund.dataplane;

import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.route.Link;
import dev.sund.kernel.route.RouteEntry;
import dev.sund.kernel.route.RouteFilter;
import dev.sund.kernel.socket.ChecksumOffload;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Marks;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Finds out whether packets that leave by our VXLAN devices with unfinished checksums arrive whole,
 * and has the kernel make the checksums where they do not.
 *
 * <p>The other node needs no agent for it: its kernel answers a UDP packet to a port at which
 * nobody listens, provided that the checksum is right. Two kinds of packets are sent by turns to
 * the first address of its pod range, which is its tunnel device's: ordinary ones, whose checksums
 * the devices are to finish, and corked ones, which the kernel sums up itself. Only where the
 * latter are answered and the former are not, and are as soon as the device no longer leaves
 * checksums to others, is the offload to blame; a firewall or a node that is away stops both.
 *
 * <p>The state is the device's own: a device that is made anew leaves checksums to others again,
 * and is tried again. Nothing but our own VXLAN devices is ever set. Blocks; one thread at a time,
 * of the platform's. Opens sockets in the node's namespace by itself.
 */
public final class TunnelOffload implements AutoCloseable {
  /** A port that no UDP service has (tcpmux is TCP's). */
  private static final int PORT = 1;

  private static final Duration ANSWER = Duration.ofMillis(300);
  private static final Duration STEP = Duration.ofMillis(5);
  private static final int NODES = 3;
  private static final int TURNS = 3;
  private static final Map<String, Family> DEVICES =
      new TreeMap<>(Map.of(Marks.VXLAN_V4, Family.V4, Marks.VXLAN_V6, Family.V6));

  private final NetNs namespace;
  private final SocketRoutes kernel;
  private final ChecksumOffload offload;

  /** What is known of a device. */
  public enum Verdict {
    /** Packets arrive whole. */
    WHOLE,
    /** They do not, and the kernel makes the checksums now. */
    SWITCHED_OFF,
    /** The kernel makes the checksums, by an earlier finding or somebody's setting. */
    OFF,
    /** Nobody answered, so nothing is known. */
    UNKNOWN
  }

  /** A way to another node: from our address to its. */
  private record Way(Ip from, Ip to) {}

  private TunnelOffload(NetNs namespace, SocketRoutes kernel, ChecksumOffload offload) {
    this.namespace = namespace;
    this.kernel = kernel;
    this.offload = offload;
  }

  /** Opens it for a node. */
  public static TunnelOffload open(NetNs namespace) throws KernelException {
    SocketRoutes kernel = SocketRoutes.open(namespace);
    try {
      return new TunnelOffload(namespace, kernel, ChecksumOffload.open(namespace));
    } catch (KernelException | RuntimeException e) {
      kernel.close();
      throw e;
    }
  }

  /** Our VXLAN devices that are there, and whether they leave checksums to others. Cheap. */
  public Map<String, Boolean> devices() throws KernelException {
    Map<String, Boolean> found = new TreeMap<>();
    for (String device : DEVICES.keySet()) {
      try {
        found.put(device, offload.isOn(device));
      } catch (KernelException.NotFound _) {
        // no tunnel of this family
      }
    }
    return found;
  }

  /**
   * Tries a device's ways to up to three other nodes. Takes a third of a second for each that does
   * not answer, a few milliseconds where all is well.
   *
   * @throws InterruptedException when the thread is interrupted; nothing was set then
   */
  public Verdict check(String device) throws KernelException, InterruptedException {
    Optional<Link> link =
        kernel.links().stream()
            .filter(one -> one.name().equals(device) && RowReader.isTunnel(one))
            .findFirst();
    Family family = DEVICES.get(device);
    if (link.isEmpty() || family == null) {
      return Verdict.UNKNOWN;
    }
    if (!offload.isOn(device)) {
      return Verdict.OFF;
    }
    for (Way way : ways(link.get(), family)) {
      if (answered(way, true)) {
        if (answered(way, false)) {
          return Verdict.WHOLE;
        }
        if (isLost(way)) {
          return switchOff(device, way);
        }
      }
    }
    return Verdict.UNKNOWN;
  }

  private boolean isLost(Way way) throws KernelException, InterruptedException {
    for (int i = 1; i < TURNS; i++) {
      if (!answered(way, true) || answered(way, false)) {
        return false;
      }
    }
    return true;
  }

  private Verdict switchOff(String device, Way way) throws KernelException, InterruptedException {
    offload.set(device, false);
    boolean better = false;
    try {
      for (int i = 0; i < 2 && !better; i++) {
        better = answered(way, false);
      }
    } finally {
      if (!better) {
        offload.set(device, true);
      }
    }
    return better ? Verdict.SWITCHED_OFF : Verdict.UNKNOWN;
  }

  /** Routes of ours to ranges of addresses are those to nodes. */
  private List<Way> ways(Link link, Family family) throws KernelException {
    List<Way> ways = new ArrayList<>();
    for (RouteEntry route :
        kernel.routes(RouteFilter.main(family).withProtocol(Marks.ROUTE_PROTOCOL))) {
      boolean toNode =
          route.device() == link.index() && route.destination().length() < family.bits();
      if (toNode && route.source().isPresent() && ways.size() < NODES) {
        ways.add(new Way(route.source().get(), route.destination().address()));
      }
    }
    return ways;
  }

  private boolean answered(Way way, boolean summed) throws KernelException, InterruptedException {
    NetSocket made = namespace.call(() -> NetSocket.udp(way.to().family()));
    try (NetSocket socket = made) {
      if (socket.tryBind(new Endpoint(way.from(), 0)) != 0
          || socket.tryConnect(new Endpoint(way.to(), PORT)) != 0) {
        return false;
      }
      MessageBuffer buffer = new MessageBuffer(16);
      if (summed) {
        socket.cork(true);
      }
      int sent = buffer.send(socket, 16);
      if (summed) {
        socket.cork(false);
      }
      long end = System.nanoTime() + ANSWER.toNanos();
      boolean over = sent <= 0;
      while (!over) {
        over = System.nanoTime() >= end; // before it looks: a pause of ours is no lost answer
        int error = socket.pendingError();
        if (error != 0) {
          return Errno.ECONNREFUSED.is(-error);
        }
        if (!over) {
          Thread.sleep(STEP);
        }
      }
      return false;
    }
  }

  @Override
  public void close() {
    offload.close();
    kernel.close();
  }
}
