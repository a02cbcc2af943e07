package dev.sund.kernel.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;

/** nf_tables' messages: an event or {@link Malformed}. In this package to reach its decoder. */
public final class NftTarget {
  private NftTarget() {}

  /** Decodes each message as the event that its type says. */
  public static void fuzzerTestOneInput(byte[] data) throws KernelException {
    try {
      NlReader.messages(
          data,
          data.length,
          (type, flags, body) -> {
            NftEvent event = NftCodec.readEvent(NftCodec.NEWTABLE | (type & 0xff), body);
            if (event.toString().isEmpty()) {
              throw new AssertionError("an event that can be printed");
            }
          });
    } catch (Malformed _) {
      // the one answer to bytes that are no message
    }
  }
}
