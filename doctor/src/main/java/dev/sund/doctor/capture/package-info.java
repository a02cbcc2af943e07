/**
 * Captures: packets of one or several pods, in the order of time, as a file that Wireshark and its
 * kin open or as lines for people.
 *
 * <pre>
 *   ring of shop/web-0 eth0 ──┐
 *   ring of shop/db-0 eth0 ───┼─► {@link dev.sund.doctor.capture.Capture}: the oldest first ─► {@link dev.sund.doctor.capture.PcapngFile}
 *   ring of shop/db-0 net1 ───┘                                                      └► {@link dev.sund.doctor.capture.PacketText}
 * </pre>
 *
 * <p>A packet is copied once, from the kernel's memory into what is written next.
 */
package dev.sund.doctor.capture;
