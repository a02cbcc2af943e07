package dev.sund.doctor.disk;

import dev.sund.model.Percentile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.LongSupplier;

/**
 * Small writes to a file of its own, each followed by fdatasync(2), as etcd writes its log. Bounded
 * in bytes and in time. The file has a name while it is written, since some file systems do nothing
 * for one without; it is removed at the end, and at an interrupt or a signal that ends the process.
 *
 * @param writes at most so many
 * @param bytes of each
 * @param most after so long it ends with the write that is being made
 */
public record WriteTest(int writes, int bytes, Duration most) {
  /** As the test that etcd's own documentation points to: writes of 2,300 bytes; 460 kB in all. */
  public static final WriteTest OF_ETCD = new WriteTest(200, 2_300, Duration.ofSeconds(10));

  /** What its file is called, with the process's number behind. */
  public static final String NAME = ".sund-doctor-fsync-";

  /**
   * How long the writes took.
   *
   * @param micros of each, with its fdatasync; sorted, at least one
   */
  public record Times(long[] micros) {
    /** The time that this share of the writes did not exceed. */
    public long percentile(int percent) {
      return Percentile.of(micros, percent);
    }
  }

  /**
   * Runs it.
   *
   * @param nanos a clock
   * @throws IOException when the folder cannot be written
   */
  public Times run(Path folder, LongSupplier nanos) throws IOException {
    Path file = folder.resolve(NAME + ProcessHandle.current().pid());
    file.toFile().deleteOnExit(); // for Ctrl-C
    long[] micros = new long[writes];
    int done = 0;
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer data = ByteBuffer.allocateDirect(bytes);
      long begin = nanos.getAsLong();
      long last = begin;
      while (done < writes && last - begin < most.toNanos()) {
        data.clear();
        while (data.hasRemaining()) {
          channel.write(data);
        }
        channel.force(false);
        long now = nanos.getAsLong();
        micros[done++] = (now - last) / 1_000;
        last = now;
      }
    } finally {
      Files.deleteIfExists(file);
    }
    long[] sorted = Arrays.copyOf(micros, done);
    Arrays.sort(sorted);
    return new Times(sorted);
  }
}
