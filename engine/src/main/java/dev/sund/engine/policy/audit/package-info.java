/**
 * Questions about a whole cluster's policies, from what its objects say alone: what is wrong with
 * them, who reaches whom, and what a change of them would open or close.
 *
 * <pre>
 *  PolicyScene ──► Reachability ──► Exposure: default deny, DNS, the Internet, other namespaces
 *       │                └────────► Radius: what a pod reaches, who reaches pods
 *       └────────► RuleReview: what selects, matches or decides nothing
 *                         └──► AuditFinding: check, object, numbers, remedy
 * </pre>
 *
 * <p>What is said of pods holds for all of their ports and all other pods; see {@link
 * dev.sund.engine.policy.reach}. What is said of rules is said of the pods that there are: a rule
 * that selects nobody today may be meant for tomorrow's pods.
 */
package dev.sund.engine.policy.audit;
