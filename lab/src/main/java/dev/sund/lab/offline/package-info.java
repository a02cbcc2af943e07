/**
 * A cluster that exists in files alone: every node's packet program, compiled from manifests by the
 * code that the agents run, and packets traced over them. Nothing is stood up and no kernel asked;
 * what the files leave open is assumed as the lab would build it, and said.
 *
 * <pre>
 *   manifests -> Scene -> OfflineCluster (a program for each node, an assumed Underlay) -> Trace
 * </pre>
 */
@NullMarked
package dev.sund.lab.offline;

import org.jspecify.annotations.NullMarked;
