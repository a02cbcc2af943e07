/**
 * The runner behind {@code sund test}: every test of every module once, tier by tier, in worker
 * processes that cannot touch the machine.
 *
 * <pre>
 *   TestRun ── Tier: which tests, how many at a time
 *      │
 *      ├─ Worker ══ pipe ══ WorkerMain   (own network, mount and process namespaces)
 *      ├─ Worker ══ pipe ══ WorkerMain
 *      └─ Worker ══ QEMU's serial line ══ WorkerMain   (another kernel: Guest)
 * </pre>
 *
 * <p>A worker is handed one class at a time. When it dies or hangs, that class has failed and a new
 * worker goes on with the next. After each class of a tier that uses the kernel the worker looks
 * for what was left behind: namespaces, processes, devices, tables. All of these end with the
 * worker, so nothing of a failed test reaches the next class or the machine.
 */
@NullMarked
package dev.sund.it.run;

import org.jspecify.annotations.NullMarked;
