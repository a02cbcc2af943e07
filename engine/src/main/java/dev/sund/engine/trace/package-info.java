/**
 * The interpreter of packet programs: {@code PathTracer} follows a packet across the programs of
 * the cluster's nodes and the underlay between them. It knows no Kubernetes objects.
 */
package dev.sund.engine.trace;
