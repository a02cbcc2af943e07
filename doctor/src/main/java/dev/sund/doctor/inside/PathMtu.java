package dev.sund.doctor.inside;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.kernel.socket.QueuedError;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How large a packet may be on the way to a DNS server, as far as machines on the way say it: one
 * datagram as large as the device takes, which may not be cut. It has a DNS answer's header that
 * belongs to no question, so that the server passes it over.
 */
final class PathMtu {
  private static final int DNS = 53;
  private static final int TOO_LARGE = 65_000;
  private static final int RESPONSE = 0x80;
  private static final int LOOKS = 6;
  private static final int LOOK_MILLIS = 50;

  private PathMtu() {}

  /**
   * What was learned.
   *
   * @param device what the device takes, or what the kernel has learned of this way before
   * @param path what a machine on the way says it takes; the same when none said anything
   */
  record Known(int device, int path) {}

  /** Sends it, and listens for a moment. Nothing when there is no way at all. */
  static Optional<Known> to(NetNs namespace, Ip server) throws KernelException {
    try (NetSocket socket = namespace.call(() -> NetSocket.udp(server.family()))) {
      socket.queueErrors().dontFragment();
      MessageBuffer message = new MessageBuffer(TOO_LARGE);
      message.data().put(2, (byte) RESPONSE);
      Endpoint to = new Endpoint(server, DNS);
      message.sendTo(socket, TOO_LARGE, to);
      OptionalInt device = told(message, socket, 1);
      if (device.isEmpty()) {
        return Optional.empty();
      }
      int headers = server.family() == Family.V4 ? 28 : 48;
      message.data().clear();
      for (int i = 0; i < 12; i++) {
        message.data().put(i, i == 2 ? (byte) RESPONSE : 0);
      }
      message.sendTo(socket, device.getAsInt() - headers, to);
      return Optional.of(
          new Known(device.getAsInt(), told(message, socket, LOOKS).orElse(device.getAsInt())));
    }
  }

  private static OptionalInt told(MessageBuffer message, NetSocket socket, int looks) {
    for (int i = 0; i < looks; i++) {
      while (message.receiveError(socket) >= 0) {
        if (message.error().isPresent()) {
          QueuedError error = message.error().get();
          if (error.info() > 0) {
            return OptionalInt.of(error.info());
          }
        }
      }
      if (i + 1 < looks) {
        try {
          Thread.sleep(LOOK_MILLIS);
        } catch (InterruptedException _) {
          Thread.currentThread().interrupt();
          return OptionalInt.empty();
        }
      }
    }
    return OptionalInt.empty();
  }
}
