package dev.sund.doctor.check;

import dev.sund.doctor.Check;
import dev.sund.doctor.Facts;
import dev.sund.doctor.Finding;
import dev.sund.doctor.Host;
import dev.sund.doctor.Line;
import dev.sund.doctor.Severity;
import dev.sund.doctor.UnreadException;
import dev.sund.doctor.Verdict;
import java.util.List;
import java.util.Optional;

/** The disk below etcd. It is written to, so this family is asked for by itself. */
public final class DiskChecks {
  /** What etcd's documentation asks of the log's disk, for 99 of 100 writes. */
  private static final long WANTED_MICROS = 10_000;

  /** etcd's heartbeat: a write that takes longer delays it. */
  private static final long HEARTBEAT_MICROS = 100_000;

  /** etcd's time until it elects another leader, and from when on it logs 'slow fdatasync'. */
  private static final long ELECTION_MICROS = 1_000_000;

  private DiskChecks() {}

  /** The checks of this family. */
  public static List<Check<?>> all() {
    return List.of(
        new Check<>(
            "fsync",
            "how long etcd's disk takes until a write is safe",
            DiskChecks::read,
            DiskChecks::fast));
  }

  /**
   * Times in microseconds.
   *
   * @param folder where it was written
   * @param found how that was known
   */
  record Writes(
      String folder, String found, long writes, long bytes, long p50, long p99, long most) {}

  private static Optional<Writes> read(Host host) throws UnreadException {
    for (Line line : host.lines(Facts.FSYNC)) {
      return Optional.of(
          new Writes(
              line.text("folder"),
              line.text("found").replace('_', ' '),
              line.number("writes"),
              line.number("bytes"),
              line.number("p50"),
              line.number("p99"),
              line.number("most")));
    }
    return Optional.empty();
  }

  private static Verdict fast(Optional<Writes> found) {
    if (found.isEmpty()) {
      return new Verdict.NotHere("no etcd is here; --fsync=DIR measures the disk of any folder");
    }
    Writes is = found.get();
    String read =
        "%,d writes of %,d bytes in %s (%s): half within %s, 99 of 100 within %s, the slowest %s"
            .formatted(
                is.writes,
                is.bytes,
                is.folder,
                is.found,
                millis(is.p50),
                millis(is.p99),
                millis(is.most));
    if (is.p99 < WANTED_MICROS && is.most < ELECTION_MICROS) {
      return new Verdict.Right(read);
    }
    boolean bad = is.p99 >= HEARTBEAT_MICROS || is.most >= ELECTION_MICROS;
    return new Verdict.Wrong(
        List.of(
            new Finding(
                bad ? Severity.ERROR : Severity.WARNING,
                is.folder,
                "The disk is too slow for etcd, which wants 99 of 100 writes within 10 ms: "
                    + read
                    + ".",
                "Each change of the cluster waits for it: endpoints and rules come late, and from"
                    + " 100 ms on etcd misses heartbeats and elects leaders instead of answering.",
                "Give etcd a disk of its own, local and solid (NVMe); see who else writes: iostat -x"
                    + " 1, pidstat -d 1; ask a provider for guaranteed operations a second")));
  }

  private static String millis(long micros) {
    return "%.1f ms".formatted(micros / 1_000.0);
  }
}
