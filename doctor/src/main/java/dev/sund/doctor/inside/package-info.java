/**
 * A pod's network as it is seen from inside: facts that are read in its network namespace from the
 * node, without touching its image.
 *
 * <pre>
 *   PodNetwork ─┬─ PodInside  ─► the fact "pod": devices, way out, MTU, connections that wait
 *               └─ PodNames   ─► the fact "pod-dns": what its DNS servers answer it
 * </pre>
 */
package dev.sund.doctor.inside;
