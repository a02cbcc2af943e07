package dev.sund.kube.api;

import java.io.IOException;
import java.net.Socket;
import java.net.SocketOption;
import java.util.Map;
import jdk.net.ExtendedSocketOptions;

/** Makes the sockets of connections to the API server: where it is called decides their network. */
@FunctionalInterface
public interface Dialer {
  /** Sockets in the network namespace of the thread that asks. */
  Dialer HERE = Dialer::newSocket;

  /**
   * A new socket, not connected, whose descriptor exists already, so that it belongs to the network
   * namespace in which this method ran whichever thread connects it later.
   */
  Socket open() throws IOException;

  /**
   * A socket of the calling thread's network namespace that notices within half a minute that the
   * other end is gone without a word.
   */
  static Socket newSocket() throws IOException {
    Socket socket = new Socket();
    try {
      socket.setTcpNoDelay(true); // makes the descriptor
      socket.setKeepAlive(true);
      Map<SocketOption<Integer>, Integer> probes =
          Map.of(
              ExtendedSocketOptions.TCP_KEEPIDLE, 15,
              ExtendedSocketOptions.TCP_KEEPINTERVAL, 5,
              ExtendedSocketOptions.TCP_KEEPCOUNT, 3);
      for (var probe : probes.entrySet()) {
        if (socket.supportedOptions().contains(probe.getKey())) {
          socket.setOption(probe.getKey(), probe.getValue());
        }
      }
      return socket;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }
}
