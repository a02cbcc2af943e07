/**
 * Starts the nodes' agents: each in a process of its own, as in a cluster, or several in the lab's
 * process, each in its own network namespace.
 */
@NullMarked
package dev.sund.lab.agents;

import org.jspecify.annotations.NullMarked;
