/**
 * Address management as the reference plugin {@code host-local} does it: ranges written in the
 * network's configuration, one file an address on this node, no cluster.
 *
 * <pre>
 *   ranges (list of sets of ranges) ──► HostLocalAllocator ──► one address a set
 *                                            │
 *                                       AddressStore   what is taken, and by whom
 * </pre>
 *
 * <p>Addresses are given in turn: after the last address given comes the next one, so that an
 * address is used again as late as can be. What is asked for by name is given or refused, never
 * something else.
 *
 * <p>Rules, defaults and the form of the store are those of the reference plugin, so that both can
 * work on one directory, one after the other or side by side.
 */
@NullMarked
package dev.sund.engine.hostlocal;

import org.jspecify.annotations.NullMarked;
