package dev.sund.kube.watch;

import dev.sund.kube.api.ApiConnection;
import dev.sund.kube.api.ApiRefusal;
import dev.sund.kube.object.Kinds;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * How reflectors share what a connection costs at the start, when a machine has the least time: a
 * TLS handshake takes tens of milliseconds of a cold process, and again as much of the server.
 *
 * <ul>
 *   <li>Lists go one after another over one connection.
 *   <li>Slices of endpoints are listed after the pods.
 *   <li>A watch, which needs one of its own, is begun when everything has been listed.
 *   <li>Watches are begun one after another, so that each takes up the TLS session of the one
 *       before instead of proving again who is who.
 * </ul>
 *
 * <p>Nobody waits for long for somebody else's trouble: after a while each goes on by itself. For
 * any thread.
 */
final class Introduction implements AutoCloseable {
  private static final Duration FOR_A_LIST = Duration.ofSeconds(5);
  private static final Duration FOR_ALL_LISTS = Duration.ofSeconds(5);
  private static final Duration FOR_A_WATCH = Duration.ofSeconds(1);
  private static final Duration FOR_THE_PODS = Duration.ofSeconds(10);

  private final ApiConnection shared;
  private final Semaphore lists = new Semaphore(1, true);
  private final Semaphore watches = new Semaphore(1, true);
  private final CountDownLatch allListed = new CountDownLatch(1);
  private final CountDownLatch podsListed = new CountDownLatch(1);

  /**
   * An introduction over a connection.
   *
   * @param shared for lists alone; closed with this
   */
  Introduction(ApiConnection shared) {
    this.shared = shared;
  }

  /** What is done over a connection. */
  @FunctionalInterface
  interface Over {
    /** Does it, and reads each answer to its end unless it fails. */
    void run(ApiConnection connection) throws IOException;
  }

  /**
   * Lists over the connection of all, or over one's own when somebody else takes too long.
   *
   * @param own dropped when it is not needed
   */
  void list(ApiConnection own, Over listing) throws IOException, InterruptedException {
    if (!lists.tryAcquire(FOR_A_LIST.toMillis(), TimeUnit.MILLISECONDS)) {
      listing.run(own);
      return;
    }
    try {
      own.drop();
      listing.run(shared);
    } catch (ApiRefusal e) {
      throw e; // an answer, read to its end
    } catch (IOException | RuntimeException e) {
      shared.drop();
      throw e;
    } finally {
      if (allListed.getCount() == 0 && !lists.hasQueuedThreads()) {
        shared.drop();
      }
      lists.release();
    }
  }

  /**
   * Waits until the pods are listed, where that is worth it. Who hears of endpoints after their
   * pods can keep what both say once; in the other order all is as well, and larger.
   */
  void turn(Kinds kind) throws InterruptedException {
    if (kind == Kinds.ENDPOINT_SLICE) {
      boolean unused = podsListed.await(FOR_THE_PODS.toMillis(), TimeUnit.MILLISECONDS);
    }
  }

  /** All objects of this kind have been told. */
  void listed(Kinds kind) {
    if (kind == Kinds.POD) {
      podsListed.countDown();
    }
  }

  /** Sends the request of a watch, and waits for the beginning of its answer. */
  InputStream watch(ApiConnection own, String path, Duration quiet)
      throws IOException, InterruptedException {
    boolean unused = allListed.await(FOR_ALL_LISTS.toMillis(), TimeUnit.MILLISECONDS);
    boolean turn = watches.tryAcquire(FOR_A_WATCH.toMillis(), TimeUnit.MILLISECONDS);
    try {
      return own.get(path, quiet);
    } finally {
      if (turn) {
        watches.release();
      }
    }
  }

  /** Everything has been listed. */
  void allListed() {
    allListed.countDown();
    if (lists.tryAcquire()) {
      shared.drop();
      lists.release();
    }
  }

  /** Gives up the connection that stands; the next list makes a new one. */
  void redial() {
    shared.drop();
  }

  /** Ends the connection, and lets everybody who waits go. Idempotent. */
  @Override
  public void close() {
    allListed.countDown();
    podsListed.countDown();
    shared.close();
  }
}
