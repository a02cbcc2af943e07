/**
 * Pure functions from events to packet programs: {@code ClusterState} keeps what is true now, the
 * compilers turn it into a {@link dev.sund.engine.program.PacketProgram} and its delta.
 */
package dev.sund.engine;
