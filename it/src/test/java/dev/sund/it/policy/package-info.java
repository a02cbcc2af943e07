/**
 * Policies as Sund carries them out, beside what they say.
 *
 * <pre>
 *   RandomCluster ── text of the API ──┬─► parsers ─► PolicyCompiler of each node ─► PolicyTables.judge ──┐
 *                                      └─► oracle, which shares no line with these ───────────────────────┴─► must agree
 * </pre>
 *
 * <p>The same question is put to kernels: {@link dev.sund.it.policy.PolicyBed} holds some of these
 * clusters in namespaces, and {@link dev.sund.it.policy.Volley} sends packets, many at a time.
 *
 * <p>What the oracle is worth is measured: mutants of Sund's side, each a mistake that somebody
 * could make, must all be found by it.
 */
@NullMarked
package dev.sund.it.policy;

import org.jspecify.annotations.NullMarked;
