/**
 * Bridge mode: the reference plugins {@code bridge}, {@code host-local} and {@code portmap}, served
 * by the agent.
 *
 * <pre>
 *   CniDispatch ──► BridgeNetwork ──► BridgeWorkers ──► BridgeLinks     bridge, link, addresses
 *                    │   │   │
 *                    │   │   └─► AddressDirectories ──► files of host-local   one file an address
 *                    │   └─────► Records            ──► what was made, on disk before the kernel
 *                    └─────────► Translation        ──► Masquerade rows of the node's program
 * </pre>
 *
 * <p>Configurations, results, error codes and the kernel's state are those of the reference plugins
 * of version 1.1.1, but for what {@code docs/bridge.md} lists: chiefly that source translation is
 * the program's and not a chain of iptables a container, that a failed ADD leaves nothing behind,
 * that a key nobody knows is refused, and that GC and STATUS work.
 */
@NullMarked
package dev.sund.agent.bridge;

import org.jspecify.annotations.NullMarked;
