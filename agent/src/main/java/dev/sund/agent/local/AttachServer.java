package dev.sund.agent.local;

import dev.sund.agent.log.Log;
import dev.sund.model.Marks;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.Semaphore;

/**
 * Serves the agent's Unix socket. Every connection has its own virtual thread and {@link
 * #DEADLINE}; a client that says nothing, or too much, holds nobody up.
 *
 * <p>The socket appears under its name with its final permissions, over a dead one of an earlier
 * agent: it is bound beside its place and renamed.
 */
public final class AttachServer implements AutoCloseable {
  /** The socket's name in the run directory. */
  public static final String SOCKET_NAME = "agent.sock";

  /** The longest life of a connection. */
  public static final Duration DEADLINE = Duration.ofSeconds(60);

  private static final int MAX_REQUEST_BYTES = 1 << 20;
  private static final int MAX_CONNECTIONS = 256;

  private final Path path;
  private final ServerSocketChannel server;
  private final Requests requests;
  private final Log log;
  private final Semaphore room = new Semaphore(MAX_CONNECTIONS);
  private final Thread acceptor;

  private AttachServer(Path path, ServerSocketChannel server, LocalCalls calls, Log log) {
    this.path = path;
    this.server = server;
    this.requests = new Requests(calls);
    this.log = log;
    this.acceptor =
        Thread.ofVirtual().name(Marks.THREAD_PREFIX + "attach").unstarted(this::acceptAll);
  }

  /**
   * Binds the socket and serves it until {@link #close}.
   *
   * @param runDir an existing directory; its path and the socket's name fit in 107 bytes
   * @param calls the agent
   */
  public static AttachServer start(Path runDir, LocalCalls calls, Log log) throws IOException {
    Path path = runDir.resolve(SOCKET_NAME);
    Path fresh = runDir.resolve(SOCKET_NAME + ".new");
    Files.deleteIfExists(fresh);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(fresh), MAX_CONNECTIONS);
      Files.setPosixFilePermissions(fresh, PosixFilePermissions.fromString("rw-------"));
      Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException | RuntimeException e) {
      server.close();
      Files.deleteIfExists(fresh);
      throw e;
    }
    AttachServer started = new AttachServer(path, server, calls, log);
    started.acceptor.start();
    return started;
  }

  /** Where the socket is. */
  public Path path() {
    return path;
  }

  /** Ends service; calls under way run to their end. Idempotent. */
  @Override
  public void close() throws IOException {
    if (server.isOpen()) {
      Files.deleteIfExists(path);
      server.close();
    }
  }

  private void acceptAll() {
    while (server.isOpen()) {
      try {
        SocketChannel channel = server.accept();
        if (!room.tryAcquire()) {
          channel.close();
          log.warn("too many local calls at once", "limit", MAX_CONNECTIONS);
          continue;
        }
        Thread.ofVirtual().name(Marks.THREAD_PREFIX + "call").start(() -> converse(channel));
      } catch (AsynchronousCloseException _) {
        return;
      } catch (IOException e) {
        log.error("the local socket does not accept", "error", e.getMessage());
        if (!pause()) {
          return;
        }
      }
    }
  }

  private void converse(SocketChannel channel) {
    Thread self = Thread.currentThread();
    Thread guard =
        Thread.ofVirtual()
            .name(Marks.THREAD_PREFIX + "call-guard")
            .start(() -> {
              try {
                Thread.sleep(DEADLINE);
                self.interrupt(); // closes the channel under whoever waits for it
              } catch (InterruptedException _) {
                // the call is over
              }
            });
    try (channel) {
      byte[] request = readAll(channel);
      Answer answer =
          request.length > MAX_REQUEST_BYTES
              ? Requests.undecodable("The request is longer than " + MAX_REQUEST_BYTES + " bytes.")
              : requests.answer(request);
      byte[] json = answer.json().getBytes(StandardCharsets.UTF_8);
      ByteBuffer out = ByteBuffer.allocate(json.length + 1);
      out.put((byte) ('0' + answer.exitCode())).put(json).flip();
      while (out.hasRemaining()) {
        channel.write(out);
      }
    } catch (IOException e) {
      log.debug("a local call broke off", "error", String.valueOf(e.getMessage()));
    } catch (InterruptedException _) {
      log.warn("a local call took too long", "limit", DEADLINE);
    } catch (RuntimeException e) {
      log.error("a local call failed", "error", e.toString());
    } finally {
      guard.interrupt();
      room.release();
    }
  }

  private static byte[] readAll(SocketChannel channel) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream(1024);
    ByteBuffer buffer = ByteBuffer.allocate(8192);
    while (all.size() <= MAX_REQUEST_BYTES && channel.read(buffer) >= 0) {
      all.write(buffer.array(), 0, buffer.position());
      buffer.clear();
    }
    return all.toByteArray();
  }

  private static boolean pause() {
    try {
      Thread.sleep(100);
      return true;
    } catch (InterruptedException _) {
      return false;
    }
  }
}
