package dev.sund.kernel.nft;

import java.util.Optional;

/**
 * What a rule or a chain did to a packet that is traced (NFT_MSG_TRACE): one for each rule that
 * holds, and one for the end of each base chain.
 *
 * @param family the table's
 * @param table the table's name
 * @param chain the chain's name
 * @param type whether a rule, the end of a chain, or a base chain's policy spoke
 * @param rule the rule's handle; 0 when none spoke
 * @param verdict what becomes of the packet; {@link Verdict#CONTINUE} when the rule gave none
 * @param packet the kernel's number of the packet, the same on its whole way through one node
 * @param headers the packet as it came to this chain; only on the first of a chain
 */
public record NftTraced(
    NftFamily family,
    String table,
    String chain,
    Type type,
    long rule,
    Verdict verdict,
    int packet,
    Optional<Headers> headers) {

  /** Who spoke. */
  public enum Type {
    /** A base chain's policy, at its end. */
    POLICY,
    /** The end of a chain, or a return from it. */
    RETURN,
    /** A rule. */
    RULE
  }

  /**
   * A packet's headers, and the devices.
   *
   * @param network the IP header
   * @param transport what is behind it, at most 20 bytes
   * @param in index of the device by which it came; 0 when it was born here
   * @param out index of the device by which it leaves; 0 where that is not known yet
   */
  public record Headers(Bytes network, Bytes transport, int in, int out) {}

  /** Whether the packet ends here. */
  public boolean isDrop() {
    return verdict.code() == Verdict.DROP.code();
  }
}
