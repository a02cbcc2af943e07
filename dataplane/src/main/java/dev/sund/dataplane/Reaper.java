package dev.sund.dataplane;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.route.Outcome;
import dev.sund.kernel.route.RouteRequest;
import dev.sund.model.Marks;
import java.util.List;

/**
 * Deletes the links of pods that have gone, all at once: the kernel waits for all its readers
 * before a device is really gone, and waits once for a whole group.
 *
 * <p>Takes some 20 ms, so it has a socket of its own and may run on a thread of its own.
 */
public final class Reaper implements AutoCloseable {
  private final KernelRoutes kernel;

  /** A reaper in the namespace of {@code kernel}, which it closes: it must be nobody else's. */
  public Reaper(KernelRoutes kernel) {
    this.kernel = kernel;
  }

  /**
   * Deletes the group {@link Marks#GROUP_DOOMED}.
   *
   * @return whether there was any
   */
  public boolean reap() throws KernelException {
    Outcome outcome =
        kernel
            .apply("reaper", List.of(new RouteRequest.DeleteGroup(Marks.GROUP_DOOMED)))
            .getFirst();
    outcome.orThrow();
    return outcome == Outcome.DONE;
  }

  @Override
  public void close() {
    kernel.close();
  }
}
