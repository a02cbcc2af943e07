/**
 * Netlink: messages of attributes between a program and the kernel.
 *
 * <pre>
 *   NlWriter --messages--> NetlinkSocket --send--> kernel
 *   NlReader <-attributes- NetlinkSocket <-acks, dumps-
 *   NlReader <-attributes- NetlinkMonitor <-multicast--
 * </pre>
 *
 * <p>{@link dev.sund.kernel.netlink.NlWriter} builds any number of messages in one buffer; {@link
 * dev.sund.kernel.netlink.NetlinkSocket} numbers them, sends them in few system calls and matches
 * each error to its message, with the kernel's text. {@link dev.sund.kernel.netlink.NlReader} never
 * reads outside what was received and answers malformed input with {@link
 * dev.sund.kernel.KernelException.Malformed}. {@link dev.sund.kernel.netlink.NetlinkMonitor}
 * delivers multicast messages and says when the kernel had to drop some.
 */
@NullMarked
package dev.sund.kernel.netlink;

import org.jspecify.annotations.NullMarked;
