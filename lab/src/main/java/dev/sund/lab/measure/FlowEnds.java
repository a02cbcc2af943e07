package dev.sund.lab.measure;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.Epoll;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.lab.measure.Traffic.Account;
import dev.sund.lab.measure.Traffic.Flow;
import dev.sund.lab.measure.Traffic.Kind;
import dev.sund.model.Family;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;

/** Both ends of a flow, and its account. On the loop's thread. */
final class FlowEnds implements AutoCloseable {
  private static final int MESSAGE = 64;
  private static final long CONNECT_TIMEOUT_NANOS = 10_000_000_000L;

  private final ProbeLoop loop;
  private final Flow flow;
  private final MessageBuffer buffer = new MessageBuffer(65_536);
  private final List<NetSocket> open = new ArrayList<>();
  private final BitSet seen = new BitSet();
  private final List<Stream> streams = new ArrayList<>();
  private final long interval;
  private final NetSocket sender;
  private long nextSend = System.nanoTime();
  private long lastReceived = System.nanoTime();
  private long longestGap;
  private long tried;
  private long sent;
  private long received;
  private long overflow;
  private long failed;
  private long waiting;
  private String problem = "";

  private FlowEnds(ProbeLoop loop, Flow flow, NetSocket sender) {
    this.loop = loop;
    this.flow = flow;
    this.sender = sender;
    this.interval = flow.kind() == Kind.DATAGRAMS ? 1_000_000L : 10_000_000L;
  }

  static FlowEnds open(ProbeLoop loop, Flow flow) throws KernelException {
    Family family = flow.at().ip().family();
    NetSocket sender =
        flow.from()
            .<NetSocket, KernelException>call(() ->
                flow.kind() == Kind.DATAGRAMS ? NetSocket.udp(family) : NetSocket.tcp(family));
    FlowEnds ends = new FlowEnds(loop, flow, sender);
    ends.open.add(sender);
    try {
      if (flow.kind() != Kind.CALLS) {
        ends.listen(family);
      }
      if (flow.kind() == Kind.STREAM) {
        ends.connectStream();
      }
      return ends;
    } catch (KernelException | RuntimeException e) {
      ends.close();
      throw e;
    }
  }

  private void listen(Family family) throws KernelException {
    Endpoint local = Endpoint.any(family, flow.at().port());
    NetSocket server =
        flow.to()
            .<NetSocket, KernelException>call(() ->
                flow.kind() == Kind.DATAGRAMS ? NetSocket.udp(family) : NetSocket.tcp(family));
    open.add(server);
    server.bind(local);
    if (flow.kind() == Kind.DATAGRAMS) {
      server.tellOverflow().receiveBuffer(8 << 20);
      loop.add(server, Epoll.READABLE, _ -> countDatagrams(server));
    } else {
      server.listen(1024);
      loop.add(server, Epoll.READABLE, _ -> accept(server));
    }
  }

  /**
   * Sends all whose time has come. Requests that a busy machine did not come to are left out: to
   * catch up on all of them at once would leave no time to take their answers.
   */
  void sendDue(long now) throws KernelException {
    while (nextSend <= now) {
      nextSend += interval;
      tried++;
      switch (flow.kind()) {
        case DATAGRAMS -> sendDatagram();
        case REQUESTS, CALLS -> {
          nextSend = Math.max(nextSend, now + 1);
          request();
        }
        case STREAM -> {
          for (Stream stream : List.copyOf(streams)) {
            stream.send();
          }
        }
      }
    }
  }

  /** How often it was this flow's turn to send. */
  long tried() {
    return tried;
  }

  private void sendDatagram() {
    buffer.data().putLong(0, sent);
    int result = buffer.sendTo(sender, MESSAGE, flow.at());
    if (result >= 0) {
      sent++;
    } else if (!Errno.EAGAIN.is(result)) { // no room: nothing was sent, and nothing is lost
      fail("send: " + Errno.textOf(-result));
    }
  }

  private void countDatagrams(NetSocket server) {
    while (true) {
      int length = buffer.receive(server);
      if (length < 0) {
        return;
      }
      buffer.overflow().ifPresent(count -> overflow = Integer.toUnsignedLong(count));
      int number = (int) buffer.data().getLong(0);
      if (!seen.get(number)) {
        seen.set(number);
        gotOne();
      }
    }
  }

  private void gotOne() {
    long now = System.nanoTime();
    longestGap = Math.max(longestGap, now - lastReceived);
    lastReceived = now;
    received++;
  }

  private void accept(NetSocket server) throws KernelException {
    while (true) {
      Optional<NetSocket> accepted = server.accept();
      if (accepted.isEmpty()) {
        return;
      }
      NetSocket connection = accepted.get();
      open.add(connection);
      if (flow.kind() == Kind.STREAM) {
        streams.add(new Stream(connection));
      } else {
        connection.resetOnClose();
        long[] token = new long[1];
        token[0] = loop.register(connection, Epoll.READABLE, _ -> answer(connection, token[0]));
      }
    }
  }

  private void answer(NetSocket connection, long token) {
    int length = buffer.receive(connection);
    if (length > 0) {
      buffer.send(connection, length);
    } else if (!Errno.EAGAIN.is(length)) {
      loop.forget(token);
      drop(connection);
    }
  }

