package dev.sund.agent;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A process that is one agent: runs until a signal ends it, or until it must be started anew.
 *
 * <p>SIGTERM and SIGINT close the sockets and leave the kernel as it is.
 */
public final class AgentMain {
  /** Exit code when a thread died of a fault: whoever supervises starts it anew. */
  public static final int FAULT = 70;

  private static final Duration LOOK = Duration.ofMillis(200);

  private AgentMain() {}

  /**
   * Runs an agent until the process is told to end.
   *
   * @param started told once, when the socket and the pages answer
   * @return the exit code: 0 after a signal, {@link #FAULT} after a fault of the program
   * @throws AgentException when it cannot be started, with the reason and what to do
   */
  public static int run(AgentOptions options, Consumer<Agent> started)
      throws AgentException, IOException, InterruptedException {
    CountDownLatch ending = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    try (Agent agent = Agent.start(options)) {
      Thread hook =
          Thread.ofPlatform()
              .name("sund-signal")
              .unstarted(() -> {
                ending.countDown();
                await(closed);
              });
      Runtime.getRuntime().addShutdownHook(hook);
      started.accept(agent);
      while (!ending.await(LOOK.toMillis(), TimeUnit.MILLISECONDS)) {
        agent.notReady(); // says in the log when it becomes ready, also when nobody asks
        if (!agent.unhealthy().isEmpty()) {
          Runtime.getRuntime().removeShutdownHook(hook);
          return FAULT;
        }
      }
      return 0;
    } finally {
      closed.countDown();
    }
  }

  private static void await(CountDownLatch closed) {
    try {
      closed.await(5, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
