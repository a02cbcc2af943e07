/**
 * From a packet program to the kernel and back: drivers that write only what differs, lift that
 * reads the kernel as a program, verify, repair and cleanup.
 *
 * <pre>
 *   ProgramDelta --want--> DeltaTable --pending--> Driver --batch--> kernel
 *                              ^                     |
 *                              +------- seen --------+   resync: read back, tell ours from foreign
 *   kernel --Lift--> PacketProgram "in force"   (Verify: wanted against in force, row by row)
 * </pre>
 *
 * <p>Everything here runs on one thread, the dataplane thread, unless a class says otherwise.
 */
@NullMarked
package dev.sund.dataplane;

import org.jspecify.annotations.NullMarked;
