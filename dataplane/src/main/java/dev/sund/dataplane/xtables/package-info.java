/**
 * Rules among those of {@code iptables-legacy}: pods' packets are accepted where its table {@code
 * filter} drops by policy what is forwarded. The same exception as in nf_tables ({@link
 * dev.sund.dataplane.nft.ForwardDriver}), by the interface behind that program.
 */
@NullMarked
package dev.sund.dataplane.xtables;

import org.jspecify.annotations.NullMarked;
