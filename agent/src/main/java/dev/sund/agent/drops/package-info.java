/**
 * What this node's policies drop, told in names: {@code sund drops} and its metrics.
 *
 * <pre>
 *   sets of counters ── read when asked ──────────────► DropWatch ──► sund drops, /metrics
 *   log group 83 ── PacketLog ── join with the program ──► DropRing ──┘
 * </pre>
 *
 * <p>The counters are the kernel's own and miss nothing; the log shows a part, for examples: what
 * it did not show is the difference, and is said. Nothing is read before there is a policy or
 * somebody asks, so that a start costs nothing.
 */
package dev.sund.agent.drops;
