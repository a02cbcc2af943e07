/** The lab on the real kernel: its machines, its probes, its faults, whole runs. */
package dev.sund.it.lab;
