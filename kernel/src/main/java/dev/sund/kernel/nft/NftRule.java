package dev.sund.kernel.nft;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A rule: expressions that run for each packet that comes by. It has no key of its own but the
 * handle that the kernel gives it; its place in the chain is part of what it means.
 *
 * @param family the table's family
 * @param table the table's name
 * @param chain the chain's name
 * @param handle the kernel's number for it, 0 before it is there
 * @param expressions what it does
 * @param userdata holds the comment
 */
public record NftRule(
    NftFamily family,
    String table,
    String chain,
    long handle,
    List<Expr> expressions,
    Userdata userdata) {
  public NftRule {
    expressions = List.copyOf(expressions);
  }

  /** A rule to be made. */
  public static NftRule of(NftChain chain, String comment, List<Expr> expressions) {
    return new NftRule(
        chain.family(), chain.table(), chain.name(), 0, expressions, Userdata.comment(comment));
  }

  /** The comment, empty when there is none. */
  public String comment() {
    return userdata.comment();
  }

  /** Whether both rules do the same with a packet, whatever they are called or have counted. */
  public boolean doesTheSameAs(NftRule other) {
    return withoutCounts(expressions).equals(withoutCounts(other.expressions));
  }

  /** The expressions as text, one behind the other. */
  @Override
  public String toString() {
    return expressions.stream().map(ExprText::of).collect(Collectors.joining("; "));
  }

  private static List<Expr> withoutCounts(List<Expr> expressions) {
    return expressions.stream().map(Expr::withoutCounts).toList();
  }
}
