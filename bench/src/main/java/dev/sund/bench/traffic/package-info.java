/**
 * TCP between two places of a network: how much and how often. The same two ends measure what Sund
 * set up and what was set up by hand.
 *
 * <pre>
 *   Ends (two namespaces, an address) -> Flow -> throughput(), requests()
 *   HandMade: routed veth pairs, a VXLAN device: the baselines, by the ip program
 * </pre>
 */
@NullMarked
package dev.sund.bench.traffic;

import org.jspecify.annotations.NullMarked;
