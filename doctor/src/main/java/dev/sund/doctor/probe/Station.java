package dev.sund.doctor.probe;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.kernel.socket.Endpoint;
import dev.sund.kernel.socket.MessageBuffer;
import dev.sund.kernel.socket.NetSocket;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * One end of a session: sends test packets to the other end, and hears those that come. Both ends
 * are alike. One thread; the opener closes.
 */
final class Station implements AutoCloseable {
  /** No test packet is longer, its headers with it. */
  static final int MOST_BYTES = 128;

  /** So many different ones of a kind can be told apart. */
  static final int MOST_NUMBERS = 64;

  private final NetNs node;
  private final Message session;
  private final Endpoint other;
  private final List<Ip> podSources;
  private final Heard heard;
  private final MessageBuffer buffer = new MessageBuffer(256);

  private Station(NetNs node, Message session, Endpoint other, List<Ip> podSources, Heard heard) {
    this.node = node;
    this.session = session;
    this.other = other;
    this.podSources = podSources;
    this.heard = heard;
  }

  /**
   * Opens it and begins to listen.
   *
   * @param session a message of the session
   * @param other where the other end is, with its port
   * @param podSources addresses of pods of this node, at most one of each family
   * @throws KernelException.Denied without CAP_NET_RAW
   */
  static Station open(NetNs node, Message session, Endpoint other, List<Ip> podSources)
      throws KernelException {
    return new Station(node, session, other, podSources, Heard.open(node, session, other.ip()));
  }

  /** How this end reaches the other one now. */
  Reach reach() throws KernelException {
    return Reach.to(node, other.ip());
  }

  /** What has been heard. */
  Heard heard() {
    return heard;
  }

  /** Why a kind cannot be sent from here; empty when it can. */
  Optional<String> obstacle(Crossing kind, Reach reach) {
    Optional<String> obstacle = kind.obstacle(reach);
    return obstacle.isEmpty() && kind == Crossing.POD_SOURCE && podSource(reach).isEmpty()
        ? Optional.of("no pod address of this family known: --pod-source ADDR")
        : obstacle;
  }

  private Optional<Ip> podSource(Reach reach) {
    return podSources.stream().filter(one -> one.family() == reach.local().family()).findFirst();
  }

  /**
   * Sends test packets of a kind that has no obstacle.
   *
   * @param first the number of the first one
   * @return how many the kernel took
   */
  int send(Crossing kind, Reach reach, int first, int count) throws KernelException {
    int sent = 0;
    try (NetSocket socket = node.call(() -> socket(kind, reach))) {
      for (int number = first; number < first + count; number++) {
        byte[] bytes = bytes(kind, reach, number % MOST_NUMBERS);
        buffer.data().put(0, bytes);
        int result =
            isFrame(kind)
                ? buffer.send(socket, bytes.length)
                : buffer.sendTo(
                    socket,
                    bytes.length,
                    new Endpoint(other.ip(), kind == Crossing.BGP ? 0 : kind.port()));
        sent += result == bytes.length ? 1 : 0;
      }
    }
    return sent;
  }

  /** A UDP port of this end that was free a moment ago. */
  int freePort() throws KernelException {
    Family family = other.ip().family();
    try (NetSocket socket = node.call(() -> NetSocket.udp(family))) {
      return socket.bind(Endpoint.any(family, 0)).local().port();
    }
  }

  private static boolean isFrame(Crossing kind) {
    return switch (kind) {
      case POD_SOURCE, SECOND_MAC, FOREIGN_ANSWER -> true;
      case IPIP, VXLAN, FLANNEL, GENEVE, WIREGUARD, BGP -> false;
    };
  }

  private static NetSocket socket(Crossing kind, Reach reach) throws KernelException {
    Family family = reach.local().family();
    return switch (kind) {
      case IPIP -> NetSocket.raw(family, 4);
      case BGP -> NetSocket.raw(family, 6);
      case VXLAN, FLANNEL, GENEVE, WIREGUARD -> NetSocket.udp(family);
      case POD_SOURCE, SECOND_MAC, FOREIGN_ANSWER -> NetSocket.frames(reach.index());
    };
  }

  private byte[] bytes(Crossing kind, Reach reach, int number) {
    Message message = session.with(Message.Kind.CROSSING, number, kind.ordinal(), "");
    byte[] payload = new byte[Message.HEADER];
    message.write(ByteBuffer.wrap(payload), 0, payload.length);
    Ip local = reach.local();
    Ip remote = other.ip();
    int type = PacketForms.etherType(local.family());
    return switch (kind) {
      case VXLAN, FLANNEL, GENEVE, WIREGUARD -> payload;
      case IPIP -> PacketForms.udp(local, remote, other.port(), other.port(), payload);
      case BGP -> PacketForms.syn(local, remote, 0xb000 | number, kind.port(), session.mark());
      case POD_SOURCE -> {
        Ip pod = podSource(reach).orElseThrow();
        yield PacketForms.frame(
            reach.nextMac().orElseThrow(),
            reach.mac().orElseThrow(),
            type,
            PacketForms.udp(pod, remote, other.port(), other.port(), payload));
      }
      case SECOND_MAC ->
          PacketForms.frame(
              reach.nextMac().orElseThrow(),
              PacketForms.second(reach.mac().orElseThrow()),
              type,
              PacketForms.udp(local, remote, other.port(), other.port(), payload));
      case FOREIGN_ANSWER -> {
        Mac mac = reach.mac().orElseThrow();
        yield local.family() == Family.V4
            ? PacketForms.frame(
                reach.nextMac().orElseThrow(),
                mac,
                0x0806,
                PacketForms.arpAnswer(mac, PacketForms.foreign(), remote, session.mark(), number))
            : PacketForms.frame(
                reach.nextMac().orElseThrow(),
                mac,
                type,
                PacketForms.neighbourAnswer(mac, local, remote, session.mark(), number));
      }
    };
  }

  @Override
  public void close() {
    heard.close();
  }
}
