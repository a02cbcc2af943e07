/**
 * {@code sund verify}: an agent's knowledge without an agent. It reads the cluster's objects once,
 * from the API server or from files, compiles what the node should hold, and compares that with
 * what the kernel holds.
 *
 * <pre>
 *   API server | files -> ClusterEvents -> ProgramCompiler -> PacketProgram ─┐
 *   kernel     -> NodeFacts ──────────────────┘                               ├─ Verify -> VerifyReport
 *   kernel     -> NodeReading ───────────────────────────────────────────────┘
 * </pre>
 */
@NullMarked
package dev.sund.agent.verify;

import org.jspecify.annotations.NullMarked;
