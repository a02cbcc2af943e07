/**
 * Builds a scene's machines as network namespaces: a router that joins the subnets, one namespace
 * for each node, host and pod, and the links between them; {@link
 * dev.sund.lab.topology.Topology#underlay} says what is built, and is changed by faults together
 * with it. {@link dev.sund.lab.topology.LabHome} is what a lab has outside of memory, by which a
 * later lab finds and removes what a crashed one left.
 *
 * <pre>
 *   n1 eth0 --- p1 |br-a|            |br-outside| p4 --- eth0 outside
 *   n2 eth0 --- p2 |    |   router   |
 *   n3 eth0 --- p3 |br-b|            |br-api|     p5 --- eth0 api
 * </pre>
 */
@NullMarked
package dev.sund.lab.topology;

import org.jspecify.annotations.NullMarked;
