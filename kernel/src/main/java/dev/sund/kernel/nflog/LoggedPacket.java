package dev.sund.kernel.nflog;

import dev.sund.kernel.conntrack.Tuple;
import java.util.Optional;

/**
 * A packet that a rule showed to the log.
 *
 * @param prefix what the rule says, at most 127 bytes
 * @param hook the hook at which the rule stands (NF_INET_...), 0 to 4
 * @param mark the packet's mark
 * @param inDevice the interface number of the device that it came by, 0 for none; of a packet that
 *     came over a bridge the bridge's
 * @param outDevice the one that it was to leave by, 0 for none
 * @param inPort of a packet that came over a bridge the bridge's port, else 0
 * @param outPort of a packet that was to leave over a bridge the bridge's port, else 0
 * @param head what its headers say; empty for what is neither IPv4 nor IPv6, or was cut short
 * @param connection how its connection began, before destinations were translated; empty where the
 *     kernel tracks it not, or does not say
 * @param sequence its number in the group since the reader came, from 0
 */
public record LoggedPacket(
    String prefix,
    int hook,
    int mark,
    int inDevice,
    int outDevice,
    int inPort,
    int outPort,
    Optional<PacketHead> head,
    Optional<Tuple> connection,
    int sequence) {}
