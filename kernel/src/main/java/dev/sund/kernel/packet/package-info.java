/**
 * Packets as devices see them, for captures: AF_PACKET, its ring that the kernel fills, and the
 * programs of classic BPF that choose what comes into it.
 *
 * <pre>
 *   device ──► filter ({@link dev.sund.kernel.packet.BpfInstruction}) ──► block ──► {@link dev.sund.kernel.packet.PacketRing#next} ──► bytes, time, tag
 *                                              └ no free block: dropped, counted
 * </pre>
 *
 * <p>A ring keeps the network namespace in which it was opened, whoever reads it.
 */
package dev.sund.kernel.packet;
