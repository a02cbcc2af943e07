package dev.sund.lab.control;

import java.io.IOException;
import java.io.OutputStream;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/** Gives a command to a lab that stands. */
public final class ControlClient {
  private ControlClient() {}

  /**
   * Runs a command and copies what the lab says as it comes.
   *
   * @param socket the lab's
   * @param words the command
   * @return the exit code
   * @throws IOException when there is no lab at the socket, or it ended before it had answered
   */
  public static int run(Path socket, List<String> words, OutputStream out) throws IOException {
    try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      for (String word : words) {
        ByteBuffer bytes = ByteBuffer.wrap((word + "\0").getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
      }
      channel.shutdownOutput();
      int held = -1; // the last byte so far: the exit code once nothing follows
      ByteBuffer buffer = ByteBuffer.allocate(8192);
      while (channel.read(buffer) >= 0) {
        buffer.flip();
        while (buffer.hasRemaining()) {
          if (held >= 0) {
            out.write(held);
          }
          held = buffer.get() & 0xff;
        }
        out.flush();
        buffer.clear();
      }
      if (held < '0' || held > '9') {
        throw new IOException("the lab ended before it had answered");
      }
      return held - '0';
    }
  }
}
