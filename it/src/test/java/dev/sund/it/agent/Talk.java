package dev.sund.it.agent;

import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;

/**
 * A connection that stays: both of its ends are held here, in two namespaces, and a byte goes there
 * and back whenever it is asked for.
 */
final class Talk implements AutoCloseable {
  private static final int LOOKED_FOR_MILLIS = 400;
  private static final int PATIENCE_MILLIS = 5_000;

  private final AutoCloseable server;
  private final AutoCloseable client;
  private final Trip trip;

  /** One byte there and back. */
  private interface Trip {
    boolean takes(int millis) throws IOException;
  }

  private Talk(AutoCloseable server, AutoCloseable client, Trip trip) {
    this.server = server;
    this.client = client;
    this.trip = trip;
  }

  /**
   * Begins a TCP connection.
   *
   * @param server where the server listens, at the address and port it has there
   * @param asked whom the client asks, which may be a Service
   */
  static Talk tcp(NetNs server, InetSocketAddress listens, NetNs client, InetSocketAddress asked)
      throws Exception {
    Socket[] ends = new Socket[2];
    try (ServerSocket listener =
        server.call(() -> {
          ServerSocket made = new ServerSocket();
          made.setReuseAddress(true);
          made.bind(listens);
          made.setSoTimeout(PATIENCE_MILLIS);
          return made;
        })) {
      ends[0] =
          client.call(() -> {
            Socket made = new Socket();
            made.setTcpNoDelay(true); // makes the descriptor here
            return made;
          });
      ends[0].connect(asked, PATIENCE_MILLIS);
      ends[1] = listener.accept();
    }
    Talk talk =
        new Talk(
            ends[1],
            ends[0],
            millis -> {
              ends[0].getOutputStream().write(42);
              ends[1].setSoTimeout(millis);
              ends[1].getOutputStream().write(ends[1].getInputStream().read());
              ends[0].setSoTimeout(millis);
              return ends[0].getInputStream().read() == 42;
            });
    return talk.begun();
  }

  /** As {@link #tcp}, by UDP. */
  static Talk udp(NetNs server, InetSocketAddress listens, NetNs client, InetSocketAddress asked)
      throws Exception {
    DatagramSocket there = server.call(() -> new DatagramSocket(listens));
    DatagramSocket here =
        client.call(() -> new DatagramSocket(new InetSocketAddress(any(asked), 0)));
    Talk talk =
        new Talk(
            there,
            here,
            millis -> {
              there.setSoTimeout(millis);
              here.setSoTimeout(millis);
              here.send(new DatagramPacket(new byte[] {42}, 1, asked));
              DatagramPacket came = new DatagramPacket(new byte[1], 1);
              there.receive(came);
              there.send(came);
              here.receive(came);
              return came.getData()[0] == 42;
            });
    return talk.begun();
  }

  private static InetAddress any(InetSocketAddress like) throws IOException {
    return InetAddress.getByName(like.getAddress().getAddress().length == 4 ? "0.0.0.0" : "::");
  }

  private Talk begun() throws Exception {
    if (!trip.takes(PATIENCE_MILLIS)) {
      close();
      throw new AssertionError("no byte came back");
    }
    return this;
  }

  /** Whether a byte goes there and back; waits for it with patience. */
  boolean lives() throws IOException {
    try {
      return trip.takes(PATIENCE_MILLIS);
    } catch (SocketTimeoutException _) {
      return false;
    }
  }

  /** Whether a byte does not go there; looks for it for a moment. */
  boolean isCut() throws IOException {
    try {
      return !trip.takes(LOOKED_FOR_MILLIS);
    } catch (SocketTimeoutException _) {
      return true;
    }
  }

  @Override
  public void close() throws Exception {
    client.close();
    server.close();
  }
}
