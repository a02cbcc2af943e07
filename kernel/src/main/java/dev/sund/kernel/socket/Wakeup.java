package dev.sund.kernel.socket;

import dev.sund.kernel.Errno;
import dev.sund.kernel.Fd;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.libc.Libc;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Ends another thread's wait in {@link Epoll} (eventfd(2)). Any thread signals, the waiting one
 * clears; the opener closes, after both have stopped.
 */
public final class Wakeup implements AutoCloseable {
  private static final int NONBLOCK_CLOEXEC = 0x800 | 0x80000;

  private final Fd fd;

  private Wakeup(Fd fd) {
    this.fd = fd;
  }

  /** Opens one that is not signalled. */
  public static Wakeup open() throws KernelException {
    int number = Errno.check(Libc.eventfd(0, NONBLOCK_CLOEXEC), "open", "eventfd");
    return new Wakeup(Fd.own(number, "eventfd"));
  }

  int number() {
    return fd.number();
  }

  /** Ends the wait, or the next one. */
  public void signal() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment one = arena.allocateFrom(ValueLayout.JAVA_LONG, 1L);
      long written = Libc.write(fd.number(), one, 8); // EAGAIN: it is signalled to the brim
      assert written == 8 || Errno.EAGAIN.is(written);
    }
  }

  /** Forgets all signals so far. */
  public void clear() {
    try (Arena arena = Arena.ofConfined()) {
      long read = Libc.read(fd.number(), arena.allocate(ValueLayout.JAVA_LONG), 8);
      assert read == 8 || Errno.EAGAIN.is(read);
    }
  }

  @Override
  public void close() {
    fd.close();
  }
}
