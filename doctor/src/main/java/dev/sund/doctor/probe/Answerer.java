package dev.sund.doctor.probe;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.Epoll;
import dev.sund.kernel.socket.QueuedError;
import dev.sund.kernel.socket.Wakeup;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;

/**
 * The other side of a probe. It listens on one UDP port, answers what has a session's keys, and
 * sends no more bytes than it was sent: nobody can use it against a third, and a first question
 * from an address that is not the sender's gets one short answer. Needs CAP_NET_RAW. One platform
 * thread runs it; {@link #stop} may come from any.
 */
public final class Answerer implements AutoCloseable {
  /** The UDP port if no other is named. */
  public static final int PORT = 7883;

  private static final int MOST_SESSIONS = 8;
  private static final long IDLE_NANOS = 15_000_000_000L;

  private final NetNs node;
  private final List<Ip> podSources;
  private final RandomGenerator random;
  private final Consumer<String> say;
  private final Epoll epoll;
  private final Wakeup wakeup;
  private final List<Wire> wires = new ArrayList<>();
  private final List<Session> sessions = new ArrayList<>();
  private volatile boolean stopped;
  private int served;

  private Answerer(
      NetNs node,
      List<Ip> podSources,
      RandomGenerator random,
      Consumer<String> say,
      Epoll epoll,
      Wakeup wakeup) {
    this.node = node;
    this.podSources = podSources;
    this.random = random;
    this.say = say;
    this.epoll = epoll;
    this.wakeup = wakeup;
  }

  /**
   * Begins to listen.
   *
   * @param listen addresses and port
   * @param podSources addresses of pods of this node, for packets as pods would send them
   * @param random for the sessions' tokens: one that cannot be guessed
   * @param say hears of each session's begin and end
   * @throws KernelException.Denied without CAP_NET_RAW
   */
  public static Answerer open(
      NetNs node,
      List<Endpoint> listen,
      List<Ip> podSources,
      RandomGenerator random,
      Consumer<String> say)
      throws KernelException {
    Answerer made = new Answerer(node, podSources, random, say, Epoll.open(), Wakeup.open());
    boolean whole = false;
    try {
      made.epoll.add(made.wakeup, -1);
      for (Endpoint local : listen) {
        made.listen(local);
      }
      // Refused now rather than at the first question.
      Heard.open(node, new Message(0, 0, 0, Message.Kind.HELLO, 0, 0, ""), listen.getFirst().ip())
          .close();
      whole = true;
      return made;
    } finally {
      if (!whole) {
        made.close();
      }
    }
  }

  private void listen(Endpoint local) throws KernelException {
    try {
      Wire wire = Wire.open(node, local, this::met);
      wires.add(wire);
      epoll.add(wire.socket(), Epoll.READABLE, wires.size() - 1);
    } catch (KernelException.Unsupported e) {
      if (wires.isEmpty()) {
        throw e;
      } // a kernel without IPv6
    }
  }

  /**
   * Answers until the time is over or {@link #stop} is called.
   *
   * @param nanos how long; empty for ever
   * @return how many sessions there were
   */
  public int run(OptionalLong nanos) throws KernelException {
    long begin = System.nanoTime();
    while (!stopped) {
      long left = nanos.orElse(Long.MAX_VALUE) - (System.nanoTime() - begin);
      if (left <= 0) {
        break;
      }
      int ready = epoll.await((int) Math.min(1_000, left / 1_000_000 + 1));
      for (int i = 0; i < ready; i++) {
        if (epoll.token(i) >= 0) {
          hear(wires.get((int) epoll.token(i)));
        }
      }
      forget(System.nanoTime());
    }
    return served;
  }

  /** Makes {@link #run} return. */
  public void stop() {
    stopped = true;
    wakeup.signal();
  }

  private void hear(Wire wire) {
    wire.drain();
    while (!stopped) {
      Optional<Wire.Received> received = wire.receive();
      if (received.isEmpty()) {
        return;
      }
      try {
        take(wire, received.get(), System.nanoTime());
      } catch (KernelException e) {
        say.accept(received.get().from().ip() + ": " + e.getMessage());
      }
    }
  }

  private void take(Wire wire, Wire.Received received, long now) throws KernelException {
    Message message = received.message();
    for (Session session : sessions) {
      boolean again =
          message.kind() == Message.Kind.HELLO && session.beganWith(message, received.from());
      if (again || session.isMeant(message, received.from())) {
        session.take(received, now);
        if (message.kind() == Message.Kind.BYE) {
          end(session, "done");
        }
        return;
      }
    }
    boolean first = message.kind() == Message.Kind.HELLO && message.token() == 0;
    if (first && received.length() >= Message.QUESTION) {
      begin(wire, received, now);
    }
  }

  private void begin(Wire wire, Wire.Received received, long now) throws KernelException {
    Message hello = received.message();
    if (sessions.size() >= MOST_SESSIONS) {
      Message busy = hello.with(Message.Kind.ANSWER, hello.sequence(), 0, "busy=1");
      wire.send(busy, busy.length() + wire.headers(), received.from());
      return;
    }
    Session session =
        Session.open(
            node, hello.withToken(random.nextLong()), received.from(), podSources, wire, now);
    sessions.add(session);
    served++;
    say.accept(received.from().ip() + ": probe begins");
    session.take(received, now);
  }

  private void forget(long now) {
    for (Session session : List.copyOf(sessions)) {
      if (now - session.lastHeard() > IDLE_NANOS) {
        end(session, "went silent");
      }
    }
  }

  private void end(Session session, String how) {
    sessions.remove(session);
    session.close();
    say.accept(session.prober().ip() + ": " + how);
  }

  private void met(QueuedError error, Endpoint to) {
    for (Session session : sessions) {
      // A closed port of the same machine is what the prober asked about.
      if (session.prober().ip().equals(to.ip())) {
        session.troubles().met(error);
      }
    }
  }

  @Override
  public void close() {
    sessions.forEach(Session::close);
    sessions.clear();
    wires.forEach(Wire::close);
    wakeup.close();
    epoll.close();
  }
}
