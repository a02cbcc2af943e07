package dev.sund.bench.traffic;

import dev.sund.kernel.NetNs;
import dev.sund.model.Ip;

/**
 * Two places between which traffic is measured.
 *
 * @param client where connections begin
 * @param server where they end
 * @param address the server's address
 */
public record Ends(NetNs client, NetNs server, Ip address) {}
