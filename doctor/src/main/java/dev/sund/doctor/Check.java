package dev.sund.doctor;

import java.util.List;

/**
 * One thing that can be wrong with a node's network: what it reads, and what it makes of it. The
 * second part is a pure function, so that every answer can be shown from recorded facts.
 *
 * @param <F> the facts that it reads
 * @param id its stable name, in words with hyphens; its page is {@code docs/doctor/ID.md}
 * @param title what it asks, in a few words
 * @param sampled the files whose change over the window it judges; they are read before it too
 * @param reading reads the facts; an exception means "could not read" and never "all is well"
 * @param judgement says what they mean
 */
public record Check<F>(
    String id, String title, List<String> sampled, Reading<F> reading, Judgement<F> judgement) {
  public Check {
    sampled = List.copyOf(sampled);
  }

  /** A check that looks once. */
  public Check(String id, String title, Reading<F> reading, Judgement<F> judgement) {
    this(id, title, List.of(), reading, judgement);
  }

  /** How facts are read. */
  @FunctionalInterface
  public interface Reading<F> {
    /**
     * Reads them.
     *
     * @throws UnreadException when what is there cannot be read
     */
    F read(Host host) throws UnreadException;
  }

  /** What facts mean. */
  @FunctionalInterface
  public interface Judgement<F> {
    /** The same facts always get the same verdict. */
    Verdict judge(F facts);
  }

  /** Reads and judges. */
  Result examine(Host host) {
    host.forget();
    try {
      F facts = reading.read(host);
      host.refuseWhatWasUnseen();
      Verdict verdict = judgement.judge(facts);
      return new Result(this, new Result.Judged(verdict), host.readSoFar());
    } catch (UnreadException e) {
      return new Result(
          this, new Result.Unread(String.valueOf(e.getMessage()), e.remedy()), host.readSoFar());
    }
  }
}
