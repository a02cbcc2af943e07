/**
 * From policies, namespaces, nodes and pods to the four {@link
 * dev.sund.engine.program.PolicyTables} of one node, without I/O, time or threads.
 *
 * <pre>
 *  Policy ──► Stated ── its rules' peers ──► Atom ◄── which pods, nodes, ranges fit ── KnownPod
 *               │                             │
 *     which of this node's pods        Classes: which atoms an address fits
 *               │                             │
 *            Profiles: who may use which ports│
 *               └───────► AskedRules ◄────────┴──► Verdicts: one for each class that a rule names
 * </pre>
 *
 * <p>{@link dev.sund.engine.policy.PolicyCompiler} is the door. What it is told changes what it
 * knows and notes what may differ; {@code compile} then makes just these rows anew. Every row is a
 * function of what is true now. Only the peers of policies that concern a pod of this node are
 * looked for among the cluster's pods: what other nodes enforce costs nothing here.
 *
 * <p>Rows are found from both ends: an atom knows the classes that fit it and the lists of rules
 * that ask for it. So a new class is judged by the lists that name one of its atoms, a new list
 * judges the classes that fit one of its own, and nobody looks at all pairs.
 */
package dev.sund.engine.policy;
