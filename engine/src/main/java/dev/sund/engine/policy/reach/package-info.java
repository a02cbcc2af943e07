/**
 * What all policies together leave open, for all pods and all ports at once, without a packet and
 * without a cluster.
 *
 * <pre>
 *  policies, namespaces, nodes, pods ──► PolicyCompiler, as if all pods were on one node
 *                                              │ PolicyTables
 *                     PodGroup: pods of one row each ── Outside: addresses of one class
 *                                              │
 *                       Reachability: the PortSet between any two, and who decides
 * </pre>
 *
 * <p>There is no second reading of policies here: pods whose rows in the compiled tables are the
 * same cannot be told apart by any policy, so what is true of one of them is true of all, and what
 * the rows say of ranges of ports is true of each port in them. The answers are therefore proofs
 * and not samples, and their number depends on what policies tell apart, not on how many pods there
 * are.
 *
 * <p>Not asked, as no policy is: what a pod sends to itself, what its own node sends to it, and
 * answers. Who comes from outside is seen here by its own address; where a Service's node port or a
 * load balancer puts another one in its place, that one counts.
 */
package dev.sund.engine.policy.reach;
