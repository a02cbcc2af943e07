package dev.sund.doctor.filter;

/** An expression is no filter; the message says where and what was expected. */
public final class FilterSyntaxException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int position;

  /**
   * What is wrong.
   *
   * @param position the character at which, from 0
   */
  public FilterSyntaxException(String message, int position) {
    super(message);
    this.position = position;
  }

  /** The character at which it is wrong, from 0. */
  public int position() {
    return position;
  }
}
