/**
 * Where a pod's network is on this node, of whatever runtime and network plugin: found by what lies
 * in the node's files, without asking a runtime, an API server or an agent.
 *
 * <pre>
 *   shop/web-0 ─► {@link dev.sund.doctor.pods.PodRecords}: Sund's attachments, the runtimes' CNI cache ──┐
 *              └► /var/log/pods ─► uid ─┐                                                              ├─► namespace
 *   5f2c9a (container) ─► /proc/PID/cgroup, the runtimes' state ─► process ─► /proc/PID/ns/net ────────┤
 *   10.244.1.5 ─► addresses of every namespace ────────────────────────────────────────────────────────┘
 * </pre>
 *
 * <p>{@link dev.sund.doctor.pods.PodSearch} is the way in, shared by all commands that take a POD.
 */
package dev.sund.doctor.pods;
