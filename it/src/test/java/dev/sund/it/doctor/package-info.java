/** {@code sund doctor} on nodes whose faults are real, made by programs that are not ours. */
package dev.sund.it.doctor;
