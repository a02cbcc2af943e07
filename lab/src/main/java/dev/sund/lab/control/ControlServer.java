package dev.sund.lab.control;

import dev.sund.model.Marks;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/**
 * Takes commands at a Unix socket, one at a time: words, each ending in a zero byte, until the
 * client stops writing; the answer is text, and its last byte the exit code as a digit.
 */
public final class ControlServer implements AutoCloseable {
  private static final int LONGEST = 65_536;

  /** Runs a command. */
  @FunctionalInterface
  public interface Commands {
    /** Runs it, writes what there is to say, and returns the exit code, 0 to 9. */
    int run(List<String> words, OutputStream out) throws InterruptedException;
  }

  private final Path path;
  private final ServerSocketChannel channel;
  private final Commands commands;

  private ControlServer(Path path, ServerSocketChannel channel, Commands commands) {
    this.path = path;
    this.channel = channel;
    this.commands = commands;
  }

  /** Starts one; only the owner of the lab may talk to it. */
  public static ControlServer start(Path path, Commands commands) throws IOException {
    ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    channel.bind(UnixDomainSocketAddress.of(path));
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
    ControlServer server = new ControlServer(path, channel, commands);
    Thread.ofPlatform().name(Marks.THREAD_PREFIX + "lab-control").daemon(true).start(server::serve);
    return server;
  }

  /** The socket. */
  public Path path() {
    return path;
  }

  private void serve() {
    while (channel.isOpen()) {
      try (SocketChannel client = channel.accept()) {
        answer(client);
      } catch (AsynchronousCloseException _) {
        return;
      } catch (IOException _) {
        // one client went away, or the channel was closed: the loop's head decides
      } catch (InterruptedException _) {
        return;
      }
    }
  }

  private void answer(SocketChannel client) throws IOException, InterruptedException {
    ByteArrayOutputStream asked = new ByteArrayOutputStream();
    ByteBuffer buffer = ByteBuffer.allocate(4096);
    while (client.read(buffer) >= 0 && asked.size() < LONGEST) {
      asked.write(buffer.array(), 0, buffer.position());
      buffer.clear();
    }
    String text = asked.toString(StandardCharsets.UTF_8);
    List<String> words = text.isEmpty() ? List.of() : List.of(text.split("\0"));
    OutputStream out = Channels.newOutputStream(client);
    int code = commands.run(words, out);
    out.write('0' + code);
    out.flush();
  }

  @Override
  public void close() throws IOException {
    channel.close();
    Files.deleteIfExists(path);
  }
}
