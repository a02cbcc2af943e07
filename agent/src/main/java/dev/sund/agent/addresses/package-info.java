/**
 * The agent's side of {@link dev.sund.engine.ipam}: which addresses a CNI call gets, what becomes
 * of them over a restart, and what {@code sund ipam} is told.
 *
 * <pre>
 *   ADD ─► NodeAddresses.assign ─► Allocator ─► ClaimStore (mode pools)
 *            │                        ▲
 *            ▼                        │ every 10 s: Allocator.maintain; every minute: lost ones
 *            │                        │ the node's own tunnels (mode pools): TunnelAddresses
 *   STATE_DIR/attachments ── restart ─┘
 *   STATE_DIR/released ─────
 * </pre>
 *
 * <p>An address is entered in the allocator's book, then in the attachment's file, then in the
 * kernel; only then does the runtime learn of it. A kill before the file leaves nothing. After it,
 * the restarted agent finds the file and completes the attachment, which lasts until the runtime's
 * DEL or GC, or until the kernel shows that the pod is no more.
 */
package dev.sund.agent.addresses;
