package dev.sund.doctor.capture;

import java.util.ArrayList;
import java.util.List;

/** A DNS message in a few words, as tcpdump has them (RFC 1035, section 4). */
final class DnsText {
  private static final int HEADER = 12;
  private static final int MOST_NAME = 255;
  private static final int MOST_ANSWERS = 4;
  private static final List<String> CODES =
      List.of("", " FormErr", " ServFail", " NXDomain", " NotImp", " Refused");

  private DnsText() {}

  /** A query's name or an answer's records; empty for what is too short to be either. */
  static String of(PacketBytes message) {
    if (message.length() < HEADER) {
      return "";
    }
    int flags = message.u16(2);
    boolean response = (flags & 0x8000) != 0;
    int questions = message.u16(4);
    int answers = message.u16(6);
    StringBuilder text = new StringBuilder().append(message.u16(0));
    if (!response) {
      text.append((flags & 0x100) != 0 ? "+" : "");
    } else {
      int code = flags & 0xf;
      text.append((flags & 0x400) != 0 ? "*" : "");
      text.append((flags & 0x200) != 0 ? "|" : "");
      text.append(code < CODES.size() ? CODES.get(code) : " Code" + code);
    }
    int at = HEADER;
    if (questions > 0) {
      StringBuilder name = new StringBuilder();
      at = name(message, at, name);
      if (!response) {
        text.append(' ').append(type(message.u16(at))).append("? ").append(name);
      } else {
        text.append(' ').append(type(message.u16(at))).append(' ').append(name);
      }
      at += 4;
    }
    return response ? text + answers(message, at, answers) : text.toString();
  }

  private static String answers(PacketBytes message, int begin, int answers) {
    List<String> records = new ArrayList<>();
    int at = begin;
    for (int i = 0; i < Math.min(answers, MOST_ANSWERS) && at < message.length(); i++) {
      at = name(message, at, new StringBuilder());
      int type = message.u16(at);
      int length = message.u16(at + 8);
      int data = at + 10;
      StringBuilder value = new StringBuilder(type(type)).append(' ');
      switch (type) {
        case 1 -> value.append(message.v4(data));
        case 28 -> value.append(message.v6(data));
        case 2, 5, 12 -> name(message, data, value);
        case 33 -> {
          name(message, data + 6, value);
          value.append(':').append(message.u16(data + 4));
        }
        default -> value.append('(').append(length).append(')');
      }
      records.add(value.toString());
      at = data + length;
    }
    String more = answers > records.size() ? ", ..." : "";
    return " " + answers + (records.isEmpty() ? "" : ": " + String.join(", ", records)) + more;
  }

  /** Appends a name, following what is written once and meant twice; the place behind it. */
  private static int name(PacketBytes message, int begin, StringBuilder name) {
    int at = begin;
    int behind = -1;
    int jumps = 0;
    int start = name.length();
    while (at < message.length() && name.length() - start < MOST_NAME) {
      int length = message.u8(at);
      if (length == 0) {
        at++;
        break;
      }
      if ((length & 0xc0) == 0xc0) {
        behind = behind < 0 ? at + 2 : behind;
        at = message.u16(at) & 0x3fff;
        if (++jumps > 10) {
          break;
        }
      } else {
        name.append(message.text(at + 1, length)).append('.');
        at += 1 + length;
      }
    }
    if (name.length() == start) {
      name.append('.');
    }
    return behind < 0 ? at : behind;
  }

  private static String type(int number) {
    return switch (number) {
      case 1 -> "A";
      case 2 -> "NS";
      case 5 -> "CNAME";
      case 6 -> "SOA";
      case 12 -> "PTR";
      case 15 -> "MX";
      case 16 -> "TXT";
      case 28 -> "AAAA";
      case 33 -> "SRV";
      case 65 -> "HTTPS";
      case 255 -> "ANY";
      default -> "Type" + number;
    };
  }
}
