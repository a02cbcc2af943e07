package dev.sund.lab;

import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a trace in the lab goes: {@code NAME[:PORT][/PROTO]}, an address of IPv6 in brackets where
 * a port follows. Without a port, a datagram to the port at which every pod and node answers.
 *
 * @param name of whom, or an address
 */
record TraceTarget(String name, Protocol protocol, int port) {
  private static final Pattern FORM =
      Pattern.compile("(?<name>.+?)(:(?<port>[0-9]{1,5}))?(/(?<protocol>tcp|udp|sctp|icmp))?");

  /** Reads a target; {@code echo} is the port without one. */
  static TraceTarget parse(String text, int echo) {
    Matcher matcher = FORM.matcher(text);
    if (Ip.tryParse(text).isPresent() || !matcher.matches()) {
      return new TraceTarget(text, Protocol.UDP, echo);
    }
    Optional<String> port = Optional.ofNullable(matcher.group("port"));
    Protocol protocol =
        Optional.ofNullable(matcher.group("protocol"))
            .map(TraceTarget::protocol)
            .orElse(port.isPresent() ? Protocol.TCP : Protocol.UDP);
    String name = matcher.group("name").replaceAll("[\\[\\]]", "");
    int number =
        protocol == Protocol.ICMP
            ? 0
            : port.map(Integer::valueOf).filter(n -> n < 65536).orElse(echo);
    return new TraceTarget(name, protocol, number);
  }

  private static Protocol protocol(String label) {
    return switch (label) {
      case "tcp" -> Protocol.TCP;
      case "sctp" -> Protocol.SCTP;
      case "icmp" -> Protocol.ICMP;
      default -> Protocol.UDP;
    };
  }
}
