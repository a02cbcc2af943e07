/**
 * Real packets through the kernel, and where they really went: a connection attempt from a pod's or
 * the node's own namespace, followed by the kernel's own tracing of its rules. All that a probe
 * changes is one table of nf_tables that lasts as long as the probe and drops nothing, and one
 * entry in the table of connections, which it deletes.
 */
@NullMarked
package dev.sund.dataplane.probe;

import org.jspecify.annotations.NullMarked;
