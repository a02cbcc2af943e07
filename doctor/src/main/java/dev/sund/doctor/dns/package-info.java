/**
 * A small DNS client that asks one server one thing in a network namespace, and tells how long the
 * answer took and what it was; and the reader of a pod's {@code resolv.conf}.
 */
package dev.sund.doctor.dns;
