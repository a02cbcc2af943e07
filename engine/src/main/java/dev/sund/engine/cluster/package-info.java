/**
 * What the engine is told: the cluster's objects, reduced to the fields that Sund uses, and the
 * facts of one node's kernel, as {@link dev.sund.engine.cluster.ClusterEvent}s.
 */
package dev.sund.engine.cluster;
