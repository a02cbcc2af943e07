package dev.sund.engine.hostlocal;

import dev.sund.model.InterfaceAddress;
import dev.sund.model.Ip;

/**
 * An address given to an interface.
 *
 * @param address with its subnet's length
 * @param gateway the range's gateway
 */
public record GivenAddress(InterfaceAddress address, Ip gateway) {}
