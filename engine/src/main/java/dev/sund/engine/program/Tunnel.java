package dev.sund.engine.program;

import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.RuleId;
import java.util.Optional;

/**
 * This node's end of a VXLAN fabric. Key: {@code device}; one for each family of the underlay in
 * use.
 *
 * <p>In the kernel: a VXLAN device without learning, with this group of attributes, and its address
 * as /32 or /128.
 *
 * @param device {@link dev.sund.model.Marks#VXLAN_V4} or {@link dev.sund.model.Marks#VXLAN_V6}
 * @param vni 1 to 16777215
 * @param port UDP port, 1 to 65535
 * @param local this node's underlay address: the outer source
 * @param underlayDevice the device that carries {@code local}
 * @param mac this end's address, derived from this node's uid and address
 * @param address the source of packets that are born on this node and go by this tunnel: the first
 *     address of the node's pod range
 * @param mtu the largest inner packet in bytes
 * @param rule {@code Node:NAME:UID:none:0} of this node
 */
public record Tunnel(
    String device,
    int vni,
    int port,
    Ip local,
    String underlayDevice,
    Mac mac,
    Optional<Ip> address,
    int mtu,
    RuleId rule) {}
