/**
 * The packet program: what one node does to a connection's first packet, as typed tables. Lowerings
 * translate it, the tracer interprets it, drivers lift it back out of the kernel.
 */
package dev.sund.engine.program;
