package dev.sund.kernel.nft;

import java.util.List;
import java.util.SortedMap;

/**
 * A table with all that is in it, as it was at one generation.
 *
 * @param generation the generation at which all parts were read
 * @param table the table
 * @param chains by name
 * @param rules by chain, each chain's in order; every chain has a list
 * @param sets by name
 * @param elements by set, in no order; every set has a list
 */
public record NftContents(
    int generation,
    NftTable table,
    SortedMap<String, NftChain> chains,
    SortedMap<String, List<NftRule>> rules,
    SortedMap<String, NftSet> sets,
    SortedMap<String, List<NftElement>> elements) {}
