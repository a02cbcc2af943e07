package dev.sund.lab.measure;

import dev.sund.engine.trace.Packet.Origin;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.Epoll;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.lab.question.Answer;
import dev.sund.lab.question.Question;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One asking of many questions: all packets are sent together, in the order of the questions, and
 * waited for once. Runs on the loop's thread.
 *
 * <p>A datagram that nobody answers is sent again twice, since a single one may be lost for many
 * reasons; TCP does so itself.
 */
final class Round {
  private static final long RESEND_NANOS = 250_000_000L;
  private static final int ATTEMPTS = 3;
  private static final long CONNECT_NANOS = 1_600_000_000L;
  private static final int LATE_TURNS = 5_000;
  private static final int OPEN_AT_ONCE = 4_000;
  private static final int CONNECT_CHUNK = 500;

  /** How often a Service is asked, since each time chance may choose another endpoint. */
  private static final int TRIES = 3;

  private final ProbeLoop loop;
  private final Map<Origin, SiteSockets> sites;
  private final Map<Ip, String> machines;
  private final MessageBuffer buffer;
  private final Map<Integer, Flight> flights = new HashMap<>();
  private final List<Runnable> closeLate = new ArrayList<>();
  private int next;
  private int openConnections;
  private int lateTurns;

  Round(
      ProbeLoop loop,
      Map<Origin, SiteSockets> sites,
      Map<Ip, String> machines,
      MessageBuffer buffer,
      int firstFlight) {
    this.loop = loop;
    this.sites = sites;
    this.machines = machines;
    this.buffer = buffer;
    this.next = firstFlight;
  }

  int nextFlight() {
    return next;
  }

  Optional<Flight> flight(int id) {
    return Optional.ofNullable(flights.get(id));
  }

  /** A question, its flights so far, and for sizes the search for the bound. */
  private record Asked(Question question, List<Flight> flights, SizeSearch search) {}

  /** Asks; then asks again about sizes until the bound is known. */
  List<Answer> answer(List<Question> questions) throws KernelException {
    List<Asked> asked = questions.stream().map(this::first).toList();
    fly(asked.stream().flatMap(each -> each.flights.stream()).toList());
    while (true) {
      List<Flight> more = new ArrayList<>();
      for (Asked each : asked) {
        if (each.question.kind() == Question.Kind.MTU) {
          for (int size : each.search.nextSizes()) {
            more.add(each.search.fly(flight(each.question, Flight.Sort.SIZED, size)));
          }
        }
      }
      if (more.isEmpty()) {
        break;
      }
      fly(more);
    }
    List<Answer> answers = new ArrayList<>();
    for (Asked each : asked) {
      answers.add(
          switch (each.question.kind()) {
            case REACH -> Verdicts.reached(each.flights.getFirst(), machines);
            case SERVICE -> Verdicts.served(each.flights, machines);
            case PATH -> Verdicts.path(each.flights, machines);
            case MTU -> each.search.answer();
          });
    }
    return answers;
  }

  private Asked first(Question question) {
    SizeSearch search = new SizeSearch(question.destination().family());
    List<Flight> begun = new ArrayList<>();
    switch (question.kind()) {
      case REACH -> begun.add(request(question));
      case SERVICE -> {
        for (int i = 0; i < TRIES; i++) {
          begun.add(request(question));
        }
      }
      case PATH -> {
        begun.add(flight(question, Flight.Sort.DATAGRAM, 0));
        for (int ttl = 1; ttl <= Verdicts.FARTHEST; ttl++) {
          begun.add(flight(question, Flight.Sort.LIMITED, ttl));
        }
      }
      case MTU -> {
        for (int size : question.sizes()) {
          begun.add(search.fly(flight(question, Flight.Sort.SIZED, size)));
        }
      }
    }
    return new Asked(question, begun, search);
  }

  private Flight request(Question question) {
    Flight.Sort sort =
        switch (question.protocol()) {
          case TCP -> Flight.Sort.CONNECTION;
          case SCTP -> Flight.Sort.ASSOCIATION;
          case UDP, ICMP -> Flight.Sort.DATAGRAM;
        };
    return flight(question, sort, 0);
  }

  private Flight flight(Question question, Flight.Sort sort, int number) {
    Flight flight = new Flight(next++, question, sort, number);
    flights.put(flight.id, flight);
    return flight;
  }

