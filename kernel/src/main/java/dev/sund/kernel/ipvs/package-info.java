/**
 * IPVS as another program left it: which virtual servers there are, how many connections they still
 * carry, and their deletion one by one.
 *
 * <p>Read from {@code /proc/net/ip_vs} and {@code ip_vs_conn} of the namespace, which are there
 * only while the module is; deleted by generic netlink ({@code linux/ip_vs.h}).
 */
@NullMarked
package dev.sund.kernel.ipvs;

import org.jspecify.annotations.NullMarked;
