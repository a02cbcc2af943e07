/**
 * What nodes say of policies to the API: {@link dev.sund.agent.policy.PolicyReport} publishes how
 * far this node enforces them, one object for each node whatever number of policies there is, and
 * {@link dev.sund.agent.policy.PolicyConditions}, on one node of all, writes what follows from
 * these into the status of the policies that have one.
 *
 * <p>One thread does both, and nothing of the second before there is such a policy.
 */
@NullMarked
package dev.sund.agent.policy;

import org.jspecify.annotations.NullMarked;
