package dev.sund.model;

/** Argument checks whose messages name the argument and its value. */
public final class Checks {
  private Checks() {}

  /**
   * Returns {@code value} when {@code min <= value <= max}.
   *
   * @throws IllegalArgumentException naming the argument, its value and its range
   */
  public static int range(String name, int value, int min, int max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          name + " must be from " + min + " to " + max + ", but is " + value);
    }
    return value;
  }

  /**
   * Returns {@code text} when it has at least one character.
   *
   * @throws IllegalArgumentException naming the argument
   */
  public static String notEmpty(String name, String text) {
    if (text.isEmpty()) {
      throw new IllegalArgumentException(name + " must not be empty");
    }
    return text;
  }

  /**
   * Does nothing when {@code holds}.
   *
   * @throws IllegalArgumentException with {@code message}
   */
  public static void that(boolean holds, String message) {
    if (!holds) {
      throw new IllegalArgumentException(message);
    }
  }
}
