package dev.sund.it.service;

import dev.sund.kernel.NetNs;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.io.IOException;
import java.net.ConnectException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Asks {@link Answerers} from a namespace, with sockets like everybody's. */
final class Asker {
  private static final int PATIENCE_MILLIS = 700;

  /** Who has taken a connection answers, however late the machine lets him. */
  private static final int ANSWER_MILLIS = 20_000;

  private Asker() {}

  /** Asks once with a few bytes. */
  static Heard ask(NetNs from, Protocol protocol, Ip address, int port) throws IOException {
    return ask(from, protocol, address, port, 10);
  }

  /** Asks once with so many bytes. */
  static Heard ask(NetNs from, Protocol protocol, Ip address, int port, int bytes)
      throws IOException {
    return ask(from, protocol, address, port, bytes, 1).getFirst();
  }

  /** Asks so often, each time by a socket of its own, and so from a port of its own. */
  static List<Heard> ask(NetNs from, Protocol protocol, Ip address, int port, int bytes, int times)
      throws IOException {
    return ask(from, protocol, address, port, bytes, times, PATIENCE_MILLIS);
  }

  /** The same where an answer is sure to come: it is waited for, however busy the machine is. */
  static List<Heard> askUntilAnswered(
      NetNs from, Protocol protocol, Ip address, int port, int bytes, int times)
      throws IOException {
    return ask(from, protocol, address, port, bytes, times, ANSWER_MILLIS);
  }

  private static List<Heard> ask(
      NetNs from, Protocol protocol, Ip address, int port, int bytes, int times, int patienceMillis)
      throws IOException {
    InetSocketAddress at = new InetSocketAddress(InetAddress.getByAddress(address.toBytes()), port);
    List<Heard> heard = new ArrayList<>();
    for (int asked = 0; asked < times; ) {
      int some = Math.min(100, times - asked);
      asked += some;
      switch (protocol) {
        case TCP -> {
          for (Socket socket : sockets(from, some)) {
            heard.add(connect(socket, at, bytes));
          }
        }
        case UDP -> {
          for (DatagramSocket socket : datagramSockets(from, some)) {
            heard.add(send(socket, at, bytes, patienceMillis));
          }
        }
        case SCTP, ICMP -> throw new IllegalArgumentException("no sockets for " + protocol);
      }
    }
    return heard;
  }

  /** Asks so often by TCP, with as much patience as takes to send a first packet again. */
  static List<Heard> askPatiently(NetNs from, Ip address, int port, int times) throws IOException {
    InetSocketAddress at = new InetSocketAddress(InetAddress.getByAddress(address.toBytes()), port);
    List<Heard> heard = new ArrayList<>();
    for (Socket socket : sockets(from, times)) {
      heard.add(connect(socket, at, 10, 5 * PATIENCE_MILLIS));
    }
    return heard;
  }

  /** Asks once by TCP from a port of the asker's choice. */
  static Heard askFrom(NetNs from, int sourcePort, Ip address, int port) throws IOException {
    Socket socket =
        from.<Socket, IOException>call(() -> {
          Socket made = new Socket();
          made.setReuseAddress(true);
          made.bind(new InetSocketAddress(sourcePort));
          return made;
        });
    return connect(
        socket, new InetSocketAddress(InetAddress.getByAddress(address.toBytes()), port), 10);
  }

  private static List<Socket> sockets(NetNs from, int count) throws IOException {
    return from.<List<Socket>, IOException>call(() -> {
      List<Socket> made = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        Socket socket = new Socket();
        socket.setTcpNoDelay(true); // makes the descriptor here
        made.add(socket);
      }
      return made;
    });
  }

  private static List<DatagramSocket> datagramSockets(NetNs from, int count) throws IOException {
    return from.<List<DatagramSocket>, IOException>call(() -> {
      List<DatagramSocket> made = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        made.add(new DatagramSocket());
      }
      return made;
    });
  }

  private static Heard connect(Socket socket, InetSocketAddress at, int bytes) throws IOException {
    return connect(socket, at, bytes, PATIENCE_MILLIS);
  }

  private static Heard connect(Socket socket, InetSocketAddress at, int bytes, int patienceMillis)
      throws IOException {
    try (socket) {
      socket.setSoTimeout(ANSWER_MILLIS);
      socket.connect(at, patienceMillis);
      socket.getOutputStream().write(new byte[bytes]);
      socket.shutdownOutput();
      String text = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return heard(text, bytes);
    } catch (SocketTimeoutException _) {
      return Heard.SILENCE;
    } catch (ConnectException e) {
      return String.valueOf(e.getMessage()).contains("refused") ? Heard.REFUSED : Heard.NO_WAY;
    } catch (SocketException e) {
      return told(e);
    }
  }

  private static Heard send(
      DatagramSocket socket, InetSocketAddress at, int bytes, int patienceMillis)
      throws IOException {
    try (socket) {
      socket.connect(at);
      socket.setSoTimeout(patienceMillis);
      byte[] content = new byte[bytes];
      try {
        socket.send(new DatagramPacket(content, bytes));
      } catch (IOException e) {
        if (!String.valueOf(e.getMessage()).contains("not permitted")) {
          throw e;
        }
        // The asker's own kernel let it not out: dropped, or refused as the socket is told next.
      }
      DatagramPacket answer = new DatagramPacket(new byte[2048], 2048);
      socket.receive(answer);
      return heard(
          new String(answer.getData(), 0, answer.getLength(), StandardCharsets.UTF_8), bytes);
    } catch (SocketTimeoutException _) {
      return Heard.SILENCE;
    } catch (PortUnreachableException _) {
      return Heard.REFUSED;
    } catch (SocketException e) {
      return told(e);
    }
  }

  private static Heard told(SocketException e) throws SocketException {
    String text = String.valueOf(e.getMessage()).toLowerCase(java.util.Locale.ROOT);
    if (text.contains("no route") || text.contains("unreachable")) {
      return Heard.NO_WAY;
    }
    throw e;
  }

  private static Heard heard(String text, int bytes) throws IOException {
    String[] words = text.split(" ");
    if (words.length != 3 || Integer.parseInt(words[2]) != bytes) {
      throw new IOException("an answer to " + bytes + " bytes is '" + text + "'");
    }
    return Heard.answered(words[0], words[1]);
  }
}
