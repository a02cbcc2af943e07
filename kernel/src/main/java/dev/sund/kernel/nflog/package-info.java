/**
 * The kernel's log of packets (NFLOG, {@code nfnetlink_log}): what rules show of the packets that
 * they stop, read from a group of a namespace.
 *
 * <pre>
 *   rule: log group N ──► kernel's group N ──► {@link dev.sund.kernel.nflog.PacketLog} ──► LoggedPacket
 *                            one reader           counts what it missed        └► PacketHead
 * </pre>
 *
 * <p>A group has one reader in a namespace, and without one the kernel forgets what it is shown.
 * The log is no record: rules limit what they show, and a reader that is too slow misses some. Each
 * packet has a number, so that this is known.
 */
package dev.sund.kernel.nflog;
