package dev.sund.engine.hostlocal;

/** An address was not given. Nothing was taken. The message is for whoever asked. */
public final class NoAddressException extends Exception {
  private static final long serialVersionUID = 1;

  private final String remedy;

  NoAddressException(String message, String remedy) {
    super(message);
    this.remedy = remedy;
  }

  /** What to do, one sentence. */
  public String remedy() {
    return remedy;
  }
}
