package dev.sund.agent.log;

import org.jspecify.annotations.Nullable;

/**
 * A part's door to its agent's log. Any thread may call; a line goes out whole.
 *
 * <pre>{@code
 * Log log = sink.log("apply");
 * log.info("routes applied", "done", 12, "micros", 840);
 * // time=2026-03-01T10:00:00.123Z level=info node=n1 part=apply msg="routes applied" done=12 ...
 * }</pre>
 */
public final class Log {
  private final LogSink sink;
  private final String part;

  Log(LogSink sink, String part) {
    this.sink = sink;
    this.part = part;
  }

  /** Writes a line for whoever looks for a fault; see {@link #write}. */
  public void debug(String message, @Nullable Object... keysAndValues) {
    write(LogLevel.DEBUG, message, keysAndValues);
  }

  /** Writes a line that an operator wants to find afterwards; see {@link #write}. */
  public void info(String message, @Nullable Object... keysAndValues) {
    write(LogLevel.INFO, message, keysAndValues);
  }

  /** Writes a line about something that is not as asked; see {@link #write}. */
  public void warn(String message, @Nullable Object... keysAndValues) {
    write(LogLevel.WARN, message, keysAndValues);
  }

  /** Writes a line about something that is not served; see {@link #write}. */
  public void error(String message, @Nullable Object... keysAndValues) {
    write(LogLevel.ERROR, message, keysAndValues);
  }

  /**
   * Writes a line.
   *
   * @param message what happened, always the same words for the same kind of event
   * @param keysAndValues the particulars, key and value in turn
   */
  public void write(LogLevel level, String message, @Nullable Object... keysAndValues) {
    sink.write(level, part, message, keysAndValues);
  }

  /** Whether a line of this level would be written now: for lines that cost something to make. */
  public boolean writes(LogLevel level) {
    return sink.writes(level, part);
  }
}
