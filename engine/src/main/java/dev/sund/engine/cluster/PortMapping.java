package dev.sund.engine.cluster;

import dev.sund.model.Checks;
import dev.sund.model.Family;
import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A port of a pod that is to be reached at its node's address: a container's {@code hostPort}, or
 * an entry of the {@code portMappings} that a container runtime hands to CNI.
 *
 * @param hostIp at which of the node's addresses; empty, or {@code 0.0.0.0} or {@code ::}, for all
 *     of them (of both families, or of that one)
 * @param hostPort the port at the node, 1 to 65535
 * @param containerPort the pod's port, 1 to 65535
 * @param protocol TCP, UDP or SCTP
 */
public record PortMapping(Optional<Ip> hostIp, int hostPort, int containerPort, Protocol protocol)
    implements Comparable<PortMapping> {
  private static final Comparator<PortMapping> ORDER =
      Comparator.comparingInt(PortMapping::hostPort)
          .thenComparing(PortMapping::protocol)
          .thenComparing(mapping -> mapping.hostIp.map(Ip::toString).orElse(""))
          .thenComparingInt(PortMapping::containerPort);
  private static final Pattern TEXT =
      Pattern.compile(
          "(?:\\[(?<v6>[^\\]]+)]:|(?<v4>[0-9.]+):)?(?<host>[0-9]{1,5}):(?<container>[0-9]{1,5})/(?<protocol>[a-z]+)");

  public PortMapping {
    Checks.range("host port", hostPort, 1, 65535);
    Checks.range("container port", containerPort, 1, 65535);
    Checks.that(protocol != Protocol.ICMP, "ICMP has no ports");
  }

  /** At all of the node's addresses. */
  public static PortMapping of(int hostPort, int containerPort, Protocol protocol) {
    return new PortMapping(Optional.empty(), hostPort, containerPort, protocol);
  }

  /** This mapping at one of the node's addresses only. */
  public PortMapping at(Ip address) {
    return new PortMapping(Optional.of(address), hostPort, containerPort, protocol);
  }

  /**
   * Parses what {@link #toString} writes.
   *
   * @throws IllegalArgumentException naming the text
   */
  public static PortMapping parse(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      throw new IllegalArgumentException(
          "'" + text + "' is not a port mapping such as 192.168.1.11:8080:80/tcp");
    }
    String ip = parts.group("v6") == null ? parts.group("v4") : parts.group("v6");
    return new PortMapping(
        Optional.ofNullable(ip).map(Ip::parse),
        Integer.parseInt(parts.group("host")),
        Integer.parseInt(parts.group("container")),
        Protocol.parse(parts.group("protocol")));
  }

  @Override
  public int compareTo(PortMapping other) {
    return ORDER.compare(this, other);
  }

  /** {@code 8080:80/tcp}, {@code 192.168.1.11:8080:80/tcp} or {@code [fd00::1]:8080:80/tcp}. */
  @Override
  public String toString() {
    return hostIp.map(ip -> ip.family() == Family.V6 ? "[" + ip + "]:" : ip + ":").orElse("")
        + hostPort
        + ":"
        + containerPort
        + "/"
        + protocol.label();
  }
}
