/** Clusters of many nodes: what a node's kernel is told of them, and how long that takes. */
@NullMarked
package dev.sund.bench.scale;

import org.jspecify.annotations.NullMarked;
