package dev.sund.kernel.netlink;

import dev.sund.kernel.Capability;
import dev.sund.kernel.Errno;
import dev.sund.kernel.KernelException;

/**
 * The kernel's answer to one request.
 *
 * @param errno 0 when done, else the error number, positive
 * @param extack the kernel's text, empty when it gave none; a request that was done may carry a
 *     warning
 * @param offset where in the request the attribute is that the text is about, 0 when not said
 */
public record Ack(int errno, String extack, int offset) {
  /** Done, without a word. */
  public static final Ack DONE = new Ack(0, "", 0);

  /** Whether the request was done. */
  public boolean isDone() {
    return errno == 0;
  }

  /** Whether the request failed with this error. */
  public boolean failedWith(Errno error) {
    return errno == error.number();
  }

  /** The typed exception of a failed request. */
  public KernelException exception(String operation, String object) {
    return Errno.exception(operation, object, errno, extack, Capability.NET_ADMIN);
  }

  /**
   * Does nothing when the request was done.
   *
   * @throws KernelException its failure
   */
  public void orThrow(String operation, String object) throws KernelException {
    if (errno != 0) {
      throw exception(operation, object);
    }
  }
}
