package dev.sund.agent.apply;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * What waits for the data plane's thread: at most one handover, and the parts of the kernel that
 * changed. The engine's thread waits while there is a handover, and the mailbox coalesces
 * meanwhile: so nothing grows.
 */
final class Inbox {
  /** What was taken. */
  record Work(
      Optional<Handover> handover,
      Set<String> dirty,
      String cause,
      List<CompletableFuture<ApplyState>> rereads) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private final Condition emptied = lock.newCondition();
  private Optional<Handover> handover = Optional.empty();
  private final Set<String> dirty = new TreeSet<>();
  private final List<CompletableFuture<ApplyState>> rereads = new ArrayList<>();
  private String cause = "";
  private boolean woken;

  /** Hands a batch's outcome over; waits until there is room. For the engine's thread. */
  void put(Handover next) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (handover.isPresent()) {
        emptied.await();
      }
      handover = Optional.of(next);
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Says that parts of the kernel changed. From any thread; never waits. */
  void dirty(Set<String> parts, String why) {
    lock.lock();
    try {
      if (dirty.isEmpty()) {
        cause = why;
      }
      dirty.addAll(parts);
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Asks for everything to be read again; completed when that is done and repaired. */
  CompletableFuture<ApplyState> reread() {
    CompletableFuture<ApplyState> ticket = new CompletableFuture<>();
    lock.lock();
    try {
      rereads.add(ticket);
      filled.signal();
    } finally {
      lock.unlock();
    }
    return ticket;
  }

  /** Makes the reader return. */
  void wake() {
    lock.lock();
    try {
      woken = true;
      filled.signal();
    } finally {
      lock.unlock();
    }
  }

  /** Takes what is there, waiting for something at most so long. */
  Work take(long maxWaitNanos) throws InterruptedException {
    long left = maxWaitNanos;
    lock.lockInterruptibly();
    try {
      while (handover.isEmpty() && dirty.isEmpty() && rereads.isEmpty() && !woken && left > 0) {
        left = filled.awaitNanos(left);
      }
      woken = false;
      Work work = new Work(handover, Set.copyOf(dirty), cause, List.copyOf(rereads));
      handover = Optional.empty();
      dirty.clear();
      rereads.clear();
      emptied.signal();
      return work;
    } finally {
      lock.unlock();
    }
  }
}
