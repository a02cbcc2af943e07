/**
 * Connections that were seen, kept by workload: what a node's recorder adds up, what is on its
 * disk, and what is asked of it later.
 *
 * <pre>
 *  a connection's addresses ──AddressBook──► SeenParty (pods by labels, a range, the node)
 *                                               │
 *                    Recording: SeenFlow by both parties, protocol and port, bounded
 *                                               │
 *               Recorded: the flows, when somebody looked, and what was lost
 * </pre>
 *
 * <p>A pod's name, address and node pass; its labels are what a policy selects it by. So a workload
 * is its namespace and its labels, less those that {@link dev.sund.engine.policy.WorkloadLabels}
 * knows to pass, and pods that are made again join those of before.
 */
package dev.sund.engine.policy.seen;
