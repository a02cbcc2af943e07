package dev.sund.agent.seen;

import dev.sund.agent.AgentMetrics;
import dev.sund.agent.local.Answer;
import dev.sund.agent.log.Log;
import dev.sund.engine.policy.seen.Recorded;
import dev.sund.engine.policy.seen.Recording;
import dev.sund.kernel.NetNs;
import dev.sund.model.Condition;
import dev.sund.model.ObjectRef;
import dev.sund.model.Reason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Begins and ends recording, and tells what was recorded. An agent that finds {@code seen.json}
 * goes on where the one before it ended. Until somebody asks it to, it costs nothing.
 *
 * <p>Any thread; calls are served one after the other.
 */
public final class ConnectionRecorder implements AutoCloseable {
  private static final String FORM = "1.0.0";
  private static final int REFUSED = 7;
  private static final long PATIENCE_SECONDS = 10;

  private final Means means;
  private final SeenState state;
  private final Supplier<List<String>> notes;
  private Optional<SeenThread> running = Optional.empty();
  private Optional<Condition> unreadable = Optional.empty();

  /**
   * What it needs of its agent.
   *
   * @param namespace whose connections
   * @param node the node's name
   * @param directory who has which address
   */
  public record Means(
      NetNs namespace,
      String node,
      Directory directory,
      InstantSource clock,
      AgentMetrics metrics,
      Log log) {}

  /**
   * A recorder that does nothing yet.
   *
   * @param stateDir where it keeps what it has
   * @param notes what else is not seen on this node, a sentence each
   */
  public ConnectionRecorder(Means means, Path stateDir, Supplier<List<String>> notes) {
    this.means = means;
    this.state = new SeenState(stateDir);
    this.notes = notes;
  }

  /** Goes on if an earlier agent recorded. */
  public synchronized void resume() throws InterruptedException {
    if (running.isPresent() || !state.exists()) {
      return;
    }
    Optional<SeenState.Found> found = find();
    if (found.isPresent() && found.get().recording()) {
      begin(found).ifPresent(why -> means.log().error("connections are not recorded", "why", why));
    }
  }

  /** What is wrong with the file. */
  public synchronized List<Condition> conditions() {
    return unreadable.stream().toList();
  }

  private Optional<SeenState.Found> find() {
    unreadable = Optional.empty();
    try {
      return state.exists() ? Optional.of(state.read()) : Optional.empty();
    } catch (IOException e) {
      unreadable =
          Optional.of(
              new Condition(
                  Reason.STATE_UNREADABLE,
                  new ObjectRef("file", state.file().toString()),
                  "",
                  "The connections that were seen cannot be read: " + e.getMessage() + ".",
                  "Nothing is recorded, and the file stays as it is. Run the agent that wrote it, or"
                      + " forget it: sund policy record clear."));
      return Optional.empty();
    }
  }

  /** Serves {@code sund policy record}. */
  public synchronized Answer answer(Map<String, Object> request) throws InterruptedException {
    try {
      return switch (String.valueOf(request.getOrDefault("verb", ""))) {
        case "start" -> start();
        case "stop" -> stop();
        case "clear" -> clear();
        case "status" -> now(false);
        case "show" -> now(true);
        default -> refusal("There is no such verb.", "Use start, stop, status, show or clear.");
      };
    } catch (IOException e) {
      return refusal(
          "The recording cannot be written: " + e.getMessage() + ".",
          "Make room on the disk, or look at the directory's permissions.");
    }
  }

  private Answer start() throws InterruptedException {
    if (running.isEmpty()) {
      Optional<SeenState.Found> found = find();
      if (unreadable.isPresent()) {
        return refusal(unreadable.get().text(), unreadable.get().remedy());
      }
      Optional<String> refused = begin(found);
      if (refused.isPresent()) {
        return refusal(
            refused.get(),
            "Set net.netfilter.nf_conntrack_events to 1 or 2 if it is 0; the agent needs"
                + " CAP_NET_ADMIN.");
      }
    }
    return now(false);
  }

  private Optional<String> begin(Optional<SeenState.Found> before) throws InterruptedException {
    Recording recording = new Recording(Recording.MOST_FLOWS);
    before.ifPresent(found -> recording.resume(found.recorded()));
    SeenThread.Windows windows =
        new SeenThread.Windows(
            before.map(found -> found.recorded().windows()).orElse(List.of()),
            means.clock().instant());
    SeenThread started = new SeenThread(means, state, windows, recording);
    Optional<String> why;
    try {
      why = started.start().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException _) {
      started.close();
      why = Optional.of("no answer within " + PATIENCE_SECONDS + " seconds");
    } catch (ExecutionException e) {
      throw new AssertionError("it is never completed by an exception", e);
    }
    if (why.isEmpty()) {
      running = Optional.of(started);
      means.log().info("connections are recorded", "known", recording.size());
    }
    return why.map(text -> "The kernel does not tell of connections: " + text + ".");
  }

  private Answer stop() throws IOException, InterruptedException {
    if (running.isPresent()) {
      SeenThread ended = running.get();
      running = Optional.empty();
      ended.close();
      state.write(ended.recorded(), false);
      means.log().info("connections are recorded no more");
    }
    return now(false);
  }

  private Answer clear() throws IOException, InterruptedException {
    boolean again = running.isPresent();
    if (again) {
      running.get().close();
      running = Optional.empty();
    }
    state.remove();
    unreadable = Optional.empty();
    return again ? start() : now(false);
  }

  private Answer now(boolean whole) {
    Recorded recorded;
    if (running.isPresent()) {
      recorded = running.get().recorded();
    } else {
      Optional<SeenState.Found> found = find();
      if (unreadable.isPresent()) {
        return refusal(unreadable.get().text(), unreadable.get().remedy());
      }
      recorded =
          found
              .map(SeenState.Found::recorded)
              .orElse(new Recorded(means.node(), List.of(), Map.of(), 0, List.of(), List.of()));
    }
    Map<String, Object> fields =
        whole
            ? SeenState.fields(recorded, running.isPresent())
            : SeenState.head(recorded, running.isPresent());
    fields.put("notes", notes.get());
    if (!whole) {
      fields.put("flows", recorded.flows().size());
    }
    return Answer.success(fields);
  }

  private static Answer refusal(String what, String remedy) {
    return Answer.error(FORM, REFUSED, what, remedy);
  }

  /** Ends with the agent; the next one goes on. */
  @Override
  public synchronized void close() throws InterruptedException {
    if (running.isPresent()) {
      running.get().close();
      running = Optional.empty();
    }
  }
}
