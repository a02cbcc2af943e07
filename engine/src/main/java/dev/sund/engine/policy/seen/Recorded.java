package dev.sund.engine.policy.seen;

import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What was recorded on a node up to some moment.
 *
 * @param node whose; empty when nobody says
 * @param windows when somebody looked, in their order, at least one where a recorder wrote it
 * @param losses what was not seen meanwhile, none with 0
 * @param widened how often addresses became a range because they were too many
 * @param notes what else was not seen there, a sentence each
 * @param flows each key once
 */
public record Recorded(
    String node,
    List<Window> windows,
    Map<SeenLoss, Long> losses,
    long widened,
    List<String> notes,
    List<SeenFlow> flows) {
  /**
   * A time in which somebody looked.
   *
   * @param from when it began, as RFC 3339; empty when nobody says
   * @param until when it ended, likewise
   */
  public record Window(String from, String until) {}

  public Recorded {
    windows = List.copyOf(windows);
    EnumMap<SeenLoss, Long> own = new EnumMap<>(SeenLoss.class);
    own.putAll(losses);
    own.values().removeIf(count -> count == 0);
    losses = Collections.unmodifiableMap(own);
    notes = List.copyOf(notes);
    flows = List.copyOf(flows);
  }

  /** The earliest beginning of several; empty when nobody says. */
  public static String from(Collection<Recorded> all) {
    return all.stream()
        .flatMap(one -> one.windows.stream())
        .map(Window::from)
        .filter(text -> !text.isEmpty())
        .min(String::compareTo)
        .orElse("");
  }

  /** The latest end of several; empty when nobody says. */
  public static String until(Collection<Recorded> all) {
    return all.stream()
        .flatMap(one -> one.windows.stream())
        .map(Window::until)
        .filter(text -> !text.isEmpty())
        .max(String::compareTo)
        .orElse("");
  }
}
