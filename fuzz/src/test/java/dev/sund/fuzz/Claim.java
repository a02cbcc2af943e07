package dev.sund.fuzz;

/** What a target claims of what it read. */
final class Claim {
  private Claim() {}

  static void check(boolean holds, String claim) {
    if (!holds) {
      throw new AssertionError(claim);
    }
  }
}
