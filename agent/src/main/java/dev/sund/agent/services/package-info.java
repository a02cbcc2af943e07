/**
 * What an agent does about Services beside the packet program: hears how kube-proxy was to serve
 * them, answers load balancers' health checks, and measures how long a change takes to the kernel.
 *
 * <pre>
 *   ConfigMap kube-proxy ─┐
 *   --kube-proxy-config ──┼─► ProxySettings ─► ServicesSet, ConntrackSet ─► Mailbox
 *   Fabric ───────────────┘
 * </pre>
 */
@NullMarked
package dev.sund.agent.services;

import org.jspecify.annotations.NullMarked;
