/**
 * The kernel's table of connections (nf_conntrack), over netlink, without the {@code conntrack}
 * program or its library.
 *
 * <pre>
 *   ConntrackSocket --list(filter)--> ConntrackEntry, one by one: original and reply Tuple
 *                   --delete-------> one entry, by its tuple and number
 *                   --statistics---> ConntrackStatistics
 *   ConntrackMonitor --news--------> ConntrackEntry, each connection that begins
 * </pre>
 *
 * <p>The reply's source is where the first packet was translated to: an entry whose original
 * destination is a Service's address and whose reply source is an endpoint goes to that endpoint
 * until it ends, whatever the rules say by then.
 *
 * <p>The messages are {@code linux/netfilter/nfnetlink_conntrack.h}. What can be asked of the
 * kernel, it filters (Linux 5.8); older ones list all, and the filter is applied here. Nothing here
 * can empty the table: each deletion names one tuple.
 */
@NullMarked
package dev.sund.kernel.conntrack;

import org.jspecify.annotations.NullMarked;
