package dev.sund.kernel.ipvs;

import dev.sund.model.Ip;
import dev.sund.model.Protocol;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@code /proc/net/ip_vs} and {@code ip_vs_conn} say; pure. */
final class IpvsText {
  /** Addresses are in hexadecimal, those of IPv6 with colons in brackets. */
  private static final Pattern SERVER =
      Pattern.compile("(TCP|UDP|SCTP) +(?:([0-9A-F]{8})|\\[([0-9a-f:]+)\\]):([0-9A-F]{4}) .*");

  private static final int STATE = 7;

  private IpvsText() {}

  /** The virtual servers by address; those by firewall mark are left out. */
  static List<VirtualServer> servers(List<String> lines) {
    List<VirtualServer> servers = new ArrayList<>();
    for (String line : lines) {
      server(line).ifPresent(servers::add);
    }
    return servers;
  }

  private static Optional<VirtualServer> server(String line) {
    Matcher match = SERVER.matcher(line + " ");
    if (!match.matches()) {
      return Optional.empty();
    }
    Ip address =
        match.group(2) != null
            ? Ip.v4(Integer.parseUnsignedInt(match.group(2), 16))
            : Ip.parse(match.group(3));
    return Optional.of(
        new VirtualServer(
            Protocol.parse(match.group(1)).number(),
            address,
            Integer.parseInt(match.group(4), 16)));
  }

  /** How many connections are established; UDP has no such. */
  static int established(List<String> lines) {
    int count = 0;
    for (String line : lines) {
      String[] words = line.strip().split(" +");
      if (words.length > STATE && words[STATE].equals("ESTABLISHED")) {
        count++;
      }
    }
    return count;
  }
}
