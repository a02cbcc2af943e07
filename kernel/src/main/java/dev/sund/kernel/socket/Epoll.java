package dev.sund.kernel.socket;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Waits for many sockets at once (epoll(7), level-triggered). Each socket has a token of the
 * caller's, by which events name it.
 *
 * <pre>{@code
 * int count = epoll.await(100);
 * for (int i = 0; i < count; i++) {
 *   handle(epoll.token(i), epoll.events(i));
 * }
 * }</pre>
 *
 * <p>Sockets may be added from any thread; one platform thread waits. A closed socket leaves by
 * itself. The opener closes.
 */
public final class Epoll implements AutoCloseable {
  /** Something can be read, or a connection accepted. */
  public static final int READABLE = 1;

  /** Something can be written, or a connection's outcome is known. */
  public static final int WRITABLE = 4;

  /** An error waits, on the error queue too; always reported. */
  public static final int ERROR = 8;

  /** The other side is gone; always reported. */
  public static final int HANG_UP = 16;

  private static final int EPOLL_CLOEXEC = 0x80000;
  private static final int CTL_ADD = 1;
  private static final int CTL_DEL = 2;
  private static final int CTL_MOD = 3;
  private static final int BATCH = 512;

  private final Fd fd;
  private final MemorySegment ready;

  private Epoll(Fd fd) {
    this.fd = fd;
    this.ready = Arena.ofAuto().allocate((long) Libc.EPOLL_EVENT_SIZE * BATCH, 8);
  }

  /** Opens one that waits for nothing yet. */
  public static Epoll open() throws KernelException {
    int number = Errno.check(Libc.epollCreate1(EPOLL_CLOEXEC), "open", "epoll");
    return new Epoll(Fd.own(number, "epoll"));
  }

  /** Waits for {@code events} of the socket from now on. */
  public void add(NetSocket socket, int events, long token) throws KernelException {
    control(CTL_ADD, socket.number(), events, token);
  }

  /** As {@link #add(NetSocket, int, long)}, for a wakeup. */
  public void add(Wakeup wakeup, long token) throws KernelException {
    control(CTL_ADD, wakeup.number(), READABLE, token);
  }

  /** Waits for other events of a socket that was added. */
  public void change(NetSocket socket, int events, long token) throws KernelException {
    control(CTL_MOD, socket.number(), events, token);
  }

  /** Waits for the socket no more. */
  public void remove(NetSocket socket) throws KernelException {
    control(CTL_DEL, socket.number(), 0, 0);
  }

  private void control(int operation, int number, int events, long token) throws KernelException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(Libc.EPOLL_EVENT_SIZE, 8);
      event.set(JAVA_INT_UNALIGNED, 0, events);
      event.set(JAVA_LONG_UNALIGNED, Libc.EPOLL_EVENT_DATA, token);
      Errno.check(
          Libc.epollCtl(fd.number(), operation, number, event), "epoll_ctl", "socket " + number);
    }
  }

  /**
   * Waits until something happens or the time is over.
   *
   * @param timeoutMillis 0 for not at all, -1 for as long as it takes
   * @return how many sockets have events, at most 512 at a time
   */
  public int await(int timeoutMillis) throws KernelException {
    int count = Libc.epollWait(fd.number(), ready, BATCH, timeoutMillis);
    if (Errno.EINTR.is(count)) {
      return 0;
    }
    return Errno.check(count, "wait", "epoll");
  }

  /** The token of the event at {@code index}. */
  public long token(int index) {
    return ready.get(
        JAVA_LONG_UNALIGNED, (long) index * Libc.EPOLL_EVENT_SIZE + Libc.EPOLL_EVENT_DATA);
  }

  /** What happened to the socket at {@code index}. */
  public int events(int index) {
    return ready.get(JAVA_INT_UNALIGNED, (long) index * Libc.EPOLL_EVENT_SIZE);
  }

  @Override
  public void close() {
    fd.close();
  }
}
