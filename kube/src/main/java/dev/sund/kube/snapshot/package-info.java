/**
 * A cluster as one file: the objects of the kinds that Sund reads, without what it does not use of
 * them, and so without Secrets and without environment values.
 */
@NullMarked
package dev.sund.kube.snapshot;

import org.jspecify.annotations.NullMarked;
