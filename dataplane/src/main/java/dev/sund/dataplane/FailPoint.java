package dev.sund.dataplane;

import java.util.ArrayList;
import java.util.List;

/**
 * A place between two messages of a batch where the process dies, for tests of kill -9: the system
 * property {@value #PROPERTY} set to {@code DRIVER:N} halts the process when the driver of that
 * name has sent N messages (or, in a driver with transactions, N of these) since the start.
 *
 * <p>The batch in which that happens is split there, so that the kernel has done exactly N. Without
 * the property nothing is counted and nothing split.
 */
public final class FailPoint {
  /** The system property. */
  public static final String PROPERTY = "sund.failpoint";

  /**
   * The system property that has the kernel refuse a message, {@code DRIVER:N}: of the messages of
   * that driver N more are sent, the one after is answered as if the kernel had refused it, and the
   * property is gone. May be set at any time, for tests of what stays behind then.
   */
  public static final String REFUSE = "sund.refuse";

  /** Never dies. */
  public static final FailPoint NONE = new FailPoint("", Long.MAX_VALUE, () -> {});

  /** Exit code of a process that died at its fail point: that of SIGKILL. */
  public static final int EXIT = 137;

  private final String driver;
  private final Runnable die;
  private long left;

  private FailPoint(String driver, long after, Runnable die) {
    this.driver = driver;
    this.left = after;
    this.die = die;
  }

  /** The fail point that the system property asks for, {@link #NONE} without it. */
  public static FailPoint ofProperty() {
    String text = System.getProperty(PROPERTY, "");
    return text.isEmpty() ? NONE : parse(text, () -> Runtime.getRuntime().halt(EXIT));
  }

  /**
   * A fail point {@code DRIVER:N} that runs {@code die} instead of ending the process.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static FailPoint parse(String text, Runnable die) {
    int colon = text.indexOf(':');
    try {
      if (colon > 0) {
        long after = Long.parseLong(text.substring(colon + 1));
        if (after >= 0) {
          return new FailPoint(text.substring(0, colon), after, die);
        }
      }
    } catch (NumberFormatException _) {
      // said below, with the text
    }
    throw new IllegalArgumentException(
        PROPERTY + " must be DRIVER:MESSAGES such as routes:3, but is '" + text + "'");
  }

  /** What sends a batch and returns one answer a message. */
  @FunctionalInterface
  public interface Send<T, R, E extends Exception> {
    /** Sends. */
    List<R> send(List<T> batch) throws E;
  }

  /** Sends {@code batch}, split where the process is to die. */
  public synchronized <T, R, E extends Exception> List<R> through(
      String name, List<T> batch, Send<T, R, E> send) throws E {
    if (!name.equals(driver) || left > batch.size()) {
      left -= name.equals(driver) ? batch.size() : 0;
      return send.send(batch);
    }
    int first = (int) left;
    List<R> answers = new ArrayList<>(first == 0 ? List.of() : send.send(batch.subList(0, first)));
    left = Long.MAX_VALUE;
    die.run();
    if (first < batch.size()) {
      answers.addAll(send.send(batch.subList(first, batch.size())));
    }
    return answers;
  }

  /**
   * Which of the next {@code count} messages of a driver is to be refused, as {@link #REFUSE} says.
   *
   * @return from 0; -1 for none
   */
  public static synchronized int refused(String name, int count) {
    String text = System.getProperty(REFUSE);
    if (text == null || !text.startsWith(name + ":")) {
      return -1;
    }
    int left = Integer.parseInt(text.substring(name.length() + 1));
    if (left < count) {
      System.clearProperty(REFUSE);
      return left;
    }
    System.setProperty(REFUSE, name + ":" + (left - count));
    return -1;
  }

  /** Counts one transaction of {@code name} as done, and dies if it was the last. */
  public synchronized void passed(String name) {
    if (name.equals(driver) && --left <= 0) {
      left = Long.MAX_VALUE;
      die.run();
    }
  }
}
