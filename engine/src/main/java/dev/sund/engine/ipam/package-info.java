/**
 * Who gets which address: a pure allocator over a port to where claims are kept.
 *
 * <pre>
 *   AddressRequest ─► Allocator ─► AddressBook     what this node has given, what still cools down
 *                        │
 *                        └──────► AddressSource    what this node may give at all
 *                                 ├─ NodeRanges    mode kubernetes: the node's podCIDRs
 *                                 └─ BlockClaims   mode pools: claims on blocks ─► ClaimStore (API)
 * </pre>
 *
 * <p>An address is given twice nowhere because three things hold. A node gives only what it holds.
 * What nodes hold in a block never overlaps: a block is one object of the store, changed by
 * compare-and-swap alone. And inside of what it holds, a node has one book, whose entries the
 * caller makes durable before anybody learns of the address.
 *
 * <p>A node claims places of a block in portions, so an address costs no write to the store. What
 * it gives back stops being usable before the store is asked; when the answer is late or lost, it
 * stays unusable until a later write, or a read that shows it gone, has settled the matter. A
 * started agent first writes its mark into each of its claims: whatever a dead predecessor still
 * had under way then fails its comparison.
 */
package dev.sund.engine.ipam;
