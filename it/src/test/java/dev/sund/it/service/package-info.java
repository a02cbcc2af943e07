/**
 * Services as packets find them: scenes that are written once and hold for every dataplane.
 *
 * <pre>
 *   manifests ──► ProgramCompiler ──► drivers ──► kernels of two nodes ──► sockets of pods, nodes, outside ──┐
 *                        └─────────► PathTracer over the same programs ──────────────────────────────────────┴─► must agree
 * </pre>
 *
 * <p>Each test cites the rule of Kubernetes' behaviour that it holds. Another dataplane is one more
 * constant of {@code Dataplanes}.
 */
@NullMarked
package dev.sund.it.service;

import org.jspecify.annotations.NullMarked;
