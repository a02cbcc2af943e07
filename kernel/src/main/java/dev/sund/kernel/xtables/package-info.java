/**
 * The packet filter's older interface, behind {@code iptables-legacy}: one table as a whole is read
 * and replaced by socket options. nf_tables knows nothing of its rules, nor tells when they change.
 *
 * <pre>
 *  FilterSocket.read() ─► FilterTable ─► without / with rules ─► FilterSocket.replace()
 *                         (a snapshot: entries one after another; a jump is an offset)
 * </pre>
 *
 * <p>Only what accepting some devices' packets takes is here: the table {@code filter}, its chains,
 * and one kind of rule.
 */
@NullMarked
package dev.sund.kernel.xtables;

import org.jspecify.annotations.NullMarked;