  /** Sends all and waits until each is settled or has had its time. */
  private void fly(List<Flight> all) throws KernelException {
    List<Flight> datagrams = new ArrayList<>();
    List<Flight> connections = new ArrayList<>();
    for (Flight flight : all) {
      (flight.sort == Flight.Sort.CONNECTION ? connections : datagrams).add(flight);
    }
    sendAll(datagrams);
    connectAll(connections);
    List<Flight> open = datagrams;
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
      open = waitFor(open, System.nanoTime() + RESEND_NANOS * attempt);
      if (attempt < ATTEMPTS) {
        sendAll(open);
      }
    }
    if (!connections.isEmpty()) {
      waitFor(connections, connections.getLast().sentAt + CONNECT_NANOS);
    }
    closeLate.forEach(Runnable::run);
    closeLate.clear();
  }

  /** Waits until all are settled or the time is over; returns those that are not. */
  private List<Flight> waitFor(List<Flight> flying, long deadline) throws KernelException {
    int settled = 0; // all before this one are
    while (true) {
      while (settled < flying.size() && flying.get(settled).settled()) {
        settled++;
      }
      if (settled == flying.size() || !turnUntil(deadline)) {
        break;
      }
    }
    return flying.stream().filter(flight -> !flight.settled()).toList();
  }

  private boolean turnUntil(long deadline) throws KernelException {
    long left = deadline - System.nanoTime();
    if (left <= 0) {
      // What lies ready came in time, though this thread was not let run in time.
      return lateTurns++ < LATE_TURNS && loop.turn(1);
    }
    loop.turn((int) Math.min(left / 1_000_000 + 1, 20));
    return true;
  }

  private void sendAll(List<Flight> datagrams) throws KernelException {
    int sent = 0;
    for (Flight flight : datagrams) {
      send(flight);
      if (++sent % 32 == 0) {
        loop.turn(0);
      }
    }
  }

  private SiteSockets from(Flight flight) {
    SiteSockets sockets = sites.get(flight.question.from().origin());
    if (sockets == null) {
      throw new IllegalStateException(flight.question.from() + " is no site");
    }
    return sockets;
  }

  private void send(Flight flight) throws KernelException {
    Family family = flight.question.destination().family();
    NetSocket socket = from(flight).sender(family, flight.sort);
    int length = Payload.SIZE;
    if (flight.sort == Flight.Sort.LIMITED) {
      socket.timeToLive(flight.number);
    } else if (flight.sort == Flight.Sort.SIZED) {
      length = flight.number - SizeSearch.headers(family);
    }
    flight.sentAt = System.nanoTime();
    flight.attempts++;
    // The first failure may be an earlier packet's: reporting it clears it.
    for (int attempt = 0; attempt < 3; attempt++) {
      Endpoint to = flight.destination();
      if (flight.sort == Flight.Sort.ASSOCIATION) {
        length = flight.init().write(buffer);
        to = new Endpoint(to.ip(), 0); // raw sockets have no ports
      } else {
        Payload.write(buffer.data(), Payload.REQUEST, flight.id);
      }
      int result = buffer.sendTo(socket, length, to);
      if (result >= 0) {
        return;
      }
      boolean tooLong = Errno.EMSGSIZE.is(result) && attempt > 0;
      if (tooLong || attempt == 2) {
        flight.refusedLocally = -result;
        return;
      }
      loop.turn(Errno.EAGAIN.is(result) || Errno.ENOBUFS.is(result) ? 5 : 0);
    }
  }

  private void connectAll(List<Flight> connections) throws KernelException {
    for (int begin = 0; begin < connections.size(); begin += CONNECT_CHUNK) {
      List<Flight> chunk =
          connections.subList(begin, Math.min(begin + CONNECT_CHUNK, connections.size()));
      Map<SiteSockets, Map<Family, List<Flight>>> bySite = new LinkedHashMap<>();
      for (Flight flight : chunk) {
        bySite
            .computeIfAbsent(from(flight), _ -> new EnumMap<>(Family.class))
            .computeIfAbsent(flight.question.destination().family(), _ -> new ArrayList<>())
            .add(flight);
      }
      for (var site : bySite.entrySet()) {
        for (var family : site.getValue().entrySet()) {
          List<NetSocket> sockets =
              site.getKey().openConnections(family.getKey(), family.getValue().size());
          for (int i = 0; i < sockets.size(); i++) {
            connect(family.getValue().get(i), sockets.get(i));
          }
          loop.turn(0);
        }
      }
      long deadline = System.nanoTime() + CONNECT_NANOS;
      while (openConnections >= OPEN_AT_ONCE && turnUntil(deadline)) {
        // those that were answered make room
      }
    }
  }

  private void connect(Flight flight, NetSocket socket) throws KernelException {
    flight.sentAt = System.nanoTime();
    flight.attempts++;
    int result = socket.tryConnect(flight.destination());
    if (result < 0 && !Errno.EINPROGRESS.is(result)) {
      flight.refusedLocally = -result;
      socket.close();
      return;
    }
    openConnections++;
    Connection connection = new Connection(flight, socket);
    connection.token = loop.register(socket, Epoll.WRITABLE, connection);
    closeLate.add(connection::end);
  }

  /** The sender's side of a TCP probe: connected, greeted, answered. */
  private final class Connection implements ProbeLoop.Handler {
    private final Flight flight;
    private final NetSocket socket;
    private long token;
    private boolean greeted;

    Connection(Flight flight, NetSocket socket) {
      this.flight = flight;
      this.socket = socket;
    }

    @Override
    public void ready(int events) throws KernelException {
      if (!greeted) {
        int error = socket.pendingError();
        if (error != 0) {
          flight.refusedLocally = error;
          end();
          return;
        }
        greeted = true;
        socket.resetOnClose();
        Payload.write(buffer.data(), Payload.REQUEST, flight.id);
        buffer.send(socket, Payload.SIZE);
        loop.change(socket, Epoll.READABLE, token);
        return;
      }
      int length = buffer.receive(socket);
      if (Errno.EAGAIN.is(length)) {
        return;
      }
      if (Payload.flight(buffer.data(), 0, length, Payload.REPLY) == flight.id) {
        flight.replied = true;
      } else if (length < 0) {
        flight.refusedLocally = -length;
      }
      end();
    }

    void end() {
      if (!socket.isClosed()) {
        loop.forget(token);
        socket.close();
        openConnections--;
      }
    }
  }
}
