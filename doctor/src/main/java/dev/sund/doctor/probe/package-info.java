/**
 * What lies between this node and another: measured with a small answerer on the other side, each
 * way apart, and told as the fact {@code probe}.
 *
 * <pre>
 *   sund doctor --probe PEER                              on PEER: sund answer
 *     Prober ──── Message (UDP, one port) ───────────────── Answerer ── Session
 *       │  DF probes of growing size, echoes, questions        │
 *     Station ─── IPIP, VXLAN ports, TCP 179, frames ─────── Station
 *     (sends them; hears them by a packet ring, so that a tunnel that owns the port does not matter)
 * </pre>
 *
 * <p>The answerer answers only what carries a session's two random keys, and sends in all no more
 * bytes than it was sent: what is to come back large is paid for first.
 */
package dev.sund.doctor.probe;
