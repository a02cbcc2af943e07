package dev.sund.doctor;

/**
 * Something that a check needs cannot be read. The check then says so and never that all is well;
 * the others go on.
 */
public final class UnreadException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String remedy;

  /**
   * Why it cannot be read.
   *
   * @param what the file or the kernel's part, and the reason, without a full stop
   * @param remedy one sentence: what the reader should do
   */
  public UnreadException(String what, String remedy) {
    super(what);
    this.remedy = remedy;
  }

  /** One sentence: what the reader should do. */
  public String remedy() {
    return remedy;
  }
}
