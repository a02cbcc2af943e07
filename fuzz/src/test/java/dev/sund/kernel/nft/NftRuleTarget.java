package dev.sund.kernel.nft;

import dev.sund.kernel.KernelException;
import dev.sund.kernel.KernelException.Malformed;
import dev.sund.kernel.netlink.NlReader;
import dev.sund.kernel.netlink.NlWriter;

/** One rule of nf_tables, without a header: what was read and is written is read as the same. */
public final class NftRuleTarget {
  private NftRuleTarget() {}

  /** Reads a rule, writes it and reads it again. */
  public static void fuzzerTestOneInput(byte[] data) throws KernelException {
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
