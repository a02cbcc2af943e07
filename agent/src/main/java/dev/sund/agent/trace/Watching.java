package dev.sund.agent.trace;

import dev.sund.dataplane.probe.ProbeFinding;
import dev.sund.dataplane.probe.ProbeWatch;
import dev.sund.dataplane.probe.WatchedPacket;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.NetNs;
import dev.sund.model.Marks;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A node's watch for probes of others, on a thread of its own. It ends by itself when nobody asks
 * for it any more.
 */
final class Watching {
  private static final Duration STEP = Duration.ofMillis(5);

  /** How long nothing more is told of packets that all came. */
  private static final Duration QUIET = Duration.ofMillis(200);

  private static final Duration BEGIN = Duration.ofSeconds(5);
  private static final Duration END = Duration.ofSeconds(5);

  private final WatchRequest request;
  private final NetNs namespace;
  private final CompletableFuture<Boolean> armed = new CompletableFuture<>();
  private final CompletableFuture<List<Optional<ProbeFinding>>> done = new CompletableFuture<>();
  private volatile long until = System.nanoTime() + WatchRequest.LEASE.toNanos();
  private volatile boolean ending;

  private Watching(WatchRequest request, NetNs namespace) {
    this.request = request;
    this.namespace = namespace;
  }

  /**
   * Begins; returns when packets are seen.
   *
   * @throws ExecutionException when the kernel refuses it, with the {@link KernelException}
   */
  static Watching start(WatchRequest request, NetNs namespace)
      throws InterruptedException, ExecutionException, TimeoutException {
    Watching watching = new Watching(request, namespace);
    Thread.ofPlatform()
        .name(Marks.THREAD_PREFIX + "watch")
        .daemon(true)
        .inheritInheritableThreadLocals(false)
        .start(watching::run);
    watching.armed.get(BEGIN.toNanos(), TimeUnit.NANOSECONDS);
    return watching;
  }

  /** What is watched for. */
  WatchRequest request() {
    return request;
  }

  /** What was found, of each packet; empty when nothing is decided within this time. */
  Optional<List<Optional<ProbeFinding>>> await(Duration limit)
      throws InterruptedException, ExecutionException {
    until = System.nanoTime() + WatchRequest.LEASE.toNanos();
    try {
      return Optional.of(done.get(limit.toNanos(), TimeUnit.NANOSECONDS));
    } catch (TimeoutException _) {
      return Optional.empty();
    }
  }

  /** Ends it; what was found until now, when everything is put back. */
  List<Optional<ProbeFinding>> end() throws InterruptedException, ExecutionException {
    ending = true;
    return await(END).orElse(List.of());
  }

  private void run() {
    List<WatchedPacket> packets =
        request.packets().stream().map(WatchRequest.Watched::packet).toList();
    List<Optional<ProbeFinding>> findings = List.of();
    try {
      try (ProbeWatch watch = ProbeWatch.open(namespace, packets)) {
        armed.complete(true);
        int told = 0;
        long changed = System.nanoTime();
        boolean looked = true;
        boolean all = false;
        while (!ending && !all && System.nanoTime() < until) {
          Thread.sleep(STEP);
          int now = watch.poll();
          long time = System.nanoTime();
          if (now != told) {
            told = now;
            changed = time;
            looked = false;
          } else if (!looked && time - changed > QUIET.toNanos()) {
            looked = true;
            all = watch.findings().stream().allMatch(Optional::isPresent);
          }
        }
        watch.poll();
        findings = watch.findings();
      }
      done.complete(findings);
    } catch (KernelException | RuntimeException e) {
      armed.completeExceptionally(e);
      done.completeExceptionally(e);
    } catch (InterruptedException e) {
      done.completeExceptionally(e);
      Thread.currentThread().interrupt();
    }
  }
}
