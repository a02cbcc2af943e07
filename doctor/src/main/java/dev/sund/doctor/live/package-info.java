/**
 * The facts that are in no file, asked of the kernel of this machine: each class asks for one kind
 * and writes it as {@link dev.sund.doctor.Line} reads it. Nothing is changed.
 *
 * <pre>
 *   LiveFacts ─┬─ DeviceFacts      links, queues, drivers, routing
 *              ├─ RuleFacts        rules
 *              ├─ PodFacts         pods
 *              ├─ ConnectionFacts  connections
 *              └─ ProxyFacts       proxy
 * </pre>
 */
package dev.sund.doctor.live;
