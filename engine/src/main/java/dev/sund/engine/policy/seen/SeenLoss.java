package dev.sund.engine.policy.seen;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** Why a connection may be missing from a recording, or is not what it seems. */
public enum SeenLoss {
  /** The kernel dropped news of connections; its table was read instead. */
  OVERRUN(
      "times the kernel dropped news of connections because too many came at once; its table was"
          + " read instead, and what had ended by then is missing"),
  /** TCP connections that conntrack took up in their middle: who began them is not known. */
  MIDWAY(
      "connections that had begun before the kernel followed them: who asked is not known, and they"
          + " are left out"),
  /** Connections with an address where pods are and nobody is known. */
  UNKNOWN("connections with an address of the pods' ranges that no pod is known to have"),
  /** Connections of a kind that there was no room for. */
  FULL("connections left out because the recording holds as many kinds of them as it may"),
  /** Messages of the kernel that could not be read. */
  UNREADABLE("messages of the kernel that could not be read");

  private final String sentence;

  SeenLoss(String sentence) {
    this.sentence = sentence;
  }

  /** Its name in files and metrics: {@code overrun}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** What so many of them mean, in words. */
  public String said(long count) {
    return "%,d %s".formatted(count, sentence);
  }

  /** The one with a label. */
  public static Optional<SeenLoss> of(String label) {
    return Arrays.stream(values()).filter(one -> one.label().equals(label)).findFirst();
  }
}
