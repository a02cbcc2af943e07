/**
 * The doctor: what is wrong with a node's network, why it hurts, and what mends it. It reads and
 * changes nothing, needs no agent and no rights in a cluster.
 *
 * <pre>
 *   Host ─ NodeFiles: of this node, of one mounted elsewhere, or recorded; Facts: what is in no file
 *    │     Sight: what of it cannot be seen from here; Window: the first look at what changes
 *    └─► Check: reads facts ─► judges them (a pure function) ─► Verdict: Right · Wrong · NotHere
 *         └─ what cannot be read is Unread, and never all is well
 *   Catalogue: all checks      Examination: one run of them
 * </pre>
 *
 * <p>A check is a {@link dev.sund.doctor.Check} with a stable id and a page in {@code docs/doctor};
 * a family is a class in {@link dev.sund.doctor.check}.
 */
package dev.sund.doctor;
