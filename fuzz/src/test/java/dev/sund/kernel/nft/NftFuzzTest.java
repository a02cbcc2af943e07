package dev.sund.kernel.nft;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import org.junit.jupiter.api.Tag;

/** As {@code NetlinkFuzzTest}, for what nf_tables sends. In this package to reach its decoder. */
@Tag("fuzz")
class NftFuzzTest {
  @FuzzTest(maxDuration = "2m")
  void event(byte[] data) throws KernelException {
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
