/**
 * {@code sund lab}: a cluster on one machine. {@link dev.sund.lab.Lab} reads manifests into a
 * scene, builds its machines, serves its API, starts the nodes' agents, plays the kubelet, and
 * prints who reaches whom: wanted, in force and measured.
 *
 * <pre>
 *   manifests -> scene -> topology (namespaces) -> LabApi, agents, kubelet -> pods with networks
 *                  |                                                             |
 *              questions -> prediction over wanted and lifted programs   measurement by packets
 *                               \______________ matrix ______________________/
 * </pre>
 */
@NullMarked
package dev.sund.lab;

import org.jspecify.annotations.NullMarked;
