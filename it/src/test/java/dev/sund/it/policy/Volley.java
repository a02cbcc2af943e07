package dev.sund.it.policy;

import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.lab.measure.SctpPacket;
import dev.sund.lab.measure.SctpPacket.Chunk;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * First packets of many connections at once, and who gets them: raw sockets at every place see what
 * arrives there. Each packet carries a number of its own, so that one that was held up and arrives
 * when nobody expects it any more is known for what it is. Nobody listens to TCP anywhere, so that
 * who is let through is refused, and hears of it.
 */
final class Volley implements AutoCloseable {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(8);
  private static final long AGAIN = TimeUnit.MILLISECONDS.toNanos(250);

  /** How long is listened for what must not come; packets cross namespaces at once or queue. */
  private static final long SILENCE = TimeUnit.MILLISECONDS.toNanos(40);

  private static final int FIRST_PORT = 12_000;
  private static final int FIRST_NUMBER = 0x10000;
  private static final int SYN = 2;
  private static final int RST = 4;
  private static final int ICMP = 1;
  private static final int ICMPV6 = 58;

  private final Map<String, NetNs> places;
  private final List<Receiver> receivers = new ArrayList<>();
  private final MessageBuffer buffer = new MessageBuffer(2048);

  /** All that was ever sent, by its number. */
  private final Map<Integer, Shot> sent = new HashMap<>();

  private int nextPort = FIRST_PORT;
  private int nextNumber = FIRST_NUMBER;

  /** A raw socket of one protocol at one place. */
  private record Receiver(String place, Protocol protocol, NetSocket socket) {}

  /** The first packet of a connection, and what became of it. */
  static final class Shot {
    private final String from;
    private final Ip source;
    private final Ip to;
    private final Protocol protocol;
    private final int port;
    private boolean refused;
    private Optional<String> arrived = Optional.empty();

    /**
     * A packet to be sent.
     *
     * @param from the place that sends it
     * @param source the sender's address
     */
    Shot(String from, Ip source, Ip to, Protocol protocol, int port) {
      this.from = from;
      this.source = source;
      this.to = to;
      this.protocol = protocol;
      this.port = port;
    }

    /** The place where it arrived. */
    Optional<String> arrived() {
      return arrived;
    }

    /** Of TCP: whether the sender heard of it that nobody listens. */
    boolean refused() {
      return refused;
    }

    private boolean isOver() {
      return arrived.isPresent() && (protocol != Protocol.TCP || refused);
    }

    @Override
    public String toString() {
      return from + " to " + to + " " + port + "/" + protocol.label();
    }
  }

  /** Opens sockets at all places. */
  static Volley at(Map<String, NetNs> places) throws KernelException {
    Volley volley = new Volley(places);
    for (String place : places.keySet()) {
      volley.listen(place);
    }
    return volley;
  }

  private Volley(Map<String, NetNs> places) {
    this.places = new TreeMap<>(places);
  }

  /** Opens sockets at one more place. */
  void add(String place, NetNs namespace) throws KernelException {
    places.put(place, namespace);
    listen(place);
  }

  private void listen(String place) throws KernelException {
    receivers.addAll(
        namespace(place)
            .<List<Receiver>, KernelException>call(() -> {
              List<Receiver> opened = new ArrayList<>();
              for (Family family : Family.values()) {
                for (Protocol protocol : Protocol.values()) {
                  NetSocket socket = NetSocket.raw(family, number(protocol, family));
                  opened.add(new Receiver(place, protocol, socket.receiveBuffer(1 << 20)));
                }
              }
              return opened;
            }));
  }

  private NetNs namespace(String place) {
    return Optional.ofNullable(places.get(place)).orElseThrow();
  }

  private static int number(Protocol protocol, Family family) {
    return protocol == Protocol.ICMP ? (family == Family.V4 ? ICMP : ICMPV6) : protocol.number();
  }

  /**
   * Sends all of them and listens; those that are to arrive are sent again while they do not, with
   * much patience.
   *
   * @param shots each with whether it is to arrive
   * @throws IllegalStateException when one arrives that an earlier volley had to miss
   */
  void fire(Map<Shot, Boolean> shots) throws Exception {
    List<Shot> late = new ArrayList<>(shots.keySet());
    long start = System.nanoTime();
    send(late);
    long sentAt = System.nanoTime();
    while (true) {
      listen(shots);
      late.removeIf(shot -> shot.isOver() || !expected(shots, shot));
      long now = System.nanoTime();
      if ((late.isEmpty() && now - sentAt > SILENCE) || now - start > PATIENCE) {
        break;
      }
      if (!late.isEmpty() && now - sentAt > AGAIN) {
        send(late);
        sentAt = System.nanoTime();
      }
      Thread.sleep(1);
    }
    listen(shots);
  }

  private static boolean expected(Map<Shot, Boolean> shots, Shot shot) {
    return shots.getOrDefault(shot, false);
  }

  // What is sent.

  private void send(List<Shot> shots) throws Exception {
    Map<String, List<Shot>> byPlace = new LinkedHashMap<>();
    shots.forEach(shot -> byPlace.computeIfAbsent(shot.from, _ -> new ArrayList<>()).add(shot));
    for (Map.Entry<String, List<Shot>> some : byPlace.entrySet()) {
      namespace(some.getKey())
          .<Optional<Void>, Exception>call(() -> {
            sendFromHere(some.getValue());
            return Optional.empty();
          });
    }
  }

