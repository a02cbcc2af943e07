package dev.sund.agent.drops;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/** The last dropped packets, so many and no more. From any thread. */
final class DropRing {
  private final int most;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition grown = lock.newCondition();
  private final Deque<DropEvent> events = new ArrayDeque<>();
  private long last;

  /** Keeps at most {@code most}. */
  DropRing(int most) {
    this.most = most;
  }

  /** Adds these, and gives them their numbers. */
  void add(List<DropEvent> more) {
    lock.lock();
    try {
      for (DropEvent event : more) {
        if (events.size() == most) {
          events.removeFirst();
        }
        events.addLast(event.as(++last));
      }
      grown.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** The number of the last one; 0 before the first. */
  long last() {
    lock.lock();
    try {
      return last;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Those with greater numbers that are still there, in order.
   *
   * @param wait how long to wait for the first
   */
  List<DropEvent> after(long number, Duration wait) throws InterruptedException {
    long left = wait.toNanos();
    lock.lock();
    try {
      while (last <= number && left > 0) {
        left = grown.awaitNanos(left);
      }
      List<DropEvent> found = new ArrayList<>();
      for (DropEvent event : events) {
        if (event.number() > number) {
          found.add(event);
        }
      }
      return found;
    } finally {
      lock.unlock();
    }
  }
}
