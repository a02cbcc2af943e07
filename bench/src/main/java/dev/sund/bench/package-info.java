/**
 * The figures that Sund promises, each measured beside its baseline in the same run.
 *
 * <pre>
 *   BenchRun -> Benchmark.run(Bench) -> Row (figure, baseline, ratio, Target -> met or not)
 *                  |
 *                  +-- Pairs: ours and the baseline in turns, median ratio with its 95 % interval
 * </pre>
 *
 * <p>{@code sund bench} runs in network, mount and process namespaces of its own: what a benchmark
 * makes ends with it. A new benchmark is a class that implements {@link dev.sund.bench.Benchmark}
 * and a line in {@code META-INF/services/dev.sund.bench.Benchmark}.
 */
@NullMarked
package dev.sund.bench;

import org.jspecify.annotations.NullMarked;
