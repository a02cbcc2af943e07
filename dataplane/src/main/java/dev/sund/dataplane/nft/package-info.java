/**
 * Source translation by nf_tables: the {@code Masquerade} table of the packet program as the table
 * {@code inet sund}, and back.
 *
 * <pre>
 *   table inet sund {                                  comment "made by sund"
 *     set nat-outgoing-v4, nat-outgoing-v6             one element a range, comment = its RuleId
 *     set cluster-v4, cluster-v6
 *     chain postrouting {                              type nat hook postrouting priority srcnat
 *       ip saddr @nat-outgoing-v4 ip daddr != @cluster-v4 counter masquerade fully-random
 *       ip6 saddr @nat-outgoing-v6 ip6 daddr != @cluster-v6 counter masquerade fully-random
 *     }
 *   }
 * </pre>
 *
 * <p>Table, chain, sets and rules are constant ({@link dev.sund.dataplane.nft.MasqueradeLowering});
 * elements are the data. A changed pool is a few element messages in one transaction. {@link
 * dev.sund.dataplane.nft.MasqueradeLift} reads the kernel's objects back as rows and names every
 * difference; {@link dev.sund.dataplane.nft.NftDriver} writes the difference.
 *
 * <p><b>Ranges.</b> The program's rows may nest (a pod's address inside a pool) and touch; an
 * interval set refuses overlaps. Prefixes can only nest or be apart, and a nested row changes
 * nothing about who is in the set, so only the outermost rows become elements ({@link
 * dev.sund.dataplane.nft.OutermostRows}); a nested row is in force as long as the one around it is,
 * and becomes an element of its own when that one goes. Ranges that touch stay separate elements:
 * the sets do not have {@code auto-merge}.
 *
 * <p><b>Ports</b> are chosen from a random start ({@code fully-random}), as flannel, Calico and
 * kube-proxy do: with plain {@code masquerade} two pods that ask the same server from the same port
 * at the same moment pick the same new port, and one of the packets is dropped when its connection
 * is confirmed.
 */
@NullMarked
package dev.sund.dataplane.nft;

import org.jspecify.annotations.NullMarked;
