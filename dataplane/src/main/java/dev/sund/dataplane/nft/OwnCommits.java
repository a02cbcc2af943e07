package dev.sund.dataplane.nft;

/**
 * How many transactions an agent's drivers have committed to the rules of one namespace. The kernel
 * numbers all of them in one row, whatever table they are of; a driver that counted only its own
 * would take the other's for somebody else's, and read its table again.
 *
 * <p>Shared by the drivers of a namespace; on the dataplane thread.
 */
public final class OwnCommits {
  private int count;

  /** One more was taken by the kernel. */
  void add() {
    count++;
  }

  /** How many there were; it may overflow, as the kernel's number does. */
  int count() {
    return count;
  }
}
