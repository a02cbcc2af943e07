/**
 * Follows the cluster's objects on an API server by list and watch.
 *
 * <pre>
 *  Reflector (one for each resource and version, a thread each)
 *    list in pages ─► watch, going on from the last version ─► 410: list anew
 *       │ Tree of the used fields only ─► object.Kinds
 *       ▼
 *  ClusterWatch ─► ClusterEvent, one at a time; Synced after the first lists; reachability
 * </pre>
 *
 * <p>Lists share one connection, watches have one each; {@code Introduction} says why.
 *
 * <p>A reflector keeps no objects, only their names and versions: names to tell what is gone after
 * a new list, versions so that a new list tells again only what has changed.
 */
@NullMarked
package dev.sund.kube.watch;

import org.jspecify.annotations.NullMarked;
