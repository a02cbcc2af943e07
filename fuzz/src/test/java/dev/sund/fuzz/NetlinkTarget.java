package dev.sund.fuzz;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NetlinkSocket;
import dev.sund.kernel.netlink.NlReader;

/** Messages, attributes in attributes, acknowledgements: read, or {@link Malformed}. */
public final class NetlinkTarget {
  private static final int MAX_DEPTH = 5;
  private static final int NLMSG_ERROR = 2;

  private NetlinkTarget() {}

  /** Reads all that is there to read. */
  public static void fuzzerTestOneInput(byte[] data) throws KernelException {
    try {
      NlReader.messages(
          data,
          data.length,
          (type, flags, body) -> {
            if (type == NLMSG_ERROR) {
              NetlinkSocket.readAck(body, flags);
            } else {
              walk(body, 0);
            }
          });
    } catch (Malformed _) {
      // the one answer to bytes that are no message
    }
  }

  private static void walk(NlReader reader, int depth) throws Malformed {
    while (reader.next()) {
      Claim.check(reader.bytes().length == reader.length(), "a value as long as it says");
      Claim.check(reader.string().indexOf(0) < 0, "a text without zero bytes");
      if (depth < MAX_DEPTH) {
        try {
          walk(reader.nested(), depth + 1);
        } catch (Malformed _) {
          // not every value holds attributes
        }
      }
    }
  }
}
