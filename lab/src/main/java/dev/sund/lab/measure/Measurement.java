package dev.sund.lab.measure;

import dev.sund.engine.trace.Packet.Origin;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.Epoll;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Question;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Answers questions by sending packets from sites and watching who receives them.
 *
 * <p>Sites may be entered by several threads at once; questions are asked by one, which waits while
 * the loop's thread works. The opener closes; then no socket is left.
 */
public final class Measurement implements AutoCloseable {
  private static final int SNAP = 256;
  private static final int CAPTURE_BUFFER = 16 << 20;

  private final ProbeLoop loop;
  private final int vxlanPort;
  private final Map<Origin, SiteSockets> sites = new HashMap<>();
  private final Map<Ip, String> machines = new HashMap<>();
  private final List<NetSocket> captures = new ArrayList<>();
  private final MessageBuffer buffer = new MessageBuffer(65_536);
  private final MessageBuffer snapped = new MessageBuffer(SNAP);
  private @Nullable Round round;
  private int nextFlight = 1;

  private Measurement(ProbeLoop loop, int vxlanPort) {
    this.loop = loop;
    this.vxlanPort = vxlanPort;
  }

  /**
   * Opens a measurement without sites.
   *
   * @param vxlanPort the UDP port whose packets on the underlay are VXLAN
   */
  public static Measurement open(int vxlanPort) throws KernelException {
    return new Measurement(ProbeLoop.start(), vxlanPort);
  }

  /** Opens the sockets of a site: from now on it answers, and questions may be asked from it. */
  public void enter(Site site) throws KernelException, InterruptedException {
    SiteSockets sockets = SiteSockets.open(site);
    loop.run(() -> {
      SiteSockets before = sites.put(site.origin(), sockets);
      if (before != null) {
        drop(before);
      }
      for (NetSocket server : sockets.datagramServers) {
        serve(sockets, server, Epoll.READABLE, _ -> answerDatagrams(sockets, server));
      }
      for (NetSocket server : sockets.connectionServers) {
        serve(sockets, server, Epoll.READABLE, _ -> acceptAll(sockets, server));
      }
      serveSenders(sockets);
      for (NetSocket associations : sockets.associations.values()) {
        serveAssociations(sockets, associations);
      }
      return true;
    });
  }

  /** Closes the sockets of a site. */
  public void leave(Origin origin) throws KernelException, InterruptedException {
    loop.run(() -> {
      SiteSockets sockets = sites.remove(origin);
      if (sockets != null) {
        drop(sockets);
      }
      return true;
    });
  }

  /**
   * Watches what a machine sends by its uplink.
   *
   * @param machine its name
   * @param namespace where the other end of the uplink is
   * @param linkIndex the other end of the uplink: what comes in by it, the machine has sent
   */
  public void watch(String machine, NetNs namespace, int linkIndex)
      throws KernelException, InterruptedException {
    NetSocket capture =
        namespace.<NetSocket, KernelException>call(() -> NetSocket.capture(linkIndex));
    loop.run(() -> {
      captures.add(capture);
      capture.receiveBuffer(CAPTURE_BUFFER);
      loop.add(capture, Epoll.READABLE, _ -> readCapture(machine, capture));
      return true;
    });
  }

  /** Says whose address it is that answers for packets whose time to live ran out. */
  public void name(Ip address, String machine) throws KernelException, InterruptedException {
    loop.run(() -> machines.put(address, machine) == null);
  }

  /**
   * Asks all questions at once.
   *
   * @return one answer a question, in the same order
   * @throws IllegalArgumentException when a question's sender is no site, or has no address of the
   *     destination's family
   */
  public List<Answer> ask(List<Question> questions) throws KernelException, InterruptedException {
    for (Question question : questions) {
      SiteSockets from = sites.get(question.from().origin());
      if (from == null || !from.site.has(question.destination().family())) {
        throw new IllegalArgumentException("nothing can send for " + question);
      }
    }
    return loop.run(() -> {
      renewSenders(questions);
      for (Question question : questions) {
        if (question.protocol() == Protocol.SCTP) {
          SiteSockets from = Objects.requireNonNull(sites.get(question.from().origin()));
          Optional<NetSocket> added = from.addAssociations(question.destination().family());
          if (added.isPresent()) {
            serveAssociations(from, added.get());
          }
        }
      }
      Round begun = new Round(loop, sites, machines, buffer, nextFlight);
      round = begun;
      try {
        return begun.answer(questions);
      } finally {
        nextFlight = begun.nextFlight();
        round = null;
      }
    });
  }

  @Override
  public void close() {
    loop.close();
    sites.values().forEach(SiteSockets::close);
    sites.clear();
    captures.forEach(NetSocket::close);
    captures.clear();
  }

  private void serve(SiteSockets sockets, NetSocket socket, int events, ProbeLoop.Handler handler)
      throws KernelException {
    sockets.tokens.add(loop.register(socket, events, handler));
  }

  private void serveSenders(SiteSockets sockets) throws KernelException {
    for (Map<Flight.Sort, NetSocket> bySort : sockets.senders.values()) {
      for (NetSocket sender : bySort.values()) {
        sockets.senderTokens.add(
            loop.register(sender, Epoll.READABLE, events -> readSender(sender, events)));
      }
    }
  }

  private void renewSenders(List<Question> questions) throws KernelException {
    Set<Origin> senders = new LinkedHashSet<>();
    questions.forEach(question -> senders.add(question.from().origin()));
    for (Origin origin : senders) {
      SiteSockets sockets = Objects.requireNonNull(sites.get(origin));
      List<Long> before = List.copyOf(sockets.senderTokens);
      if (sockets.renewSenders()) {
        before.forEach(loop::forget);
        sockets.senderTokens.clear();
        serveSenders(sockets);
      }
    }
  }

