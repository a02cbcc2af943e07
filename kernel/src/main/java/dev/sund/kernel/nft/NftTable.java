package dev.sund.kernel.nft;

import dev.sund.model.Checks;

/**
 * A table: the name space that chains and sets live in. Key: family and name.
 *
 * <p>Sund never sets the {@code owner} flag: a table with an owner vanishes with the socket that
 * made it, and rules must stay when the agent dies.
 *
 * @param family which packets its chains see
 * @param name 1 to 255 bytes
 * @param flags {@link #DORMANT}, {@link #OWNER}, or 0
 * @param userdata holds the comment
 */
public record NftTable(NftFamily family, String name, int flags, Userdata userdata) {
  /** The chains of the table see no packets (NFT_TABLE_F_DORMANT). */
  public static final int DORMANT = 1;

  /** The table vanishes with the socket that made it (NFT_TABLE_F_OWNER, kernel 5.12). */
  public static final int OWNER = 2;

  public NftTable {
    Checks.notEmpty("name of a table", name);
  }

  /** A table with a comment, which the kernel keeps from 5.10 on. */
  public static NftTable of(NftFamily family, String name, String comment) {
    return new NftTable(family, name, 0, Userdata.comment(comment));
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