  private void drop(NetSocket socket) {
    socket.close();
    open.remove(socket);
  }

  private void request() throws KernelException {
    Family family = flow.at().ip().family();
    NetSocket socket = flow.from().<NetSocket, KernelException>call(() -> NetSocket.tcp(family));
    open.add(socket);
    sent++;
    waiting++;
    Request request = new Request(socket);
    int result = socket.tryConnect(flow.at());
    if (result < 0 && !Errno.EINPROGRESS.is(result)) {
      request.over("connect: " + Errno.textOf(-result));
      return;
    }
    request.token = loop.register(socket, Epoll.WRITABLE, request);
  }

  private final class Request implements ProbeLoop.Handler {
    private final NetSocket socket;
    private final long begun = System.nanoTime();
    private long token;
    private boolean asked;

    Request(NetSocket socket) {
      this.socket = socket;
    }

    @Override
    public void ready(int events) throws KernelException {
      if (!asked) {
        int error = socket.pendingError();
        if (error != 0) {
          over("connect: " + Errno.textOf(error));
          return;
        }
        asked = true;
        socket.resetOnClose();
        buffer.data().putLong(0, sent);
        if (flow.kind() == Kind.CALLS) {
          Payload.write(buffer.data(), Payload.REQUEST, 0); // of no flight
        }
        buffer.send(socket, flow.kind() == Kind.CALLS ? Payload.SIZE : MESSAGE);
        loop.change(socket, Epoll.READABLE, token);
        return;
      }
      int length = buffer.receive(socket);
      if (Errno.EAGAIN.is(length)) {
        return;
      }
      long took = System.nanoTime() - begun;
      if (length <= 0) {
        over("request: " + (length == 0 ? "closed unanswered" : Errno.textOf(-length)));
      } else if (took > CONNECT_TIMEOUT_NANOS) {
        over("request: answered after " + Duration.ofNanos(took).toMillis() + " ms");
      } else {
        gotOne();
        over("");
      }
    }

    void over(String failure) {
      waiting--;
      loop.forget(token);
      drop(socket);
      if (!failure.isEmpty()) {
        fail(failure);
      }
    }
  }

  private void connectStream() throws KernelException {
    int result = sender.tryConnect(flow.at());
    if (result < 0 && !Errno.EINPROGRESS.is(result)) {
      throw Errno.exception("connect", flow.at().toString(), -result, "", Capability.NET_RAW);
    }
    long deadline = System.nanoTime() + CONNECT_TIMEOUT_NANOS;
    while (streams.isEmpty()) { // until the other end has accepted
      if (System.nanoTime() > deadline) {
        throw Errno.exception(
            "connect", flow.at().toString(), Errno.ETIMEDOUT.number(), "", Capability.NET_RAW);
      }
      loop.turn(20);
    }
    streams.add(new Stream(sender));
  }

  /** One end of the TCP connection: numbers go out, and must come in in order. */
  private final class Stream implements ProbeLoop.Handler {
    private final NetSocket socket;
    private final long token;
    private long next;
    private long expected;
    private int partial;
    private long collected;

    Stream(NetSocket socket) throws KernelException {
      this.socket = socket;
      socket.noDelay();
      this.token = loop.register(socket, Epoll.READABLE, this);
    }

    void send() {
      buffer.data().putLong(0, next);
      int result = buffer.send(socket, 8);
      if (result == 8) {
        next++;
        sent++;
      } else {
        // A full send buffer is the network's doing too: nothing has been taken for a long time.
        over("send: " + (result < 0 ? Errno.textOf(-result) : "cut short"));
      }
    }

    @Override
    public void ready(int events) {
      while (true) {
        int length = buffer.receive(socket);
        if (Errno.EAGAIN.is(length)) {
          return;
        }
        if (length <= 0) {
          over("receive: " + (length == 0 ? "closed" : Errno.textOf(-length)));
          return;
        }
        for (int i = 0; i < length; i++) {
          collected = (collected << 8) | (buffer.data().get(i) & 0xff);
          if (++partial == 8) {
            partial = 0;
            if (collected != expected) {
              over("receive: number " + collected + " instead of " + expected);
              return;
            }
            expected++;
            gotOne();
          }
        }
      }
    }

    private void over(String failure) {
      fail(failure);
      loop.forget(token);
      streams.remove(this);
    }
  }

  private void fail(String text) {
    failed++;
    problem(text);
  }

  void problem(String text) {
    if (problem.isEmpty()) {
      problem = text;
    }
  }

  /** Whether nothing is on its way any more. */
  boolean complete() {
    return isRequests() ? waiting == 0 : received >= sent;
  }

  private boolean isRequests() {
    return flow.kind() == Kind.REQUESTS || flow.kind() == Kind.CALLS;
  }

  Account account() {
    long lost = Math.max(0, sent - received - overflow);
    if (isRequests()) {
      failed += waiting; // those that no answer came to
      lost = 0;
    }
    return new Account(
        flow.name(),
        sent,
        received,
        lost,
        overflow,
        failed,
        Duration.ofNanos(longestGap),
        waiting > 0 && problem.isEmpty() ? "request: not answered" : problem);
  }

  @Override
  public void close() {
    open.forEach(NetSocket::close);
    open.clear();
  }
}
