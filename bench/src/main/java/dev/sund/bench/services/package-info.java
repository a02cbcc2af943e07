/**
 * What Services cost: all at once, one change, a restart, and a packet's way to them; beside what
 * kube-proxy's nftables mode would have written.
 */
@NullMarked
package dev.sund.bench.services;

import org.jspecify.annotations.NullMarked;
