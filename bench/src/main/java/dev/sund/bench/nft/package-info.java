/** What the masquerade table costs, beside the {@code nft} program with the same elements. */
@NullMarked
package dev.sund.bench.nft;

import org.jspecify.annotations.NullMarked;
