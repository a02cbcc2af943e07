package dev.sund.kernel.nft;

/**
 * The number of a namespace's rule set, which grows with every transaction.
 *
 * @param id the number; never 0, wraps around
 * @param process the thread that committed it, by its number in the first PID namespace; 0 when
 *     asked for rather than told
 * @param program that thread's name, up to 15 characters; empty when asked for
 */
public record Generation(int id, int process, String program) {
  @Override
  public String toString() {
    return program.isEmpty()
        ? "generation " + Integer.toUnsignedString(id)
        : "generation " + Integer.toUnsignedString(id) + " by " + program + " (" + process + ")";
  }
}
