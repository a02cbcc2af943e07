/**
 * The only module that reads manifests or talks to an API server. Both ways lead through the same
 * parsers to the same {@link dev.sund.engine.cluster.ClusterEvent}s:
 *
 * <pre>
 *  files, folders, standard input ─► manifest.ManifestFiles ─┐
 *                                                            ├─► tree.Tree ─► object.Kinds ─► ClusterEvent
 *  API server ─► watch.ClusterWatch (list and watch) ────────┘
 * </pre>
 */
@NullMarked
package dev.sund.kube;

import org.jspecify.annotations.NullMarked;
