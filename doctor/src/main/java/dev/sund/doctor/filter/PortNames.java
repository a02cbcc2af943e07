package dev.sund.doctor.filter;

import dev.sund.model.Protocol;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What ports are called, as {@code /etc/services} has it.
 *
 * @param ports by name
 */
public record PortNames(Map<String, Named> ports) {
  private static final String USUAL =
      """
      ssh 22/tcp
      domain 53/tcp
      domain 53/udp
      bootps 67/udp
      bootpc 68/udp
      http 80/tcp
      ntp 123/udp
      bgp 179/tcp
      https 443/tcp
      """;

  public PortNames {
    ports = Map.copyOf(ports);
  }

  /**
   * A port and the protocols that have it under this name.
   *
   * @param number 0 to 65535
   */
  public record Named(int number, Set<Protocol> protocols) {
    public Named {
      protocols = Set.copyOf(protocols);
    }
  }

  /** Those of this machine, or the few that everybody knows where it has no list. */
  public static PortNames ofSystem() {
    try {
      return read(Files.readString(Path.of("/etc/services")));
    } catch (IOException _) {
      return read(USUAL);
    }
  }

  /** Reads lines such as {@code domain 53/udp nameserver # a comment}. */
  public static PortNames read(String text) {
    Map<String, Named> ports = new HashMap<>();
    for (String line : text.split("\n", -1)) {
      String[] words = line.split("#", 2)[0].strip().split("\\s+");
      if (words.length < 2 || !words[1].matches("[0-9]{1,5}/(tcp|udp|sctp)")) {
        continue;
      }
      String[] port = words[1].split("/", 2);
      Protocol protocol =
          switch (port[1]) {
            case "tcp" -> Protocol.TCP;
            case "udp" -> Protocol.UDP;
            default -> Protocol.SCTP;
          };
      for (int i = 0; i < words.length; i++) {
        if (i != 1) {
          add(ports, words[i], Integer.parseInt(port[0]), protocol);
        }
      }
    }
    return new PortNames(ports);
  }

  private static void add(Map<String, Named> ports, String name, int number, Protocol protocol) {
    Set<Protocol> protocols = EnumSet.of(protocol);
    Named known = ports.get(name);
    if (known != null && known.number() == number) {
      protocols.addAll(known.protocols());
    }
    ports.put(name, new Named(number, protocols));
  }

  /** A port by its name. */
  public Optional<Named> named(String name) {
    return Optional.ofNullable(ports.get(name));
  }
}
