package dev.sund.doctor.probe;

import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.socket.QueuedError;
import dev.sund.model.Family;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A UDP socket for messages. What it sends may not be cut on the way, whatever the kernel has
 * learnt of the way, so that each message is a probe of its size too. One thread; the opener
 * closes.
 */
final class Wire implements AutoCloseable {
  /** No packet of IP is longer. */
  static final int MOST = 65_535;

  private final NetSocket socket;
  private final Errors errors;
  private final MessageBuffer in = new MessageBuffer(MOST);
  private final MessageBuffer out = new MessageBuffer(MOST);
  private final MessageBuffer failed = new MessageBuffer(256);

  /** Who hears what became of packets that were sent. */
  @FunctionalInterface
  interface Errors {
    /**
     * A packet met an error.
     *
     * @param to where it was sent
     */
    void met(QueuedError error, Endpoint to);
  }

  /**
   * A message that came.
   *
   * @param length its bytes as an IP packet
   * @param bytes its bytes, valid until the next one
   */
  record Received(Message message, Endpoint from, int length, ByteBuffer bytes) {}

  private Wire(NetSocket socket, Errors errors) {
    this.socket = socket;
    this.errors = errors;
  }

  /**
   * Opens it.
   *
   * @param local port 0 for any
   */
  static Wire open(NetNs node, Endpoint local, Errors errors) throws KernelException {
    NetSocket socket = node.call(() -> NetSocket.udp(local.ip().family()));
    try {
      return new Wire(socket.probeMtu().queueErrors().bind(local), errors);
    } catch (KernelException e) {
      socket.close();
      throw e;
    }
  }

  NetSocket socket() {
    return socket;
  }

  /** What IP and UDP add to a message. */
  int headers() {
    return headers(socket.family());
  }

  /** What IP and UDP add to a message. */
  static int headers(Family family) {
    return family == Family.V4 ? 28 : 48;
  }

  /**
   * Sends a message that is as long as it must be.
   *
   * @param length with IP's and UDP's headers
   * @return 0, or the negated errno: EMSGSIZE when the device is too narrow
   */
  int send(Message message, int length, Endpoint to) {
    message.write(out.data(), 0, length - headers());
    return transmit(length, to);
  }

  /** Sends a message with bytes of its own behind the header. */
  int send(Message message, int length, Endpoint to, long first, long second) {
    message.write(out.data(), 0, length - headers());
    out.data().putLong(Message.HEADER, first).putLong(Message.HEADER + 8, second);
    return transmit(length, to);
  }

  private int transmit(int length, Endpoint to) {
    int result = out.sendTo(socket, length - headers(), to);
    if (result < 0 && !Errno.EMSGSIZE.is(result)) {
      drain(); // an earlier packet's error is told to the next one
      result = out.sendTo(socket, length - headers(), to);
    }
    return Math.min(result, 0);
  }

  /** The next message that waits, of those that are ours. */
  Optional<Received> receive() {
    while (true) {
      int length = in.receive(socket);
      if (length < 0) {
        if (Errno.EAGAIN.is(length) || !drain()) {
          return Optional.empty();
        }
        continue;
      }
      Optional<Message> message = Message.read(in, length);
      Optional<Endpoint> from = in.from();
      if (message.isPresent() && from.isPresent()) {
        return Optional.of(new Received(message.get(), from.get(), length + headers(), in.data()));
      }
    }
  }

  /** Hears all errors that wait; whether there was one. */
  boolean drain() {
    boolean any = false;
    for (int length = failed.receiveError(socket);
        length >= 0;
        length = failed.receiveError(socket)) {
      any = true;
      Optional<Endpoint> to = failed.from();
      failed.error().ifPresent(error -> to.ifPresent(where -> errors.met(error, where)));
    }
    return any;
  }

  @Override
  public void close() {
    socket.close();
  }
}
