/** What it costs to look at a large node: {@link dev.sund.bench.doctor.DoctorBenchmark}. */
package dev.sund.bench.doctor;
