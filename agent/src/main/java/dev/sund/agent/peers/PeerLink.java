package dev.sund.agent.peers;

import dev.sund.model.Ip;
import dev.sund.model.NodeName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;

/**
 * The way to one peer over one family: a socket of its own, connected, so that the kernel takes no
 * answer from anybody else and tells when the peer's kernel says that nobody listens. One thread,
 * but for {@link #figures}.
 */
final class PeerLink implements AutoCloseable {
  /**
   * Which way.
   *
   * @param local this node's address
   * @param remote the peer's
   */
  record Way(NodeName peer, Ip local, Ip remote) {}

  private final Way way;
  private final long asker;
  private final DatagramChannel channel;
  private final PeerWindow window;

  /** When the next question is due, in nanoseconds of the monotonic clock. */
  long due;

  private PeerLink(Way way, long asker, DatagramChannel channel, PeerWindow window) {
    this.way = way;
    this.asker = asker;
    this.channel = channel;
    this.window = window;
  }

  /** Opens it; in the node's network namespace. */
  static PeerLink open(Way way, int port, long asker, PeerWindow window, Selector selector)
      throws IOException {
    DatagramChannel channel = PeerEcho.channel(way.local().family());
    boolean complete = false;
    try {
      channel.bind(new InetSocketAddress(InetAddress.getByAddress(way.local().toBytes()), 0));
      channel.connect(
          new InetSocketAddress(InetAddress.getByAddress(way.remote().toBytes()), port));
      PeerLink link = new PeerLink(way, asker, channel, window);
      channel.register(selector, SelectionKey.OP_READ, link);
      complete = true;
      return link;
    } finally {
      if (!complete) {
        channel.close();
      }
    }
  }

  Way way() {
    return way;
  }

  /** Sends the next question. */
  synchronized void ask(ByteBuffer buffer, long now) {
    long number = window.ask(now);
    new PeerMessage(false, asker, number).write(buffer);
    try {
      send(buffer, number);
    } catch (IOException _) {
      window.lost(number); // no route, device down: on this way nothing arrives
    }
  }

  /** What an earlier question met is told at the next call, which then has to be made again. */
  private void send(ByteBuffer buffer, long number) throws IOException {
    try {
      channel.write(buffer);
    } catch (PortUnreachableException _) {
      window.refusedBefore(number);
      buffer.rewind();
      channel.write(buffer);
    }
  }

  /** Takes the answers that are here. */
  synchronized void take(ByteBuffer buffer) {
    try {
      buffer.clear();
      while (channel.read(buffer) > 0) {
        long now = System.nanoTime();
        buffer.flip();
        PeerMessage.read(buffer)
            .filter(message -> message.answer() && message.asker() == asker)
            .ifPresent(message -> window.answered(message.sequence(), now));
        buffer.clear();
      }
    } catch (PortUnreachableException _) {
      window.refused();
    } catch (IOException _) {
      // An error that says nothing of a certain question: without an answer it is lost.
    }
  }

  synchronized PeerFigures figures(long now) {
    return window.figures(now);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
