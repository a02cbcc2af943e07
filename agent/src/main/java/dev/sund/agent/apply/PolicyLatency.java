package dev.sund.agent.apply;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.DoubleConsumer;
import java.util.function.LongSupplier;

/**
 * How long changes of policies' tables take from the engine's taking them up to the kernel's
 * holding them. The engine's thread notes, the data plane's thread tells what is done.
 */
final class PolicyLatency {
  /** So many changes at once are no longer measured one by one. */
  private static final int MOST = 1_024;

  private final DoubleConsumer seconds;
  private final LongSupplier nanos;
  private final ReentrantLock lock = new ReentrantLock();
  private final Deque<Waiting> waiting = new ArrayDeque<>();

  /** A change that the kernel does not hold yet. */
  private record Waiting(long number, long began) {}

  PolicyLatency(DoubleConsumer seconds, LongSupplier nanos) {
    this.seconds = seconds;
    this.nanos = nanos;
  }

  /** A batch that was taken up at {@code began} changed policies; the kernel is to take it. */
  void wanted(long number, long began) {
    lock.lock();
    try {
      if (waiting.size() < MOST) {
        waiting.add(new Waiting(number, began));
      }
    } finally {
      lock.unlock();
    }
  }

  /** The kernel holds everything up to this number. */
  void applied(long number) {
    lock.lock();
    try {
      while (!waiting.isEmpty() && waiting.getFirst().number <= number) {
        seconds.accept((nanos.getAsLong() - waiting.removeFirst().began) / 1e9);
      }
    } finally {
      lock.unlock();
    }
  }
}
