/**
 * YAML and JSON as small immutable trees that remember where each value stood. A reader builds the
 * tree of one object at a time, so that a dump of a whole cluster costs one object's memory more
 * than what is kept of it.
 *
 * <p>YAML follows what kubectl accepts: {@code yes} and {@code on} without quotes are booleans, a
 * key that occurs twice is an error, anchors and merge keys work.
 */
@NullMarked
package dev.sund.kube.tree;

import org.jspecify.annotations.NullMarked;
