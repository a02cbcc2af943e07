package dev.sund.agent.peers;

import dev.sund.model.Family;
import dev.sund.model.Ip;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.function.Predicate;

/**
 * Answers other nodes' questions at this node's address of one family: only nodes of the cluster,
 * never with more bytes than came, and so many a second at most. One thread.
 */
final class PeerEcho implements AutoCloseable {
  /** As many as eight peers send in half a minute. */
  private static final int MOST_A_SECOND = 256;

  private static final long SECOND = 1_000_000_000L;

  private final Ip address;
  private final DatagramChannel channel;
  private long since;
  private int answers;

  private PeerEcho(Ip address, DatagramChannel channel) {
    this.address = address;
    this.channel = channel;
  }

  /**
   * Opens it; in the node's network namespace.
   *
   * @throws IOException when the address is not this machine's, or somebody else has the port
   */
  static PeerEcho open(Ip address, int port, Selector selector) throws IOException {
    DatagramChannel channel = channel(address.family());
    boolean complete = false;
    try {
      channel.bind(new InetSocketAddress(InetAddress.getByAddress(address.toBytes()), port));
      PeerEcho echo = new PeerEcho(address, channel);
      channel.register(selector, SelectionKey.OP_READ, echo);
      complete = true;
      return echo;
    } finally {
      if (!complete) {
        channel.close();
      }
    }
  }

  /** A socket that does not block. */
  static DatagramChannel channel(Family family) throws IOException {
    DatagramChannel channel =
        DatagramChannel.open(
            switch (family) {
              case V4 -> StandardProtocolFamily.INET;
              case V6 -> StandardProtocolFamily.INET6;
            });
    channel.configureBlocking(false);
    return channel;
  }

  Ip address() {
    return address;
  }

  /**
   * Answers what is here.
   *
   * @param known whether an address is a node's
   * @return how many were answered
   */
  int answer(ByteBuffer buffer, Predicate<Ip> known, long now) {
    int before = answers;
    if (now - since >= SECOND) {
      since = now;
      answers = 0;
      before = 0;
    }
    try {
      buffer.clear();
      // A flood is left to the kernel's buffer, which drops: others wait for this thread too.
      for (int i = 0; i < MOST_A_SECOND; i++) {
        if (!(channel.receive(buffer) instanceof InetSocketAddress from)) {
          break;
        }
        buffer.flip();
        var question = PeerMessage.read(buffer).filter(message -> !message.answer());
        if (question.isPresent()
            && answers < MOST_A_SECOND
            && known.test(Ip.of(from.getAddress().getAddress()))) {
          question.get().answered().write(buffer);
          channel.send(buffer, from);
          answers++;
        }
        buffer.clear();
      }
    } catch (IOException _) {
      // Told of an earlier answer: who asked waits no more.
    }
    return answers - before;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
