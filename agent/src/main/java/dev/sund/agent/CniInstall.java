package dev.sund.agent;

import dev.sund.agent.cni.CniFiles;
import dev.sund.agent.log.Log;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import dev.sund.model.Reason;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

/**
 * Writes the runtime's files when the agent can serve pods for the first time, and again when
 * somebody has changed them. They stay when the agent ends or is not ready for a while: pods must
 * still be deleted, and the plugin says by itself that the agent is away.
 *
 * <p>One virtual thread, {@code sund-cni-files}.
 */
final class CniInstall implements AutoCloseable {
  private static final Duration UNTIL_READY = Duration.ofMillis(50);
  private static final Duration BETWEEN = Duration.ofSeconds(10);

  private final CniFiles files;
  private final BooleanSupplier ready;
  private final Log log;
  private final Thread thread;
  private volatile List<Condition> conditions = List.of();
  private volatile boolean written;

  CniInstall(CniFiles files, BooleanSupplier ready, Log log) {
    this.files = files;
    this.ready = ready;
    this.log = log;
    this.thread = Thread.ofVirtual().name(Marks.THREAD_PREFIX + "cni-files").unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  /** The conflist, and whether it has been written. */
  Map<String, Object> report() {
    Map<String, Object> report = new LinkedHashMap<>();
    report.put("conflist", files.confDir().resolve(Marks.CONFLIST).toString());
    report.put("written", written);
    return report;
  }

  /** What keeps the runtime from using them. */
  List<Condition> conditions() {
    return conditions;
  }

  @Override
  public void close() throws InterruptedException {
    thread.interrupt();
    thread.join();
  }

  private void run() {
    try {
      while (!ready.getAsBoolean()) {
        Thread.sleep(UNTIL_READY);
      }
      while (true) {
        List<Condition> found = files.ensure();
        if (!found.equals(conditions)) {
          found.forEach(
              one -> log.error("the runtime does not use the plugin", "what", one.toString()));
        }
        conditions = found;
        written = found.stream().noneMatch(one -> one.reason() == Reason.CNI_NOT_INSTALLED);
        Thread.sleep(BETWEEN);
      }
    } catch (InterruptedException _) {
      // the agent ends
    }
  }
}
