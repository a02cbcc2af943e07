/**
 * From events to packet programs, without I/O, time or threads.
 *
 * <pre>
 *  ClusterEvent ──► ClusterState ──► Touched ──► FabricRows ──► Table ──► ProgramDelta, PacketProgram
 *                    │  Claims: who holds which range     ▲
 *                    └─ Fabric: this node's own end ──────┘
 *                    └─ Findings: what is wrong with the objects
 * </pre>
 *
 * <p>{@link dev.sund.engine.ProgramCompiler} is the door. A row is a function of its key and of
 * what is true now, and remembers nothing; what is incremental is only which keys are looked at
 * again. That is why any order of the same last words gives the same program, and why a test can
 * compare every step with a fresh start.
 *
 * <p>Services have classes of their own: {@code ServiceIndex} keeps them and the places they ask
 * for, {@code Answerers} decides who answers, {@code ServiceRows} says it in rows, {@code
 * ServiceFindings} what is wrong, and {@link dev.sund.engine.ServiceSummary} tells whoever asks.
 * All that they have of the node is in {@code ServiceScope}; while that is the same, a change costs
 * what its own Service has.
 *
 * <p>All arithmetic of packet sizes is in {@link dev.sund.engine.Mtu}, and all that names a pod's
 * device in {@link dev.sund.engine.PodDevices}.
 */
package dev.sund.engine;
