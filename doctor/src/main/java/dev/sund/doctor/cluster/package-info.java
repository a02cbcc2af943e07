/**
 * A cluster's objects as a fact: of manifests or of an API server, what checks ask about them, a
 * line a node, pool, Service or thing that looks wrong.
 *
 * <pre>
 *   manifest files ─┐
 *   API server ─────┴► ClusterObjects ─► ClusterText ─► the fact "cluster"
 * </pre>
 */
package dev.sund.doctor.cluster;
