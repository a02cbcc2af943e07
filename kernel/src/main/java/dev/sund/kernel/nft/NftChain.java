package dev.sund.kernel.nft;

import dev.sund.model.Checks;
import java.util.Optional;

/**
 * A chain: an ordered list of rules. A base chain is called by the kernel at a hook, a regular one
 * by a jump. Key: family, table and name.
 *
 * @param family the table's family
 * @param table the table's name
 * @param name 1 to 255 bytes
 * @param base where the kernel calls it, empty for a regular chain
 * @param userdata holds the comment
 */
public record NftChain(
    NftFamily family, String table, String name, Optional<Base> base, Userdata userdata) {

  /** Priority {@code dstnat}: where destinations are translated. */
  public static final int PRIORITY_DSTNAT = -100;

  /** Priority {@code filter}. */
  public static final int PRIORITY_FILTER = 0;

  /** Priority {@code srcnat}: where sources are translated. */
  public static final int PRIORITY_SRCNAT = 100;

  /**
   * A base chain's place.
   *
   * @param type {@code filter}, {@code nat} or {@code route}
   * @param hook the hook's number, see {@link Hook}
   * @param priority lower ones are called first
   * @param policy what happens to a packet at the chain's end: accept or drop
   * @param device for family netdev the device, else empty
   */
  public record Base(String type, int hook, int priority, Verdict policy, Optional<String> device) {
    public Base {
      Checks.that(
          policy.equals(Verdict.ACCEPT) || policy.equals(Verdict.DROP),
          "the policy of a chain is accept or drop, but is " + policy);
    }
  }

  /** The hooks of families inet, ip, ip6 and bridge. */
  public enum Hook {
    PREROUTING,
    INPUT,
    FORWARD,
    OUTPUT,
    POSTROUTING,
    INGRESS;

    /** The kernel's number (NF_INET_*). */
    public int number() {
      return ordinal();
    }
  }

  public NftChain {
    Checks.notEmpty("name of a chain", name);
  }

  /** A regular chain. */
  public static NftChain regular(NftTable table, String name) {
    return new NftChain(table.family(), table.name(), name, Optional.empty(), Userdata.NONE);
  }

  /** A base chain whose packets are accepted at its end. */
  public static NftChain base(NftTable table, String name, String type, Hook hook, int priority) {
    return new NftChain(
        table.family(),
        table.name(),
        name,
        Optional.of(new Base(type, hook.number(), priority, Verdict.ACCEPT, Optional.empty())),
        Userdata.NONE);
  }

  /** This chain with a comment, which the kernel keeps from 5.10 on. */
  public NftChain withComment(String comment) {
    return new NftChain(family, table, name, base, Userdata.comment(comment));
  }

  /** The comment, empty when there is none. */
  public String comment() {
    return userdata.comment();
  }

  /** The name that {@code nft} takes: {@code inet sund postrouting}. */
  @Override
  public String toString() {
    return family + " " + table + " " + name;
  }
}
