package dev.sund.engine.hostlocal;

/** A store cannot be read or written. What it holds is as it was before, as far as it can be. */
public final class AddressStoreException extends Exception {
  private static final long serialVersionUID = 1;

  /**
   * A failure.
   *
   * @param message what failed, one sentence without its full stop
   * @param cause what the system said
   */
  public AddressStoreException(String message, Throwable cause) {
    super(message, cause);
  }

  /** A failure without a deeper cause. */
  public AddressStoreException(String message) {
    super(message);
  }
}
