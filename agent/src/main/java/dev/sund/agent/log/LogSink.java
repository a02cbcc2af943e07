package dev.sund.agent.log;

import dev.sund.model.Checks;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Where an agent's log lines go: formats them, leaves out those below the level, and collapses
 * repeats. Any thread may call.
 *
 * <p>A line is a repeat when level, part, message and values are all equal to those of a line that
 * went out less than {@link #REPEAT_SECONDS} ago. Repeats are counted; the count goes out with the
 * line's next appearance, or by {@link #flush}, as {@code repeats=N}.
 */
public final class LogSink {
  /** How long a line is not written again after it went out, in seconds. */
  public static final int REPEAT_SECONDS = 10;

  /** How many different lines are remembered; the oldest is forgotten first. */
  private static final int REMEMBERED = 256;

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

  /** A line that went out, and how often it was held back since. */
  private static final class Written {
    long atNanos;
    long repeats;

    Written(long atNanos) {
      this.atNanos = atNanos;
    }
  }

  private final Consumer<String> out;
  private final InstantSource wallClock;
  private final LongSupplier nanos;
  private final String context;
  private final Map<String, LogLevel> partLevels = new ConcurrentHashMap<>();
  private final Map<String, Written> written = new LinkedHashMap<>();
  private volatile LogLevel level;

  /**
   * A sink.
   *
   * @param out takes whole lines without their end; called by one thread at a time
   * @param wallClock what {@code time=} says
   * @param nanos a monotonic clock, as {@link System#nanoTime}
   * @param context keys and values that stand in every line, such as {@code node=n1}; may be empty
   * @param level the first level
   */
  public LogSink(
      Consumer<String> out,
      InstantSource wallClock,
      LongSupplier nanos,
      String context,
      LogLevel level) {
    this.out = out;
    this.wallClock = wallClock;
    this.nanos = nanos;
    this.context = context.isEmpty() ? "" : context + " ";
    this.level = level;
  }

  /** A sink to standard error. */
  @SuppressWarnings("SystemOut") // standard error is where a node agent's log belongs
  public static LogSink toStandardError(String context, LogLevel level) {
    return new LogSink(
        System.err::println, InstantSource.system(), System::nanoTime, context, level);
  }

  /** The door for one part of the agent. */
  public Log log(String part) {
    return new Log(this, part);
  }

  /** Sets the level of all parts, also of those that had their own. */
  public void level(LogLevel newLevel) {
    level = newLevel;
    partLevels.clear();
  }

  /** Sets the level of one part. */
  public void level(String part, LogLevel newLevel) {
    partLevels.put(Checks.notEmpty("part", part), newLevel);
  }

  /** The level of a part. */
  public LogLevel level(String part) {
    return partLevels.getOrDefault(part, level);
  }

  /** Writes the counts of repeats that nobody has heard of for {@link #REPEAT_SECONDS}. */
  public void flush() {
    synchronized (written) {
      long now = nanos.getAsLong();
      var iterator = written.entrySet().iterator();
      List<String> lines = new ArrayList<>();
      while (iterator.hasNext()) {
        var entry = iterator.next();
        if (now - entry.getValue().atNanos >= REPEAT_SECONDS * 1_000_000_000L) {
          if (entry.getValue().repeats > 0) {
            lines.add(entry.getKey() + " repeats=" + entry.getValue().repeats);
          }
          iterator.remove();
        }
      }
      lines.forEach(this::emit);
    }
  }

  boolean writes(LogLevel lineLevel, String part) {
    return lineLevel.compareTo(level(part)) >= 0;
  }

  void write(LogLevel lineLevel, String part, String message, @Nullable Object... keysAndValues) {
    if (!writes(lineLevel, part)) {
      return;
    }
    StringBuilder text = new StringBuilder(120);
    text.append("level=").append(lineLevel.label()).append(' ').append(context);
    text.append("part=").append(part).append(" msg=");
    appendValue(text, message);
    for (int i = 0; i + 1 < keysAndValues.length; i += 2) {
      text.append(' ').append(keysAndValues[i]).append('=');
      appendValue(text, String.valueOf(keysAndValues[i + 1]));
    }
    String line = text.toString();
    synchronized (written) {
      long now = nanos.getAsLong();
      Written before = written.get(line);
      if (before == null) {
        if (written.size() >= REMEMBERED) {
          forgetOldest();
        }
        written.put(line, new Written(now));
        emit(line);
      } else if (now - before.atNanos < REPEAT_SECONDS * 1_000_000_000L) {
        before.repeats++;
      } else {
        emit(before.repeats > 0 ? line + " repeats=" + before.repeats : line);
        before.atNanos = now;
        before.repeats = 0;
      }
    }
  }

  private void forgetOldest() {
    var iterator = written.entrySet().iterator();
    var oldest = iterator.next();
    if (oldest.getValue().repeats > 0) {
      emit(oldest.getKey() + " repeats=" + oldest.getValue().repeats);
    }
    iterator.remove();
  }

  private void emit(String line) {
    out.accept("time=" + TIME.format(wallClock.instant()) + " " + line);
  }

  private static void appendValue(StringBuilder text, String value) {
    boolean plain = !value.isEmpty();
    for (int i = 0; plain && i < value.length(); i++) {
      char c = value.charAt(i);
      plain = c > ' ' && c != '"' && c != '=' && c != 0x7f;
    }
    if (plain) {
      text.append(value);
      return;
    }
    text.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '"' -> text.append("\\\"");
        case '\\' -> text.append("\\\\");
        case '\n' -> text.append("\\n");
        case '\t' -> text.append("\\t");
        default -> {
          if (c < ' ' || c == 0x7f) {
            text.append(String.format("\\u%04x", (int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    text.append('"');
  }
}
