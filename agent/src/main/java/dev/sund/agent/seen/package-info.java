/**
 * Records which connections pods have: for {@code sund policy suggest}, and only while somebody has
 * asked for it by {@code sund policy record start}.
 *
 * <pre>
 *  ConntrackMonitor ──► RawConnections ──each second──► SeenWork ──► Recording ──► seen.json
 *   (news of connections)  (by addresses)               │ whose?
 *  ConntrackSocket ─────────┘                           └─ Directory: the engine's thread
 *   (those that there are: at the start, and after news were lost)
 * </pre>
 *
 * <p>One platform thread, {@code sund-seen}, is everything between the kernel and the disk; packets
 * never wait for it. Every stage has a bound, and what goes over it is counted.
 */
package dev.sund.agent.seen;
