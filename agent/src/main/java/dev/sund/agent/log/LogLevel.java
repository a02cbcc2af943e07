package dev.sund.agent.log;

import java.util.Locale;
import java.util.Optional;

/** How much a log line matters; a sink writes those at or above its level. */
public enum LogLevel {
  /** Each step, for whoever looks for a fault. */
  DEBUG,
  /** What an operator wants to find afterwards. */
  INFO,
  /** Something is not as asked, and the agent goes on. */
  WARN,
  /** Something is not served. */
  ERROR;

  /** The level of this name in any case, such as {@code debug}. */
  public static Optional<LogLevel> tryParse(String text) {
    for (LogLevel level : values()) {
      if (level.name().equalsIgnoreCase(text)) {
        return Optional.of(level);
      }
    }
    return Optional.empty();
  }

  /** The name in lower case. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
