package dev.sund.doctor.probe;

import dev.sund.doctor.Line;
import dev.sund.doctor.UnreadException;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.Epoll;
import dev.sund.kernel.socket.QueuedError;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The prober's end of the wire: asks a question until it is answered, and hands everything else
 * that comes to whoever measures. One thread; the opener closes.
 */
final class Asker implements AutoCloseable {
  private static final long MILLI = 1_000_000;
  private static final long FIRST_PATIENCE = 250 * MILLI;
  private static final long LAST_PATIENCE = 1_000 * MILLI;
  private static final int TRIES = 12;
  private static final int FIRST_TRIES = 6;

  private final Wire wire;
  private final Epoll epoll;
  private final Endpoint peer;
  private final Troubles troubles = new Troubles();
  private Message session;
  private Consumer<Wire.Received> other = _ -> {};
  private long patience = FIRST_PATIENCE;
  private int sequence;
  private boolean refused;

  private Asker(Wire wire, Epoll epoll, Endpoint peer, Message session) {
    this.wire = wire;
    this.epoll = epoll;
    this.peer = peer;
    this.session = session;
  }

  /** Opens it; nothing is sent yet. */
  static Asker open(NetNs node, Endpoint peer, Message session) throws KernelException {
    Asker[] self = new Asker[1];
    Wire wire =
        Wire.open(node, Endpoint.any(peer.ip().family(), 0), (error, to) -> self[0].met(error, to));
    Epoll epoll = Epoll.open();
    Asker made = new Asker(wire, epoll, peer, session);
    self[0] = made;
    epoll.add(wire.socket(), Epoll.READABLE, 0);
    return made;
  }

  private void met(QueuedError error, Endpoint to) {
    if (to.equals(peer) && error.errno() == Errno.ECONNREFUSED.number()) {
      refused = true;
    } else if (to.ip().equals(peer.ip())) {
      troubles.met(error);
    }
  }

  Wire wire() {
    return wire;
  }

  Message session() {
    return session;
  }

  Troubles troubles() {
    return troubles;
  }

  Endpoint peer() {
    return peer;
  }

  /** How long an answer may take. */
  long patience() {
    return patience;
  }

  /** Who hears messages that are no answers. */
  void others(Consumer<Wire.Received> sink) {
    other = sink;
  }

  /**
   * Begins the session.
   *
   * @return what the answerer says of itself
   * @throws UnreadException when nobody answers
   */
  Line hello() throws KernelException, UnreadException {
    for (int attempt = 0; attempt < FIRST_TRIES; attempt++) {
      long begin = System.nanoTime();
      Optional<Wire.Received> answer =
          attempt(Message.Kind.HELLO, 0, "", 0, FIRST_PATIENCE << Math.min(attempt, 2));
      if (answer.isPresent()) {
        session = session.withToken(answer.get().message().token());
        Line line = line(answer.get().message());
        if (line.is("busy")) {
          throw new UnreadException(
              name() + " has as many probes as it takes", "Probe it again in half a minute.");
        }
        long took = System.nanoTime() - begin;
        patience = Math.clamp(3 * took + 40 * MILLI, 60 * MILLI, 2_000 * MILLI);
        return line;
      }
      if (refused) {
        throw new UnreadException(
            name() + " refuses (nobody listens at UDP port " + peer.port() + ")", remedy());
      }
    }
    throw new UnreadException(name() + " never replied at UDP port " + peer.port(), remedy());
  }

  private String name() {
    return "the peer " + peer.ip();
  }

  private String remedy() {
    String port = peer.port() == Answerer.PORT ? "" : " --port " + peer.port();
    return "Run sudo sund answer"
        + port
        + " on it, and open UDP port "
        + peer.port()
        + " there for this node.";
  }

  /**
   * Asks.
   *
   * @param paid how many bytes more the answerer needs for what it is to send
   * @throws UnreadException when it answers no more
   */
  Line ask(Message.Kind kind, int value, int paid) throws KernelException, UnreadException {
    return ask(kind, value, sequence + 1, paid);
  }

  /** The same with a sequence number that means something. */
  Line ask(Message.Kind kind, int value, int number, int paid)
      throws KernelException, UnreadException {
    for (int attempt = 0; attempt < TRIES; attempt++) {
      sequence = number;
      // What is lost is asked for again at once; who is held up by other work is given time.
      long time = Math.max(patience, Math.min(patience << Math.min(attempt, 5), LAST_PATIENCE));
      Optional<Wire.Received> answer = attempt(kind, value, "", paid, time);
      if (answer.isPresent()) {
        return line(answer.get().message());
      }
    }
    throw new UnreadException(
        name() + " answers no more, in the middle of the probe",
        "Look at what sund answer says there, and probe again.");
  }

  private static Line line(Message answer) throws UnreadException {
    List<Line> lines = Line.of("probe", answer.text());
    return lines.isEmpty() ? new Line("probe", Map.of()) : lines.getFirst();
  }

  private Optional<Wire.Received> attempt(
      Message.Kind kind, int value, String text, int paid, long time) throws KernelException {
    for (int left = paid; left > 0; left -= Message.QUESTION) {
      wire.send(session.with(Message.Kind.FILLER, 0, 0, ""), Message.QUESTION, peer);
    }
    int asked = sequence;
    wire.send(session.with(kind, asked, value, text), Message.QUESTION + wire.headers(), peer);
    Wire.Received[] answer = new Wire.Received[1];
    listen(
        System.nanoTime() + time,
        received -> {
          Message message = received.message();
          if (message.kind() == Message.Kind.ANSWER && message.sequence() == asked) {
            answer[0] = received;
            return true;
          }
          return refused && session.token() == 0;
        });
    return Optional.ofNullable(answer[0]);
  }

  /** Whether enough was heard. */
  @FunctionalInterface
  interface Enough {
    /** Asked after each message. */
    boolean after(Wire.Received received);
  }

  /** Hears what comes until the time is over or enough was heard. */
  void listen(long until, Enough enough) throws KernelException {
    while (true) {
      wire.drain();
      if (refused && session.token() == 0) {
        return;
      }
      for (Optional<Wire.Received> received = wire.receive();
          received.isPresent();
          received = wire.receive()) {
        Wire.Received one = received.get();
        boolean known =
            session.token() == 0
                ? one.message().mark() == session.mark() && one.message().key() == session.key()
                : one.message().isOf(session);
        if (!known) {
          continue;
        }
        if (one.message().kind() != Message.Kind.ANSWER) {
          other.accept(one);
        }
        if (enough.after(one)) {
          return;
        }
      }
      long left = until - System.nanoTime();
      if (left <= 0) {
        return;
      }
      epoll.await((int) Math.max(1, left / MILLI));
    }
  }

  /** Says that the session is over. */
  void bye() {
    wire.send(session.with(Message.Kind.BYE, 0, 0, ""), Message.QUESTION, peer);
  }

  @Override
  public void close() {
    epoll.close();
    wire.close();
  }
}
