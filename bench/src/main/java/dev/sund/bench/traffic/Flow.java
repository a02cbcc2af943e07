package dev.sund.bench.traffic;

import dev.sund.kernel.NetNs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/**
 * TCP between two {@link Ends}. The server runs on a thread of its own; one thread uses the rest.
 *
 * <p>A connection's first byte says what it is for: {@code T}, the server takes all there is and
 * then answers with how many bytes came in how many nanoseconds; {@code R}, it sends every byte
 * back.
 */
public final class Flow implements AutoCloseable {
  private static final byte TAKE = 'T';
  private static final byte RETURN = 'R';
  private static final int CHUNK = 128 * 1024;
  private static final int PORT = 5201;

  private final Ends ends;
  private final ServerSocketChannel listener;
  private final SocketChannel requests;

  /** Opens the server and one connection for requests. */
  public Flow(Ends ends) throws IOException {
    this.ends = ends;
    listener = NetNs.call(ends.server().path(), ServerSocketChannel::open);
    listener.bind(new InetSocketAddress(PORT));
    Thread server = new Thread(this::serve, "sund-bench-server");
    server.setDaemon(true);
    server.start();
    requests = connect();
    requests.setOption(StandardSocketOptions.TCP_NODELAY, true);
    send(requests, RETURN);
  }

  private SocketChannel connect() throws IOException {
    SocketChannel channel = NetNs.call(ends.client().path(), SocketChannel::open);
    channel.connect(new InetSocketAddress(InetAddress.getByName(ends.address().toString()), PORT));
    return channel;
  }

  /**
   * Sends as much as the network takes for a while.
   *
   * @return what the server received, in Gbit/s
   */
  public double throughput(Duration length) throws IOException {
    ByteBuffer data = ByteBuffer.allocateDirect(CHUNK);
    try (SocketChannel channel = connect()) {
      send(channel, TAKE);
      long end = System.nanoTime() + length.toNanos();
      while (System.nanoTime() < end) {
        data.clear();
        while (data.hasRemaining()) {
          channel.write(data);
        }
      }
      channel.shutdownOutput();
      ByteBuffer answer = ByteBuffer.allocate(16);
      fill(channel, answer);
      answer.flip();
      double bits = answer.getLong() * 8.0;
      return bits / answer.getLong();
    }
  }

  /**
   * Sends one byte and waits for it, again and again for a while.
   *
   * @return round trips per second
   */
  public double requests(Duration length) throws IOException {
    ByteBuffer data = ByteBuffer.allocateDirect(1);
    long begun = System.nanoTime();
    long count = 0;
    while (System.nanoTime() - begun < length.toNanos()) {
      data.clear();
      requests.write(data);
      data.clear();
      fill(requests, data);
      count++;
    }
    return count * 1e9 / (System.nanoTime() - begun);
  }

  private void serve() {
    while (true) {
      try {
        SocketChannel channel = listener.accept();
        Thread thread = new Thread(() -> serve(channel), "sund-bench-connection");
        thread.setDaemon(true);
        thread.start();
      } catch (IOException closed) {
        return;
      }
    }
  }

  private static void serve(SocketChannel accepted) {
    try (SocketChannel channel = accepted) {
      ByteBuffer purpose = ByteBuffer.allocate(1);
      fill(channel, purpose);
      if (purpose.get(0) == TAKE) {
        take(channel);
      } else {
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        ByteBuffer data = ByteBuffer.allocateDirect(1);
        while (true) {
          data.clear();
          fill(channel, data);
          data.flip();
          channel.write(data);
        }
      }
    } catch (IOException _) {
      // The client is gone: what it wanted to know it has.
    }
  }

  private static void take(SocketChannel channel) throws IOException {
    ByteBuffer data = ByteBuffer.allocateDirect(CHUNK);
    long bytes = 0;
    long begun = System.nanoTime();
    while (true) {
      data.clear();
      int read = channel.read(data);
      if (read < 0) {
        break;
      }
      bytes += read;
    }
    ByteBuffer answer = ByteBuffer.allocate(16);
    answer.putLong(bytes).putLong(System.nanoTime() - begun).flip();
    channel.write(answer);
  }

  private static void send(SocketChannel channel, byte purpose) throws IOException {
    channel.write(ByteBuffer.wrap(new byte[] {purpose}));
  }

  private static void fill(SocketChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new ClosedChannelException();
      }
    }
  }

  @Override
  public void close() throws IOException {
    requests.close();
    listener.close();
  }
}
