/**
 * Sockets as a prober needs them: many at once, in other network namespaces, with what the JDK's
 * own sockets do not tell.
 *
 * <p>A {@link dev.sund.kernel.socket.NetSocket} is opened in the namespace of the calling thread
 * and keeps it; so open it inside {@link dev.sund.kernel.NetNs#call} and use it anywhere. All
 * sockets are non-blocking and their calls return what the kernel returned: a count, or a negated
 * errno, since to a prober a refusal is a result and no failure. {@link
 * dev.sund.kernel.socket.MessageBuffer} holds the memory of one thread's sends and receives and
 * what came with them: the sender, the time to live, the queued ICMP error ({@link
 * dev.sund.kernel.socket.QueuedError}), the overflow count. {@link dev.sund.kernel.socket.Epoll}
 * waits for all of them on one platform thread, and {@link dev.sund.kernel.socket.Wakeup} ends the
 * wait from another.
 */
@NullMarked
package dev.sund.kernel.socket;

import org.jspecify.annotations.NullMarked;
