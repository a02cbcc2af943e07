package dev.sund.kernel.ipvs;

import dev.sund.model.Checks;
import dev.sund.model.Ip;

/**
 * A virtual server of IPVS.
 *
 * @param protocol IANA number: 6, 17 or 132
 * @param address of the server
 * @param port 0 to 65535; 0 is all ports
 */
public record VirtualServer(int protocol, Ip address, int port) {
  public VirtualServer {
    Checks.range("protocol", protocol, 1, 255);
    Checks.range("port", port, 0, 65535);
  }
}
