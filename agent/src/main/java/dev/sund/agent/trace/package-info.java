/**
 * What an agent does for {@code sund trace}: it tells what it knows of the cluster, from which the
 * asker makes the programs of all nodes that a packet comes by, and traces there. The agent itself
 * stays as small as it is.
 */
@NullMarked
package dev.sund.agent.trace;

import org.jspecify.annotations.NullMarked;
