/**
 * What the way to other nodes does to packets: each agent sends one small datagram a second to a
 * few others and measures loss, round trip and jitter over the last minute.
 *
 * <pre>
 *   PeerRing      whom a node measures: bounded, all nodes are measured by some
 *   PeerWatch     one thread: PeerLink asks one peer over one family, PeerEcho answers others
 *   PeerMessage   what is asked and answered
 *   PeerWindow    what was asked lately ─► PeerFigures ─► PeerLimits: conditions
 * </pre>
 */
@NullMarked
package dev.sund.agent.peers;

import org.jspecify.annotations.NullMarked;
