/**
 * nf_tables: the kernel's packet filter and address translation, over netlink, without the {@code
 * nft} program or its library.
 *
 * <pre>
 *   NftTable  NftChain  NftRule(Expr...)  NftSet  NftElement      plain data: made, printed, compared
 *        \________\________|_________________/_______/
 *                          v
 *                       NftOp ...  --NftSocket.commit-->  kernel   one transaction, all or nothing
 *                  NftContents     <-NftSocket.contents-           of one generation
 *                  NftEvent        <-----NftMonitor------          every change, whoever made it
 * </pre>
 *
 * <p>What is written here is listed by {@code nft list ruleset} with its comments and can be loaded
 * again by {@code nft -f}; what {@code nft} wrote is read here as the same expressions. An
 * expression that this library does not know keeps its name and raw attributes ({@link
 * dev.sund.kernel.nft.Expr.Unknown}).
 *
 * <p>Numbers of types and layouts of userdata are those of {@code nft} 1.0.6; the messages are
 * {@code linux/netfilter/nf_tables.h}.
 */
@NullMarked
package dev.sund.kernel.nft;

import org.jspecify.annotations.NullMarked;
