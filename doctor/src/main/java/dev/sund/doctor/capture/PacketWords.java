package dev.sund.doctor.capture;

import dev.sund.doctor.filter.LinkForm;
import dev.sund.model.Ip;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a packet says, in tcpdump's words.
 *
 * @param protocol {@code IP}, {@code IP6}, {@code ARP} or another
 * @param source who sent it; empty where there is no address
 * @param sourcePort 0 where there is none
 * @param destination to whom
 * @param destinationPort 0 where there is none
 * @param says the rest: {@code Flags [S], seq 7, win 64240, length 0}
 */
public record PacketWords(
    String protocol,
    Optional<Ip> source,
    int sourcePort,
    Optional<Ip> destination,
    int destinationPort,
    String says) {
  private static final int TCP = 6;
  private static final int UDP = 17;
  private static final int SCTP = 132;
  private static final int ICMP = 1;
  private static final int ICMPV6 = 58;
  private static final int DNS = 53;
  private static final int MDNS = 5353;

  /**
   * Reads a packet.
   *
   * @param memory where it is
   * @param begin its first byte there
   * @param captured how many bytes of it are there
   * @param length how many it has
   */
  public static PacketWords read(
      ByteBuffer memory, int begin, int captured, int length, LinkForm link) {
    PacketBytes bytes = new PacketBytes(memory, begin, captured);
    if (link == LinkForm.IP) {
      return network(bytes.u8(0) >> 4 == 6 ? 0x86dd : 0x0800, bytes, "");
    }
    int type = bytes.u16(12);
    int at = 14;
    StringBuilder tags = new StringBuilder();
    while ((type == 0x8100 || type == 0x88a8 || type == 0x9100) && at + 4 <= captured) {
      tags.append("vlan ").append(bytes.u16(at) & 0xfff).append(", ");
      type = bytes.u16(at + 2);
      at += 4;
    }
    return type == 0x0800 || type == 0x86dd || type == 0x0806
        ? network(type, bytes.from(at), tags.toString())
        : without(
            "%s > %s".formatted(bytes.mac(6), bytes.mac(0)),
            "%sethertype 0x%04x, length %d".formatted(tags, type, length));
  }

  private static PacketWords without(String protocol, String says) {
    return new PacketWords(protocol, Optional.empty(), 0, Optional.empty(), 0, says);
  }

  private static PacketWords network(int type, PacketBytes bytes, String tags) {
    return switch (type) {
      case 0x0806 -> arp(bytes, tags);
      case 0x86dd -> v6(bytes, tags);
      default -> v4(bytes, tags);
    };
  }

  private static PacketWords arp(PacketBytes bytes, String tags) {
    String text =
        switch (bytes.u16(6)) {
          case 1 -> "Request who-has %s tell %s".formatted(bytes.v4(24), bytes.v4(14));
          case 2 -> "Reply %s is-at %s".formatted(bytes.v4(14), bytes.mac(8));
          default -> "operation " + bytes.u16(6);
        };
    return without("ARP", tags + text);
  }

  private static PacketWords v4(PacketBytes bytes, String tags) {
    int header = 4 * (bytes.u8(0) & 0xf);
    int fragment = bytes.u16(6);
    int offset = 8 * (fragment & 0x1fff);
    boolean more = (fragment & 0x2000) != 0;
    String part =
        offset > 0 || more
            ? "(frag %d:%d%s) ".formatted(bytes.u16(4), offset, more ? "+" : "")
            : "";
    int payload = Math.max(0, bytes.u16(2) - header);
    return transport(
        "IP",
        bytes.v4(12),
        bytes.v4(16),
        offset > 0 ? -1 : bytes.u8(9),
        bytes.from(header),
        payload,
        tags + part);
  }

  private static PacketWords v6(PacketBytes bytes, String tags) {
    int next = bytes.u8(6);
    int at = 40;
    String part = "";
    boolean later = false;
    while ((next == 0 || next == 43 || next == 44 || next == 60) && at + 8 <= bytes.length()) {
      int length = next == 44 ? 8 : 8 * (bytes.u8(at + 1) + 1);
      if (next == 44) {
        int fragment = bytes.u16(at + 2);
        later = (fragment & 0xfff8) != 0;
        part =
            "frag (%d|%d%s) "
                .formatted(bytes.u32(at + 4), fragment & 0xfff8, (fragment & 1) != 0 ? "+" : "");
      }
      next = bytes.u8(at);
      at += length;
    }
    int payload = Math.max(0, bytes.u16(4) + 40 - at);
    return transport(
        "IP6", bytes.v6(8), bytes.v6(24), later ? -1 : next, bytes.from(at), payload, tags + part);
  }

  private static PacketWords transport(
      String family, Ip from, Ip to, int protocol, PacketBytes bytes, int length, String before) {
    boolean ports = protocol == TCP || protocol == UDP || protocol == SCTP;
    int source = ports ? bytes.u16(0) : 0;
    int destination = ports ? bytes.u16(2) : 0;
    String says =
        switch (protocol) {
          case TCP -> tcp(bytes, length);
          case UDP -> udp(bytes, source, destination);
          case SCTP -> "sctp, length " + length;
          case ICMP -> icmp(bytes, length);
          case ICMPV6 -> icmp6(bytes, length);
          case -1 -> "length " + length;
          default -> "ip-proto-" + protocol + ", length " + length;
        };
    return new PacketWords(
        family, Optional.of(from), source, Optional.of(to), destination, before + says);
  }

  private static String tcp(PacketBytes bytes, int length) {
    int flags = bytes.u8(13);
    int header = 4 * (bytes.u8(12) >> 4);
    int data = Math.max(0, length - header);
    String letters =
        letter(flags, 2, "S")
            + letter(flags, 1, "F")
            + letter(flags, 4, "R")
            + letter(flags, 8, "P")
            + letter(flags, 0x20, "U")
            + letter(flags, 0x40, "E")
            + letter(flags, 0x80, "W")
            + letter(flags, 0x10, ".");
    StringBuilder text =
        new StringBuilder("Flags [" + (letters.isEmpty() ? "none" : letters) + "]");
    long sequence = bytes.u32(4);
    if (data > 0) {
      text.append(", seq ").append(sequence).append(':').append((sequence + data) & 0xffff_ffffL);
    } else if ((flags & 7) != 0) {
      text.append(", seq ").append(sequence);
    }
    if ((flags & 0x10) != 0) {
      text.append(", ack ").append(bytes.u32(8));
    }
    text.append(", win ").append(bytes.u16(14));
    if ((flags & 2) != 0) {
      options(bytes, header, text);
    }
    return text.append(", length ").append(data).toString();
  }

  private static String letter(int flags, int flag, String letter) {
    return (flags & flag) == 0 ? "" : letter;
  }

  private static void options(PacketBytes bytes, int header, StringBuilder text) {
    List<String> options = new ArrayList<>();
    int at = 20;
    while (at < header && at < bytes.length() && bytes.u8(at) != 0) {
      int kind = bytes.u8(at);
      switch (kind) {
        case 2 -> options.add("mss " + bytes.u16(at + 2));
        case 3 -> options.add("wscale " + bytes.u8(at + 2));
        case 4 -> options.add("sackOK");
        default -> {
          // times, and what fills the row
        }
      }
      at += kind == 1 ? 1 : Math.max(2, bytes.u8(at + 1));
    }
    if (!options.isEmpty()) {
      text.append(", options [").append(String.join(",", options)).append(']');
    }
  }

  private static String udp(PacketBytes bytes, int source, int destination) {
    int length = Math.max(0, bytes.u16(4) - 8);
    boolean dns = source == DNS || destination == DNS || source == MDNS || destination == MDNS;
    String message = dns ? DnsText.of(bytes.from(8)) : "";
    return message.isEmpty() ? "UDP, length " + length : message + " (" + length + ")";
  }

  private static String icmp(PacketBytes bytes, int length) {
    int code = bytes.u8(1);
    String text =
        switch (bytes.u8(0)) {
          case 0 -> "echo reply, id %d, seq %d".formatted(bytes.u16(4), bytes.u16(6));
          case 8 -> "echo request, id %d, seq %d".formatted(bytes.u16(4), bytes.u16(6));
          case 3 -> unreachable(bytes, code);
          case 5 -> "redirect %s to %s".formatted(bytes.v4(8 + 16), bytes.v4(4));
          case 11 -> code == 0 ? "time exceeded in-transit" : "ip reassembly time exceeded";
          default -> "type-" + bytes.u8(0) + " code-" + code;
        };
    return "ICMP " + text + ", length " + length;
  }

  private static String unreachable(PacketBytes bytes, int code) {
    Ip to = bytes.v4(8 + 16);
    int header = 4 * (bytes.u8(8) & 0xf);
    return switch (code) {
      case 0 -> "net " + to + " unreachable";
      case 2 -> to + " protocol " + bytes.u8(8 + 9) + " unreachable";
      case 3 ->
          "%s %s port %d unreachable"
              .formatted(to, bytes.u8(8 + 9) == UDP ? "udp" : "tcp", bytes.u16(8 + header + 2));
      case 4 -> "%s unreachable - need to frag (mtu %d)".formatted(to, bytes.u16(6));
      case 9, 10, 13 -> "host " + to + " unreachable - admin prohibited";
      default -> "host " + to + " unreachable";
    };
  }

  private static String icmp6(PacketBytes bytes, int length) {
    String text =
        switch (bytes.u8(0)) {
          case 1 -> "destination unreachable, code " + bytes.u8(1) + ", " + bytes.v6(8 + 24);
          case 2 -> "packet too big, mtu " + bytes.u32(4);
          case 3 -> "time exceeded in-transit";
          case 128 -> "echo request, id %d, seq %d".formatted(bytes.u16(4), bytes.u16(6));
          case 129 -> "echo reply, id %d, seq %d".formatted(bytes.u16(4), bytes.u16(6));
          case 133 -> "router solicitation";
          case 134 -> "router advertisement";
          case 135 -> "neighbor solicitation, who has " + bytes.v6(8);
          case 136 -> "neighbor advertisement, tgt is " + bytes.v6(8);
          default -> "type-" + bytes.u8(0);
        };
    return "ICMP6, " + text + ", length " + length;
  }
}
