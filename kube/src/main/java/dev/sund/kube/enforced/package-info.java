/**
 * How far nodes enforce policies, as they say themselves: each agent publishes one object of the
 * kind {@code NodePolicies}, and who wants to know whether a policy holds reads them all.
 *
 * <pre>
 *   agent of each node ─► NodePolicies ─► Enforcement ─► sund policy status, wait
 *                                                     └─► PolicyStatement ─► the policy's .status
 * </pre>
 *
 * <p>{@code docs/adr/0049-enforced-versions.md} says why it is one object for each node, and {@code
 * docs/adr/0058-policy-conditions.md} who writes a policy's status.
 */
@NullMarked
package dev.sund.kube.enforced;

import org.jspecify.annotations.NullMarked;
