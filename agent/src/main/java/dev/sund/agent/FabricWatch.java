package dev.sund.agent;

import dev.sund.agent.log.Log;
import dev.sund.engine.FabricSettings;
import dev.sund.kube.manifest.Finding;
import dev.sund.kube.manifest.ManifestFiles;
import dev.sund.kube.manifest.Manifests;
import dev.sund.model.Condition;
import dev.sund.model.Marks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * Follows the file that the fabric is set by. Of a changed file the agent takes what it can change
 * while it runs; that others differ is said, and holds from its next start. A file that cannot be
 * used leaves what was read before in force, and is said.
 *
 * <p>One virtual thread, {@code sund-fabric}. For any thread.
 */
final class FabricWatch implements AutoCloseable {
  private static final Duration BETWEEN = Duration.ofSeconds(2);
  private static final long LARGEST = 1 << 20;

  private final Path file;
  private final Consumer<FabricSettings> listener;
  private final Log log;
  private final Thread thread =
      Thread.ofVirtual().name(Marks.THREAD_PREFIX + "fabric").unstarted(this::follow);
  private final FabricSettings first;
  private FabricSettings last;
  private String read = "";
  private volatile List<Condition> conditions = List.of();

  /**
   * One that stands still until {@link #start}.
   *
   * @param first what the file said when the agent started
   * @param listener told of each change, on this watch's thread
   */
  FabricWatch(Path file, FabricSettings first, Consumer<FabricSettings> listener, Log log) {
    this.file = file;
    this.first = first;
    this.last = first;
    this.listener = listener;
    this.log = log;
  }

  void start() {
    thread.start();
  }

  /** What is wrong with the file as it is now. */
  List<Condition> conditions() {
    return conditions;
  }

  @Override
  public void close() throws InterruptedException {
    thread.interrupt();
    if (thread.isAlive()) {
      thread.join();
    }
  }

  private void follow() {
    try {
      while (true) {
        Thread.sleep(BETWEEN);
        look();
      }
    } catch (InterruptedException _) {
      // the agent ends
    }
  }

  /** Reads the file if it has changed. */
  void look() {
    try {
      String text = Files.size(file) > LARGEST ? "" : Files.readString(file);
      if (!text.equals(read)) {
        read = text;
        take(ManifestFiles.parse(file.toString(), text));
      }
    } catch (IOException e) {
      // A folder that is mounted anew has no file for a moment.
      log.debug("the fabric's file cannot be read", "file", file, "why", e);
    }
  }

  private void take(Manifests manifests) {
    conditions =
        manifests.findings().stream().filter(Finding::isError).map(Finding::condition).toList();
    if (manifests.fabric().isEmpty() || !conditions.isEmpty()) {
      log.warn(
          "the fabric's file cannot be used; what was read before stays in force",
          "file",
          file,
          "why",
          conditions.isEmpty() ? "it holds no Fabric" : conditions.getFirst());
      return;
    }
    FabricSettings now = manifests.fabric().get();
    if (now.equals(last)) {
      return;
    }
    last = now;
    if (!Objects.equals(now.withStrict(first.strict()), first)) {
      log.warn(
          "the fabric is set otherwise than when this agent started; but for policies.strict that"
              + " holds from its next start",
          "file",
          file);
    }
    listener.accept(now);
  }
}
