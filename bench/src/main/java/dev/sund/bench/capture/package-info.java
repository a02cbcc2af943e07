/**
 * Captures of packets into a file, beside tcpdump's: {@link
 * dev.sund.bench.capture.CaptureBenchmark}.
 */
package dev.sund.bench.capture;
