/**
 * Links, addresses, routes, rules, neighbours and forwarding entries of one network namespace, by
 * rtnetlink.
 *
 * <pre>
 *   RouteRequest (what to change) --> RouteBatch --> RouteSocket.apply --> one Outcome each
 *   RouteSocket.links(), routes(filter, sink) ... --> Link, Address, RouteEntry, Neighbour ...
 *   RouteMonitor --> RouteEvent, among them Resync
 * </pre>
 *
 * <p>What is written and what is read are the same records, so that {@code read(write(x)) = x} can
 * be tested and a driver can compare what it wants with what there is. Numbers are those of {@code
 * linux/rtnetlink.h}, {@code if_link.h}, {@code if_addr.h}, {@code neighbour.h} and {@code
 * fib_rules.h}.
 */
@NullMarked
package dev.sund.kernel.route;

import org.jspecify.annotations.NullMarked;
