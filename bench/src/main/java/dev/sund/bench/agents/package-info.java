/**
 * What production agents take: from a pod's appearance to its first packet, from start to ready, of
 * memory. The agents are processes started by the launcher, on three nodes as the lab builds them.
 */
@NullMarked
package dev.sund.bench.agents;

import org.jspecify.annotations.NullMarked;
