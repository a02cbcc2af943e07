/**
 * Where packets are lost: the kernel's counters that matter, of many files, in one list with rates.
 *
 * <pre>
 *   /proc/net/{snmp,snmp6,netstat,softnet_stat,dev,stat/*} ─► {@link dev.sund.doctor.losses.LossCounters} ─► {@link dev.sund.doctor.losses.LossRow}s, worst first
 * </pre>
 *
 * <p>The checks of {@code sund doctor} judge the same counters; here they are looked at while
 * something happens.
 */
package dev.sund.doctor.losses;