  private void drop(SiteSockets sockets) {
    sockets.tokens.forEach(loop::forget);
    sockets.senderTokens.forEach(loop::forget);
    sockets.close();
  }

  private Optional<Flight> flight(int id) {
    Round current = round;
    return current == null ? Optional.empty() : current.flight(id);
  }

  private void answerDatagrams(SiteSockets sockets, NetSocket server) {
    while (true) {
      int length = buffer.receive(server);
      if (length < 0) {
        return;
      }
      Optional<Endpoint> from = buffer.from();
      int id = Payload.flight(buffer.data(), 0, length, Payload.REQUEST);
      if (id < 0 || from.isEmpty()) {
        continue;
      }
      flight(id).ifPresent(flight -> flight.arrive(sockets.site, from.get().ip()));
      Payload.write(buffer.data(), Payload.REPLY, id);
      // Small, whatever the size of the request: only the way there is measured.
      buffer.sendTo(server, Payload.SIZE, from.get());
    }
  }

  private void readSender(NetSocket sender, int events) {
    if ((events & Epoll.ERROR) != 0) {
      drainErrors(sender);
    }
    while (true) {
      int length = buffer.receive(sender);
      if (length < 0) {
        return; // nothing more, or an error that the queue has told
      }
      flight(Payload.flight(buffer.data(), 0, length, Payload.REPLY))
          .ifPresent(flight -> flight.replied = true);
    }
  }

  private void serveAssociations(SiteSockets sockets, NetSocket socket) throws KernelException {
    serve(sockets, socket, Epoll.READABLE, events -> readAssociations(sockets, socket, events));
  }

  private void readAssociations(SiteSockets sockets, NetSocket socket, int events) {
    if ((events & Epoll.ERROR) != 0) {
      drainErrors(socket);
    }
    while (true) {
      int length = buffer.receive(socket);
      if (length < 0) {
        return;
      }
      Optional<Endpoint> from = buffer.from();
      Optional<SctpPacket> packet = SctpPacket.received(buffer.data(), length, socket.family());
      if (from.isPresent() && packet.isPresent()) {
        take(sockets, socket, packet.get(), from.get().ip());
      }
    }
  }

  private void take(SiteSockets sockets, NetSocket socket, SctpPacket packet, Ip from) {
    Optional<Flight> flight = flight(Flight.ofTag(packet.tag()));
    switch (packet.chunk()) {
      case INIT -> {
        boolean open =
            sockets.site.ports().stream()
                .anyMatch(port ->
                    port.protocol() == Protocol.SCTP && port.number() == packet.destinationPort());
        if (open) {
          flight.ifPresent(arrived -> arrived.arrive(sockets.site, from));
        }
        SctpPacket answer =
            packet.answer(open ? SctpPacket.Chunk.INIT_ACK : SctpPacket.Chunk.ABORT);
        buffer.sendTo(socket, answer.write(buffer), new Endpoint(from, 0));
      }
      case INIT_ACK -> flight.ifPresent(answered -> answered.replied = true);
      case ABORT ->
          flight.ifPresent(refused -> refused.refusedLocally = Errno.ECONNREFUSED.number());
    }
  }

  private void drainErrors(NetSocket sender) {
    while (true) {
      int length = buffer.receiveError(sender);
      if (length < 0) {
        return;
      }
      int id = asked(length);
      buffer.error().ifPresent(error -> flight(id).ifPresent(flight -> flight.fail(error)));
    }
  }

  /** The flight of the packet that an error is about: a datagram's content, or an INIT. */
  private int asked(int length) {
    int id = Payload.flight(buffer.data(), 0, length, Payload.REQUEST);
    return id >= 0
        ? id
        : SctpPacket.read(buffer.data(), 0, length)
            .map(packet -> Flight.ofTag(packet.tag()))
            .orElse(-1);
  }

  private void acceptAll(SiteSockets sockets, NetSocket server) throws KernelException {
    while (true) {
      Optional<NetSocket> accepted = server.accept();
      if (accepted.isEmpty()) {
        return;
      }
      NetSocket connection = accepted.get();
      connection.resetOnClose();
      long[] token = new long[1];
      token[0] =
          loop.register(
              connection, Epoll.READABLE, _ -> answerConnection(sockets, connection, token[0]));
    }
  }

  private void answerConnection(SiteSockets sockets, NetSocket connection, long token)
      throws KernelException {
    int length = buffer.receive(connection);
    int id = length < 0 ? -1 : Payload.flight(buffer.data(), 0, length, Payload.REQUEST);
    if (id >= 0) {
      Optional<Flight> flight = flight(id);
      if (flight.isPresent()) {
        flight.get().arrive(sockets.site, connection.remote().ip());
      }
      Payload.write(buffer.data(), Payload.REPLY, id);
      buffer.send(connection, Payload.SIZE);
    } else { // the other side is done, or is no probe
      loop.forget(token);
      connection.close();
    }
  }

  private void readCapture(String machine, NetSocket capture) {
    while (true) {
      int length = snapped.receive(capture);
      if (length < 0) {
        return;
      }
      Frame.read(snapped.data(), length, vxlanPort)
          .ifPresent(frame ->
              flight(frame.flight())
                  .ifPresent(flight -> flight.seen.putIfAbsent(machine, frame.outer())));
    }
  }
}
