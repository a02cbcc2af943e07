package dev.sund.agent.local;

import dev.sund.agent.log.Log;
import dev.sund.model.Marks;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

/**
 * Serves the agent's Unix socket. Every connection has its own virtual thread and {@link
 * #DEADLINE}; a client that says nothing, or too much, holds nobody up.
 *
 * <p>A platform thread accepts: the kernel wakes it itself, while of a virtual one two other
 * threads would have to hear first, at each pod's start.
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
  private static final long LOOK_MILLIS = 1000;

  private final Path path;
  private final ServerSocketChannel server;
  private final Requests requests;
  private final Log log;
  private final Semaphore room = new Semaphore(MAX_CONNECTIONS);
  private final Map<Thread, Long> underWay = new ConcurrentHashMap<>();
  private final Duration deadline;
  private final Thread acceptor;
  private final Thread guard;

  private AttachServer(
      Path path, ServerSocketChannel server, LocalCalls calls, Log log, Duration deadline) {
    this.deadline = deadline;
    this.path = path;
    this.server = server;
    this.requests = new Requests(calls);
    this.log = log;
    this.acceptor =
        Thread.ofPlatform()
            .name(Marks.THREAD_PREFIX + "attach")
            .daemon(true)
            .inheritInheritableThreadLocals(false)
            .unstarted(this::acceptAll);
    this.guard =
        Thread.ofVirtual().name(Marks.THREAD_PREFIX + "call-guard").unstarted(this::endLateCalls);
  }

  /**
   * Binds the socket and serves it until {@link #close}.
   *
   * @param runDir an existing directory; its path and the socket's name fit in 107 bytes
   * @param calls the agent
   */
  public static AttachServer start(Path runDir, LocalCalls calls, Log log) throws IOException {
    return start(runDir, calls, log, DEADLINE);
  }

  /** As {@link #start(Path, LocalCalls, Log)}, for tests with less patience. */
  static AttachServer start(Path runDir, LocalCalls calls, Log log, Duration deadline)
      throws IOException {
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
    AttachServer started = new AttachServer(path, server, calls, log, deadline);
    started.acceptor.start();
    started.guard.start();
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

  /** Looks once a second: a guard for each call would cost each call three threads' wake-ups. */
  private void endLateCalls() {
    while (server.isOpen() || !underWay.isEmpty()) {
      long latest = System.nanoTime() - deadline.toNanos();
      underWay.forEach((call, began) -> {
        if (began - latest < 0 && underWay.remove(call, began)) {
          call.interrupt(); // closes the channel under whoever waits for it
        }
      });
      if (!pause(Math.min(LOOK_MILLIS, deadline.toMillis()))) {
        return;
      }
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
      } catch (ClosedChannelException _) {
        return;
      } catch (IOException e) {
        log.error("the local socket does not accept", "error", e.getMessage());
        if (!pause(100)) {
          return;
        }
      }
    }
  }

  private void converse(SocketChannel channel) {
    underWay.put(Thread.currentThread(), System.nanoTime());
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
      log.warn("a local call took too long", "limit", deadline);
    } catch (RuntimeException e) {
      log.error("a local call failed", "error", e.toString());
    } finally {
      underWay.remove(Thread.currentThread());
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

  private static boolean pause(long millis) {
    try {
      Thread.sleep(millis);
      return true;
    } catch (InterruptedException _) {
      return false;
    }
  }
}
