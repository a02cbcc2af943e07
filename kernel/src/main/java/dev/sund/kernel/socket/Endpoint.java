package dev.sund.kernel.socket;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;

/**
 * An address and a transport port.
 *
 * @param ip the address
 * @param port 0 to 65535; 0 where the kernel is to choose, or where there are no ports
 */
public record Endpoint(Ip ip, int port) {
  public Endpoint {
    Checks.range("port", port, 0, 65535);
  }

  /** All addresses of a family at a port: what a server binds to. */
  public static Endpoint any(Family family, int port) {
    return new Endpoint(Ip.any(family), port);
  }

  /** {@code ADDRESS:PORT}, an IPv6 address in brackets. */
  @Override
  public String toString() {
    return ip.family() == Family.V4 ? ip + ":" + port : "[" + ip + "]:" + port;
  }
}
