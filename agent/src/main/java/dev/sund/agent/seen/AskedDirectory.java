package dev.sund.agent.seen;

import dev.sund.agent.apply.ApplyLoop;
import dev.sund.model.Ip;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeoutException;

/** Asks the engine, on its own thread. */
public final class AskedDirectory implements Directory {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final ApplyLoop loop;

  /** Asks the engine of this loop. */
  public AskedDirectory(ApplyLoop loop) {
    this.loop = loop;
  }

  @Override
  public Known look(Set<Ip> addresses, Set<Place> places)
      throws InterruptedException, TimeoutException {
    if (loop.state().hold().isPresent()) {
      throw new TimeoutException("the cluster is not known yet");
    }
    return loop.ask(compiler -> Directory.of(compiler.addresses(), addresses, places), PATIENCE);
  }
}
