package dev.sund.kernel;

import dev.sund.kernel.libc.Libc;
import java.lang.System.Logger;
import java.lang.ref.PhantomReference;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * An open file descriptor and the duty to close it.
 *
 * <p>Closes once, however often asked, so that a number that the kernel has meanwhile given to
 * someone else is never closed. Remembers what it is and where it was opened: {@link
 * #openDescriptors} is what tests look at for leaks, and a descriptor that the garbage collector
 * finds unclosed is closed and reported when the next one is opened. Any thread may close.
 */
public final class Fd implements AutoCloseable {
  private static final Logger LOG = System.getLogger(Fd.class.getName());
  private static final Set<Registration> OPEN = ConcurrentHashMap.newKeySet();
  // A queue that is looked at, and no Cleaner: its thread would be born in, and keep alive,
  // whatever
  // network namespace the first descriptor happened to be opened in.
  private static final ReferenceQueue<Fd> LOST = new ReferenceQueue<>();
  private static final StackWalker STACK = StackWalker.getInstance();

  private final int number;
  private final Registration registration;

  private Fd(int number, String what) {
    this.number = number;
    this.registration = new Registration(this, number, what, openedAt());
    OPEN.add(registration);
  }

  /**
   * Takes over an open descriptor.
   *
   * @param number the descriptor, from 0
   * @param what what it is, for reports: {@code netlink socket}
   */
  public static Fd own(int number, String what) {
    reportLost();
    if (number < 0) {
      throw new IllegalArgumentException("a descriptor is not negative, but is " + number);
    }
    return new Fd(number, what);
  }

  /**
   * The descriptor's number, for the next call.
   *
   * @throws IllegalStateException when it has been closed
   */
  public int number() {
    if (registration.closed.get()) {
      throw new IllegalStateException(registration.what + " is closed");
    }
    return number;
  }

  /** What it is, as told when it was opened: {@code netlink socket 0 of blue}. */
  public String what() {
    return registration.what;
  }

  /** Whether {@link #close} has been called. */
  public boolean isClosed() {
    return registration.closed.get();
  }

  /** Closes the descriptor; does nothing when it is closed. */
  @Override
  public void close() {
    registration.close();
    Reference.reachabilityFence(this);
  }

  /** What is open now, in no order: one line each, with where it was opened. */
  public static List<String> openDescriptors() {
    return OPEN.stream().map(Registration::toString).sorted().toList();
  }

  /** What it is, and its number. */
  @Override
  public String toString() {
    return registration.what + " (descriptor " + number + ")";
  }

  private static void reportLost() {
    Reference<? extends Fd> reference;
    while ((reference = LOST.poll()) != null) {
      Registration lost = (Registration) reference;
      if (lost.close()) {
        LOG.log(Logger.Level.WARNING, "leaked, closed by the garbage collector: {0}", lost);
      }
    }
  }

  private static String openedAt() {
    return STACK.walk(frames ->
        frames
            .filter(frame -> !frame.getClassName().equals(Fd.class.getName()))
            .limit(6)
            .map(StackWalker.StackFrame::toString)
            .reduce((left, right) -> left + " < " + right)
            .orElse("?"));
  }

  private static final class Registration extends PhantomReference<Fd> {
    private final int number;
    private final String what;
    private final String openedAt;
    private final AtomicBoolean closed = new AtomicBoolean();

    Registration(@Nullable Fd fd, int number, String what, String openedAt) {
      super(fd, LOST);
      this.number = number;
      this.what = what;
      this.openedAt = openedAt;
    }

    boolean close() {
      if (!closed.compareAndSet(false, true)) {
        return false;
      }
      OPEN.remove(this);
      // close(2) releases the number even where it reports an error: there is nothing to retry.
      Libc.close(number);
      return true;
    }

    @Override
    public String toString() {
      return what + " (descriptor " + number + "), opened at " + openedAt;
    }
  }
}
