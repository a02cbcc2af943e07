package dev.sund.kernel;

import dev.sund.kernel.libc.Libc;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * An advisory lock on a file that other programs take with flock(2), which the JDK's own file locks
 * do not see. Goes with the process, whatever its end. One holder at a time, also within a process.
 *
 * <p>Not from virtual threads.
 */
public final class FileMutex implements AutoCloseable {
  private static final int O_CREAT = 0x40;
  private static final int O_CLOEXEC = 0x80000;
  private static final int LOCK_EX = 2;
  private static final int LOCK_NB = 4;
  private static final long PAUSE_NANOS = 1_000_000;

  private final Fd file;

  private FileMutex(Fd file) {
    this.file = file;
  }

  /**
   * Takes the lock; makes the file, with this mode, when there is none.
   *
   * @param limit how long to wait for another holder
   * @return empty when another one still has it
   * @throws IOException when the file cannot be opened or locked
   */
  public static Optional<FileMutex> tryLock(Path path, int mode, Duration limit)
      throws IOException {
    Libc.refuseVirtual("FileMutex.tryLock");
    String name = path.toString();
    Fd file;
    try (Arena arena = Arena.ofConfined()) {
      int number = Libc.open(arena.allocateFrom(name), O_CREAT | O_CLOEXEC, mode);
      file = Fd.own(Errno.check(number, "open", name, Capability.DAC_OVERRIDE), "lock " + name);
    }
    boolean locked = false;
    try {
      long deadline = System.nanoTime() + limit.toNanos();
      while (true) {
        int result = Libc.flock(file.number(), LOCK_EX | LOCK_NB);
        if (!Errno.EAGAIN.is(result)) {
          Errno.check(result, "lock", name, Capability.DAC_OVERRIDE);
          locked = true;
          return Optional.of(new FileMutex(file));
        }
        if (System.nanoTime() - deadline >= 0) {
          return Optional.empty();
        }
        LockSupport.parkNanos(PAUSE_NANOS);
      }
    } finally {
      if (!locked) {
        file.close();
      }
    }
  }

  /** Lets go. Idempotent. */
  @Override
  public void close() {
    file.close();
  }
}
