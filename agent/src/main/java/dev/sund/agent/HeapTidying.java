package dev.sund.agent;

import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Gives back to the machine what the start, bulk work and a round of checks needed and nobody uses
 * any more. The collector itself looks at old objects only when it is short of room, and the room
 * is large enough for the largest clusters; so in quiet moments it is asked to look: once after the
 * start, and then when the heap has grown by half since it last did, or by an eighth and that is
 * half a minute ago.
 *
 * <p>A full look stops the program for some 100 ms for each 50 MB in use: never while somebody
 * waits for a pod, and seldom. For one thread, which {@link #run} takes until it is interrupted.
 */
final class HeapTidying {
  private static final Duration FIRST = Duration.ofSeconds(20);
  private static final Duration BETWEEN = Duration.ofSeconds(10);

  /** Growth that is not worth a look, bytes. */
  private static final long SMALL = 2L << 20;

  /** After so many looks, half a minute, an eighth more is worth a collection. */
  private static final int PATIENCE = 3;

  private final LongSupplier held;
  private final Runnable collect;
  private final BooleanSupplier quiet;
  private long lastLeft;
  private int looks;

  /**
   * What watches a heap.
   *
   * @param held bytes that the heap has of the machine, used or not
   * @param collect what gives back
   * @param quiet whether nothing waits to be done
   */
  HeapTidying(LongSupplier held, Runnable collect, BooleanSupplier quiet) {
    this.held = held;
    this.collect = collect;
    this.quiet = quiet;
  }

  /** That of this JVM. */
  static HeapTidying ofJvm(BooleanSupplier quiet) {
    return new HeapTidying(Runtime.getRuntime()::totalMemory, System::gc, quiet);
  }

  /** Looks now and then, until interrupted. */
  void run() {
    try {
      Thread.sleep(FIRST);
      while (true) {
        step();
        Thread.sleep(BETWEEN);
      }
    } catch (InterruptedException _) {
      // closing
    }
  }

  /** Collects if it is worth it and nobody is disturbed; says whether it did. */
  boolean step() {
    looks++;
    long worth = looks < PATIENCE ? lastLeft / 2 : lastLeft / 8;
    if (held.getAsLong() < lastLeft + Math.max(SMALL, worth) || !quiet.getAsBoolean()) {
      return false;
    }
    collect.run();
    looks = 0;
    lastLeft = held.getAsLong();
    return true;
  }
}
