package dev.sund.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Lets a command that runs until Ctrl-C end in good order. A signal asks the work to stop and then
 * waits until this is closed, so that what the work prints or writes at its end is there; after ten
 * seconds the process ends all the same.
 *
 * <pre>
 *   try (CtrlC end = new CtrlC("capture", capture::stop, ExitCode.COULD_NOT_RUN);
 *       PacketSink sink = open()) {   // closed first
 *     run(sink);
 *     end.code(ExitCode.OK);
 *   }
 * </pre>
 */
final class CtrlC implements AutoCloseable {
  private static final int SECONDS = 10;

  private final CountDownLatch finished = new CountDownLatch(1);
  private final AtomicInteger code;
  private final Thread hook;

  /**
   * Begins to listen to signals.
   *
   * @param command its name
   * @param stop asks the work to stop; called on a thread of its own
   * @param code with which a process ends that is asked to stop, until {@link #code} says another
   */
  CtrlC(String command, Runnable stop, int code) {
    this.code = new AtomicInteger(code);
    this.hook =
        Thread.ofPlatform()
            .name("sund-" + command + "-end")
            .unstarted(() -> {
              stop.run();
              await();
              Runtime.getRuntime().halt(this.code.get());
            });
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /** The code with which a process that was asked to stop ends from now on. */
  void code(int now) {
    code.set(now);
  }

  private void await() {
    try {
      finished.await(SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    finished.countDown();
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException _) {
      // it ends the process
    }
  }
}
