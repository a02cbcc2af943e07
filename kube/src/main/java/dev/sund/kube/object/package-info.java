/**
 * From a {@link dev.sund.kube.tree.Tree} to what the engine is told: one parser for each kind, used
 * for files and for the watch alike. A parser collects every problem of an object, each with field,
 * value and remedy; an object with an error is not used at all.
 */
@NullMarked
package dev.sund.kube.object;

import org.jspecify.annotations.NullMarked;
