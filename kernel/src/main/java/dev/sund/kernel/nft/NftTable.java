package dev.sund.kernel.nft;

import dev.sund.model.Checks;

/**
 * A table: the name space that chains and sets live in. Key: family and name.
 *
 * <p>Sund never sets the {@code owner} flag alone: such a table vanishes with the socket that made
 * it, and rules must stay when the agent dies. Together with {@code persist} it stays, belongs to
 * nobody then, and the next agent takes it over by naming both flags again.
 *
 * @param family which packets its chains see
 * @param name 1 to 255 bytes
 * @param flags {@link #DORMANT}, {@link #OWNER}, {@link #PERSIST}, or 0
 * @param userdata holds the comment
 */
public record NftTable(NftFamily family, String name, int flags, Userdata userdata) {
  /** The chains of the table see no packets (NFT_TABLE_F_DORMANT). */
  public static final int DORMANT = 1;

  /** The table vanishes with the socket that made it (NFT_TABLE_F_OWNER, kernel 5.12). */
  public static final int OWNER = 2;

  /** The table outlives its owner, and has none then (NFT_TABLE_F_PERSIST, kernel 6.9). */
  public static final int PERSIST = 4;

  /**
   * The table is its socket's alone: others cannot change it, and {@code nft flush ruleset} of
   * others leaves it where it is.
   */
  public static final int KEPT = OWNER | PERSIST;

  public NftTable {
    Checks.notEmpty("name of a table", name);
  }

  /** A table with a comment, which the kernel keeps from 5.10 on. */
  public static NftTable of(NftFamily family, String name, String comment) {
    return new NftTable(family, name, 0, Userdata.comment(comment));
  }

  /** This table with these flags. */
  public NftTable withFlags(int now) {
    return new NftTable(family, name, now, userdata);
  }

  /** Whether it was made to outlive its owner, and has none. */
  public boolean isOrphan() {
    return (flags & KEPT) == PERSIST;
  }

  /** The comment, empty when there is none. */
  public String comment() {
    return userdata.comment();
  }

  /** The name that {@code nft} takes: {@code inet sund}. */
  @Override
  public String toString() {
    return family + " " + name;
  }
}
