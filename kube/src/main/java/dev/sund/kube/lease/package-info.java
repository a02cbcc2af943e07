/**
 * Which one of many agents does what only one should do: who holds a {@code coordination.k8s.io}
 * Lease, by the rules that Kubernetes' own components follow.
 */
@NullMarked
package dev.sund.kube.lease;

import org.jspecify.annotations.NullMarked;
