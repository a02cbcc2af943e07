package dev.sund.kernel.nft;

/** An expression says more than its record can; it is kept as {@link Expr.Unknown}. */
final class NotKnownException extends Exception {
  private static final long serialVersionUID = 1;

  NotKnownException() {
    super("", null, false, false); // a signal within the decoder: no stack, no text
  }
}
