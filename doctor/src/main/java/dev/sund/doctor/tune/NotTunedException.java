package dev.sund.doctor.tune;

/** Settings were not changed, or not put back; the message says where it stopped. */
public final class NotTunedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String remedy;

  /**
   * Why not.
   *
   * @param what whole sentences
   * @param remedy one sentence: what the reader should do
   */
  public NotTunedException(String what, String remedy) {
    super(what);
    this.remedy = remedy;
  }

  /** One sentence: what the reader should do. */
  public String remedy() {
    return remedy;
  }
}
