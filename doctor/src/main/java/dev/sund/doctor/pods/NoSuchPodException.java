package dev.sund.doctor.pods;

/** A pod's network cannot be told: there is none of that name, or there are several. */
public final class NoSuchPodException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String remedy;

  /**
   * Why.
   *
   * @param message what was asked, and where it was looked for; a whole sentence
   * @param remedy one sentence: what the reader should do
   */
  public NoSuchPodException(String message, String remedy) {
    super(message);
    this.remedy = remedy;
  }

  /** One sentence: what the reader should do. */
  public String remedy() {
    return remedy;
  }
}
