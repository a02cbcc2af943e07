/**
 * From events to the kernel: the mailbox, the engine's thread and the data plane's thread.
 *
 * <pre>
 *  watches, attach calls, monitors ─► Mailbox ─► sund-engine ─► sund-dataplane ─► kernel
 *                                              compile, delta    drivers: apply, resync
 * </pre>
 */
package dev.sund.agent.apply;
