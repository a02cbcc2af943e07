package dev.sund.it.doctor;

import dev.sund.kernel.NetNs;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A DNS server of a few names in a namespace, which may be made to misbehave. It shares no code
 * with the client that is tested.
 */
final class SmallDns implements AutoCloseable {
  private static final int A = 1;
  private static final int AAAA = 28;
  private static final int HEADER = 12;

  /** How it misbehaves. */
  enum Fault {
    /** Questions for AAAA are not answered. */
    NO_AAAA,
    /** Of two questions by one socket the second is lost, as in the kernel's race. */
    LOSES_THE_SECOND,
    /** Answers by UDP say that there is more, and have nothing. */
    TRUNCATED,
    /** Each name is answered by SERVFAIL. */
    FAILS
  }

  private final Map<String, String> names = new ConcurrentHashMap<>();
  private final Set<Fault> faults = ConcurrentHashMap.newKeySet();
  private final Map<Integer, Integer> questionsByPort = new HashMap<>();
  private volatile boolean asked;
  private final List<Thread> threads;
  private final DatagramSocket udp;
  private final ServerSocket tcp;

  /** Listens at an address of a namespace. */
  SmallDns(NetNs namespace, String address) throws Exception {
    InetSocketAddress place = new InetSocketAddress(InetAddress.getByName(address), 53);
    udp = namespace.call(() -> new DatagramSocket(place));
    tcp =
        namespace.call(() -> {
          ServerSocket socket = new ServerSocket();
          socket.bind(place);
          return socket;
        });
    threads =
        List.of(
            Thread.ofPlatform().daemon().name("small-dns-udp").start(this::datagrams),
            Thread.ofPlatform().daemon().name("small-dns-tcp").start(this::connections));
  }

  /** A name that it knows. */
  SmallDns knows(String name, String address) {
    names.put(name, address);
    return this;
  }

  /** Has these faults from now on, and no other. */
  void misbehave(Fault... now) {
    faults.clear();
    faults.addAll(Set.of(now));
  }

  /** Whether anybody has asked. */
  boolean asked() {
    return asked;
  }

  private void datagrams() {
    byte[] bytes = new byte[4_096];
    while (!udp.isClosed()) {
      try {
        DatagramPacket packet = new DatagramPacket(bytes, bytes.length);
        udp.receive(packet);
        ByteBuffer question = ByteBuffer.wrap(bytes, 0, packet.getLength());
        if (packet.getLength() <= HEADER || question.getShort(2) < 0) {
          continue; // an answer, which nobody asked for
        }
        asked = true;
        int type = type(question);
        boolean second = questionsByPort.merge(packet.getPort(), 1, Integer::sum) > 1;
        if ((faults.contains(Fault.NO_AAAA) && type == AAAA)
            || (faults.contains(Fault.LOSES_THE_SECOND) && second)) {
          continue;
        }
        byte[] answer = answer(question, type, faults.contains(Fault.TRUNCATED));
        udp.send(new DatagramPacket(answer, answer.length, packet.getSocketAddress()));
      } catch (IOException e) {
        if (!udp.isClosed()) {
          continue; // somebody's port is closed: the next question
        }
      }
    }
  }

  private void connections() {
    while (!tcp.isClosed()) {
      try (Socket connection = tcp.accept()) {
        connection.setSoTimeout(5_000);
        DataInputStream in = new DataInputStream(connection.getInputStream());
        byte[] question = new byte[in.readUnsignedShort()];
        in.readFully(question);
        ByteBuffer asked = ByteBuffer.wrap(question);
        byte[] answer = answer(asked, type(asked), false);
        OutputStream out = connection.getOutputStream();
        out.write(
            ByteBuffer.allocate(answer.length + 2)
                .putShort((short) answer.length)
                .put(answer)
                .array());
      } catch (IOException e) {
        if (tcp.isClosed()) {
          return;
        }
      }
    }
  }

  private static int type(ByteBuffer question) {
    return question.getShort(question.limit() - 4);
  }

  private byte[] answer(ByteBuffer question, int type, boolean truncated) throws IOException {
    String address = names.get(name(question));
    int code = faults.contains(Fault.FAILS) ? 2 : address == null ? 3 : 0;
    boolean has = code == 0 && type == A && !truncated;
    ByteBuffer out = ByteBuffer.allocate(question.limit() + 16);
    out.put(question.duplicate().position(0));
    out.putShort(2, (short) (0x8180 | (truncated ? 0x200 : 0) | code));
    out.putShort(6, (short) (has ? 1 : 0));
    if (has) {
      out.putShort((short) 0xc00c).putShort((short) A).putShort((short) 1).putInt(5);
      out.putShort((short) 4).put(Inet4Address.getByName(address).getAddress());
    }
    byte[] bytes = new byte[out.position()];
    out.flip().get(bytes);
    return bytes;
  }

  private static String name(ByteBuffer question) {
    StringBuilder name = new StringBuilder();
    int at = HEADER;
    for (int length = question.get(at); length > 0; length = question.get(at)) {
      byte[] label = new byte[length];
      question.get(at + 1, label);
      name.append(name.isEmpty() ? "" : ".").append(new String(label, StandardCharsets.UTF_8));
      at += length + 1;
    }
    return name.toString();
  }

  /** Its port is nobody's when this returns: who still waits at a closed socket keeps it. */
  @Override
  public void close() throws IOException, InterruptedException {
    udp.close();
    tcp.close();
    for (Thread thread : threads) {
      thread.join(Duration.ofSeconds(20));
    }
  }
}