  private void sendFromHere(List<Shot> shots) throws KernelException {
    Map<List<Object>, NetSocket> open = new HashMap<>();
    int port = nextPort++;
    try {
      for (Shot shot : shots) {
        List<Object> key = List.of(shot.protocol, shot.source);
        NetSocket socket = open.get(key);
        if (socket == null) {
          socket = socket(shot, port);
          open.put(key, socket);
        }
        int number = nextNumber++;
        sent.put(number, shot);
        boolean portless = shot.protocol != Protocol.UDP;
        int length = write(shot, port, number);
        int result = buffer.sendTo(socket, length, new Endpoint(shot.to, portless ? 0 : shot.port));
        // What the sender's own kernel lets not out is told at once, or by the next one.
        if (result < 0 && !Errno.EPERM.is(result) && !isUnreachable(result)) {
          throw new IllegalStateException(shot + ": " + result);
        }
      }
    } finally {
      open.values().forEach(NetSocket::close);
    }
  }

  private static boolean isUnreachable(int result) {
    return Errno.EHOSTUNREACH.is(result)
        || Errno.ENETUNREACH.is(result)
        || Errno.ECONNREFUSED.is(result);
  }

  private NetSocket socket(Shot shot, int port) throws KernelException {
    Family family = shot.to.family();
    if (shot.protocol == Protocol.UDP) {
      return NetSocket.udp(family).bind(new Endpoint(shot.source, port));
    }
    NetSocket raw = NetSocket.raw(family, number(shot.protocol, family));
    return raw.bind(new Endpoint(shot.source, 0));
  }

  private int write(Shot shot, int port, int number) {
    ByteBuffer data = buffer.data();
    switch (shot.protocol) {
      case UDP -> {
        data.putInt(0, number);
        return 4;
      }
      case SCTP -> {
        return new SctpPacket(port, shot.port, Chunk.INIT, number).write(buffer);
      }
      case ICMP -> {
        boolean v4 = shot.to.family() == Family.V4;
        data.putShort(0, (short) (v4 ? 0x0800 : 0x8000)).putShort(2, (short) 0);
        data.putShort(4, (short) port).putShort(6, (short) 1).putInt(8, number);
        data.putShort(2, checksum(words(data.slice(0, 12)))); // of IPv6 the kernel writes it
        return 12;
      }
      case TCP -> {
        data.putShort(0, (short) port).putShort(2, (short) shot.port);
        data.putInt(4, number).putInt(8, 0);
        data.putShort(12, (short) (5 << 12 | SYN)).putShort(14, (short) 65_535).putInt(16, 0);
        int sum = words(ByteBuffer.wrap(shot.source.toBytes()));
        sum += words(ByteBuffer.wrap(shot.to.toBytes())) + Protocol.TCP.number() + 20;
        data.putShort(16, checksum(sum + words(data.slice(0, 20))));
        return 20;
      }
    }
    throw new IllegalStateException();
  }

  private static int words(ByteBuffer bytes) {
    int sum = 0;
    for (int place = 0; place < bytes.limit(); place += 2) {
      sum += bytes.getShort(place) & 0xffff;
    }
    return sum;
  }

  private static short checksum(int sum) {
    int folded = (sum & 0xffff) + (sum >>> 16);
    return (short) ~((folded & 0xffff) + (folded >>> 16));
  }

  // What arrives.

  private void listen(Map<Shot, Boolean> shots) throws KernelException {
    for (Receiver receiver : receivers) {
      for (int length = buffer.receive(receiver.socket);
          length >= 0;
          length = buffer.receive(receiver.socket)) {
        @Nullable Shot shot = read(receiver, length);
        if (shot == null) {
          continue;
        }
        if (!shots.containsKey(shot) && shot.arrived.isEmpty()) {
          throw new IllegalStateException(
              shot + " arrived at " + receiver.place + " when nobody waited for it any more");
        }
        shot.arrived = Optional.of(receiver.place);
      }
    }
  }

  private @Nullable Shot read(Receiver receiver, int length) {
    ByteBuffer data = buffer.data();
    boolean v4 = receiver.socket.family() == Family.V4;
    int at = v4 ? 4 * (data.get(0) & 15) : 0;
    if (length < at + (receiver.protocol == Protocol.TCP ? 20 : 12)) {
      return null;
    }
    return switch (receiver.protocol) {
      case TCP -> {
        int flags = data.get(at + 13) & (SYN | RST);
        if (flags == RST) {
          Shot asked = sent.get(data.getInt(at + 8) - 1);
          if (asked != null && asked.from.equals(receiver.place)) {
            asked.refused = true;
          }
        }
        yield flags == SYN ? sent.get(data.getInt(at + 4)) : null;
      }
      case UDP -> sent.get(data.getInt(at + 8));
      case SCTP ->
          SctpPacket.read(data, at, length)
              .filter(packet -> packet.chunk() == Chunk.INIT)
              .map(packet -> sent.get(packet.tag()))
              .orElse(null);
      case ICMP -> data.get(at) == (v4 ? 8 : (byte) 128) ? sent.get(data.getInt(at + 8)) : null;
    };
  }

  @Override
  public void close() {
    receivers.forEach(receiver -> receiver.socket.close());
  }
}
