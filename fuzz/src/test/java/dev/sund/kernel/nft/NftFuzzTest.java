package dev.sund.kernel.nft;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;
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

  @FuzzTest(maxDuration = "2m")
  void whatWasReadIsReadAgainWhenWritten(byte[] data) throws KernelException {
    NftEvent first;
    try {
      first = NftCodec.readEvent(NftCodec.NEWRULE, new NlReader(data));
    } catch (Malformed _) {
      return; // the one answer to bytes that are no message
    }
    if (first instanceof NftEvent.RuleChanged(var rule, var _)) {
      NlWriter out = new NlWriter();
      try {
        NftCodec.write(out, new NftOp.AppendRule(rule), new NftCodec.SetIds(), false);
      } catch (IllegalArgumentException | IllegalStateException _) {
        return; // more userdata than the kernel keeps, or an attribute that is too long
      }
      NlReader written = new NlReader(out.toBytes(), 16, out.size());
      NftRule again = NftCodec.readRule(written);
      if (!again.expressions().equals(rule.expressions())
          || !again.userdata().equals(rule.userdata())) {
        throw new AssertionError(rule + " became " + again);
      }
    }
  }
}
