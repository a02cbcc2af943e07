package dev.sund.agent.cni;

import dev.sund.model.Checks;
import dev.sund.model.Ip;
import java.util.Optional;

/**
 * One entry of the capability {@code portMappings}.
 *
 * @param hostPort the node's port, 1 to 65535
 * @param containerPort the container's port, 1 to 65535
 * @param protocol {@code tcp}, {@code udp} or {@code sctp}, in small letters
 * @param hostIp the node's address; empty for all of them
 */
public record PortMapping(int hostPort, int containerPort, String protocol, Optional<Ip> hostIp) {
  public PortMapping {
    Checks.range("hostPort", hostPort, 1, 65535);
    Checks.range("containerPort", containerPort, 1, 65535);
    Checks.that(
        protocol.equals("tcp") || protocol.equals("udp") || protocol.equals("sctp"),
        "protocol '" + protocol + "' is none of tcp, udp, sctp");
  }
}
