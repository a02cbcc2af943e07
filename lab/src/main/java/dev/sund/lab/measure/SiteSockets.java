package dev.sund.lab.measure;

import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Port;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;

/** The sockets of one site, opened in its namespace. */
final class SiteSockets implements AutoCloseable {
  private static final int RECEIVE_BUFFER = 4 << 20;
  private static final int BACKLOG = 4096;

  final Site site;

  /** Senders: one a family for each sort of datagram. */
  final Map<Family, Map<Flight.Sort, NetSocket>> senders = new EnumMap<>(Family.class);

  /** Raw sockets that ask for associations and answer; there when one of the two is wanted. */
  final Map<Family, NetSocket> associations = new EnumMap<>(Family.class);

  final List<NetSocket> datagramServers = new ArrayList<>();
  final List<NetSocket> connectionServers = new ArrayList<>();

  /** What the loop serves on behalf of this site. */
  final List<Long> tokens = new ArrayList<>();

  /** What it serves of the senders. */
  final List<Long> senderTokens = new ArrayList<>();

  private boolean asked;

  private SiteSockets(Site site) {
    this.site = site;
  }

  /** Opens all of them; one visit to the namespace. */
  static SiteSockets open(Site site) throws KernelException {
    SiteSockets sockets = new SiteSockets(site);
    try {
      site.namespace()
          .<Boolean, KernelException>call(() -> {
            sockets.openAll();
            return true;
          });
      return sockets;
    } catch (KernelException | RuntimeException e) {
      sockets.close();
      throw e;
    }
  }

  private void openAll() throws KernelException {
    for (Family family : Family.values()) {
      if (!site.has(family)) {
        continue;
      }
      openSenders(family);
      if (site.ports().stream().anyMatch(port -> port.protocol() == Protocol.SCTP)) {
        openAssociations(family);
      }
      for (Endpoint local : listenOn(family)) {
        NetSocket datagrams = NetSocket.udp(family);
        datagramServers.add(datagrams);
        datagrams.receiveBuffer(RECEIVE_BUFFER).bind(local);
        NetSocket connections = NetSocket.tcp(family);
        connectionServers.add(connections);
        if (Errno.EADDRINUSE.is(connections.tryBind(local))) {
          // Another server of this namespace has it: then that one answers.
          connectionServers.removeLast().close();
        } else {
          connections.listen(BACKLOG);
        }
      }
    }
  }

  private void openSenders(Family family) throws KernelException {
    Map<Flight.Sort, NetSocket> bySort = new EnumMap<>(Flight.Sort.class);
    senders.put(family, bySort);
    for (Flight.Sort sort : Flight.Sort.values()) {
      if (sort == Flight.Sort.CONNECTION || sort == Flight.Sort.ASSOCIATION) {
        continue;
      }
      NetSocket socket = NetSocket.udp(family);
      bySort.put(sort, socket);
      socket.queueErrors().receiveBuffer(RECEIVE_BUFFER);
      if (sort == Flight.Sort.SIZED) {
        socket.dontFragment();
      }
    }
  }

  /**
   * Opens the senders anew when something was asked by them before: of a policy, what belongs to a
   * connection that was there before says nothing, and datagrams of one port are one.
   *
   * @return whether there are new ones
   */
  boolean renewSenders() throws KernelException {
    if (!asked) {
      asked = true;
      return false;
    }
    senders.values().forEach(bySort -> bySort.values().forEach(NetSocket::close));
    senders.clear();
    site.namespace()
        .<Boolean, KernelException>call(() -> {
          for (Family family : Family.values()) {
            if (site.has(family)) {
              openSenders(family);
            }
          }
          return true;
        });
    return true;
  }

  private NetSocket openAssociations(Family family) throws KernelException {
    NetSocket socket = NetSocket.raw(family, Protocol.SCTP.number());
    associations.put(family, socket);
    return socket.queueErrors();
  }

  /** Opens what associations of a family are asked by, unless it is open. */
  Optional<NetSocket> addAssociations(Family family) throws KernelException {
    return associations.containsKey(family)
        ? Optional.empty()
        : Optional.of(
            site.namespace().<NetSocket, KernelException>call(() -> openAssociations(family)));
  }

  private List<Endpoint> listenOn(Family family) {
    SortedSet<Integer> ports = new TreeSet<>();
    ports.add(Site.ECHO);
    for (Port port : site.ports()) {
      if (port.protocol() == Protocol.TCP || port.protocol() == Protocol.UDP) {
        ports.add(port.number());
      }
    }
    List<Endpoint> endpoints = new ArrayList<>();
    for (int port : ports) {
      if (!site.perAddress()) {
        endpoints.add(Endpoint.any(family, port));
        continue;
      }
      for (Ip ip : site.addresses()) {
        if (ip.family() == family) {
          endpoints.add(new Endpoint(ip, port));
        }
      }
    }
    return endpoints;
  }

  /** The socket that sends this sort of datagram. */
  NetSocket sender(Family family, Flight.Sort sort) {
    NetSocket socket =
        sort == Flight.Sort.ASSOCIATION
            ? associations.get(family)
            : senders.getOrDefault(family, Map.of()).get(sort);
    if (socket == null) {
      throw new IllegalStateException(site.origin() + " cannot send " + sort + " by " + family);
    }
    return socket;
  }

  /** Opens {@code count} sockets for connections of a family; one visit to the namespace. */
  List<NetSocket> openConnections(Family family, int count) throws KernelException {
    List<NetSocket> opened = new ArrayList<>(count);
    try {
      site.namespace()
          .<Boolean, KernelException>call(() -> {
            for (int i = 0; i < count; i++) {
              opened.add(NetSocket.tcp(family));
            }
            return true;
          });
    } catch (KernelException e) {
      opened.forEach(NetSocket::close);
      throw e;
    }
    return opened;
  }

  @Override
  public void close() {
    senders.values().forEach(bySort -> bySort.values().forEach(NetSocket::close));
    associations.values().forEach(NetSocket::close);
    datagramServers.forEach(NetSocket::close);
    connectionServers.forEach(NetSocket::close);
  }
}
