package dev.sund.agent.bridge;

import dev.sund.engine.hostlocal.AddressStoreException;
import dev.sund.kernel.FileMutex;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The directories in which host-local keeps a network's addresses: each is opened by one thread at
 * a time, and by one program at a time, since all take the lock {@code lock} in it.
 *
 * <p>Platform threads may call.
 */
final class AddressDirectories {
  /** Where host-local keeps its directories when the configuration does not say. */
  static final Path DEFAULT = Path.of("/var/lib/cni/networks");

  /** How long to wait for other programs, and for other calls. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private static final int LOCK_MODE = 0750;

  private final Map<Path, Place> places = new ConcurrentHashMap<>();

  /** A directory, with what is known of it. */
  private static final class Place {
    final ReentrantLock lock = new ReentrantLock();
    final AddressIndex index = new AddressIndex();
  }

  /**
   * Opens the directory of a network; makes it when there is none.
   *
   * @param parent {@code dataDir}
   * @param network the network's name
   */
  FileAddressStore open(Path parent, String network) throws AddressStoreException {
    Path directory = parent.resolve(network);
    Place place = places.computeIfAbsent(directory, _ -> new Place());
    boolean complete = false;
    boolean locked = false;
    try {
      locked = place.lock.tryLock(PATIENCE.toNanos(), TimeUnit.NANOSECONDS);
      if (!locked) {
        throw busy(directory);
      }
      Files.createDirectories(directory);
      FileMutex mutex =
          FileMutex.tryLock(directory.resolve("lock"), LOCK_MODE, PATIENCE)
              .orElseThrow(() -> busy(directory));
      FileAddressStore store =
          new FileAddressStore(directory, place.index, mutex, place.lock::unlock);
      complete = true;
      return store;
    } catch (IOException e) {
      throw new AddressStoreException(
          "Directory " + directory + " cannot be used: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AddressStoreException("Waiting for directory " + directory + " was broken off", e);
    } finally {
      if (locked && !complete) {
        place.lock.unlock();
      }
    }
  }

  private static AddressStoreException busy(Path directory) {
    return new AddressStoreException(
        "Another program has held the lock in "
            + directory
            + " for "
            + PATIENCE.toSeconds()
            + " seconds");
  }
}
