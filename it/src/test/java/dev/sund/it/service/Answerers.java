package dev.sund.it.service;

import dev.sund.kernel.NetNs;
import dev.sund.model.Ip;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Who answers in pods: by TCP and by UDP, in both families. An answer is {@code NAME SOURCE BYTES}:
 * who answers, whom it saw, how much it was sent.
 */
final class Answerers implements AutoCloseable {
  private static final int MOST = 65_507;

  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  /** Has {@code name} answer at a port in a namespace, from now on. */
  void answer(String name, NetNs namespace, int port) throws IOException {
    InetSocketAddress any = new InetSocketAddress("::", port);
    ServerSocket server =
        namespace.<ServerSocket, IOException>call(() -> {
          ServerSocket made = new ServerSocket();
          made.setReuseAddress(true);
          made.bind(any, 4096);
          return made;
        });
    open.push(server);
    DatagramSocket datagrams =
        namespace.<DatagramSocket, IOException>call(() -> {
          DatagramSocket made = new DatagramSocket(any);
          made.setReceiveBufferSize(1 << 20);
          return made;
        });
    open.push(datagrams);
    Thread.ofVirtual().start(() -> accept(name, server));
    Thread.ofVirtual().start(() -> receive(name, datagrams));
  }

  private static void accept(String name, ServerSocket server) {
    while (!server.isClosed()) {
      try {
        Socket connection = server.accept();
        Thread.ofVirtual().start(() -> serve(name, connection));
      } catch (IOException _) {
        // closed, or the asker went away before its turn
      }
    }
  }

  private static void serve(String name, Socket connection) {
    try (connection) {
      connection.setSoTimeout(120_000);
      long bytes = 0;
      byte[] buffer = new byte[65_536];
      while (true) {
        int count = connection.getInputStream().read(buffer);
        if (count < 0) {
          break;
        }
        bytes += count;
      }
      connection
          .getOutputStream()
          .write(text(name, connection.getInetAddress(), bytes).getBytes(StandardCharsets.UTF_8));
    } catch (IOException _) {
      // the asker has seen it too
    }
  }

  private static void receive(String name, DatagramSocket socket) {
    byte[] buffer = new byte[MOST];
    while (!socket.isClosed()) {
      try {
        DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
        socket.receive(packet);
        byte[] answer =
            text(name, packet.getAddress(), packet.getLength()).getBytes(StandardCharsets.UTF_8);
        socket.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
      } catch (IOException _) {
        // closed, or an asker that is gone
      }
    }
  }

  private static String text(String name, InetAddress source, long bytes) {
    String address = source.getHostAddress();
    int zone = address.indexOf('%');
    return name + " " + Ip.parse(zone < 0 ? address : address.substring(0, zone)) + " " + bytes;
  }

  @Override
  public void close() throws Exception {
    while (!open.isEmpty()) {
      open.pop().close();
    }
  }
}
