package dev.sund.doctor.filter;

import java.util.List;
import java.util.Random;

/** Filters as people write them, and worse. */
final class RandomExpressions {
  private final Random random;

  RandomExpressions(Random random) {
    this.random = random;
  }

  private String pick(String... from) {
    return from[random.nextInt(from.length)];
  }

  String next() {
    return expression(3);
  }

  private String expression(int depth) {
    StringBuilder text = new StringBuilder(term(depth));
    while (random.nextInt(3) == 0) {
      text.append(pick(" and ", " or ", " && ", " || ")).append(term(depth));
    }
    return text.toString();
  }

  private String term(int depth) {
    return switch (random.nextInt(8)) {
      case 0 -> pick("not ", "! ") + term(depth);
      case 1, 2 -> depth == 0 ? primitive() : "(" + expression(depth - 1) + ")";
      default -> primitive();
    };
  }

  private String v4() {
    return pick("10.0.0.1", "10.0.0.2", "10.244.1.5", "192.168.10.11", "224.0.0.1", "1.2.3.4");
  }

  private String v6() {
    return pick("2001:db8::1", "fd00:10:244:1::5", "ff02::1", "::1");
  }

  private String port() {
    return pick("22", "53", "80", "443", "8080", "0x50", "1", "domain", "ssh", "51820");
  }

  private String end() {
    return pick("", "", "src ", "dst ", "src or dst ", "src and dst ", "dst or src ");
  }

  private String primitive() {
    return switch (random.nextInt(22)) {
      case 0 ->
          pick(
              "tcp", "udp", "icmp", "icmp6", "arp", "rarp", "ip", "ip6", "sctp", "igmp", "esp",
              "ah", "pim", "vrrp");
      case 1, 2 ->
          pick("", "ip ", "arp ")
              + end()
              + "host "
              + v4()
              + more(List.of(" or " + v4(), " and " + v4()));
      case 3 -> pick("", "ip6 ") + end() + "host " + v6();
      case 4 -> pick("src ", "dst ", "src or dst ") + pick(v4(), v6());
      case 5 ->
          end()
              + "net "
              + pick(
                  "10",
                  "10.0.0.0/8",
                  "10.244.1.0/24",
                  "10.244",
                  "192.168.10.8/29",
                  "224.0.0.0 mask 240.0.0.0",
                  "0.0.0.0/0");
      case 6 ->
          end() + "net " + pick("2001:db8::/32", "fd00:10:244:1::/64", "ff00::/8", "fd00::/9");
      case 7, 8, 9 ->
          pick("", "tcp ", "udp ", "sctp ")
              + end()
              + "port "
              + port()
              + more(List.of(" or " + pick("80", "443"), " or not 22"));
      case 10 ->
          pick("", "tcp ")
              + end()
              + "port ("
              + pick("80", "53")
              + " or "
              + pick("443", "8080")
              + ")";
      case 11 ->
          pick("", "tcp ", "udp ")
              + end()
              + "portrange "
              + pick("1-100", "8000-9000", "8090-8080", "0-65535");
      case 12 ->
          pick("ip proto ", "ip6 proto ", "proto ")
              + pick("6", "17", "50", "58", "\\tcp", "\\udp", "132");
      case 13 -> "ether proto " + pick("\\ip", "\\arp", "0x86dd", "0x42", "34525", "0x0800");
      case 14 ->
          "ether "
              + pick("src ", "dst ", "host ", "src host ")
              + pick("02:00:00:00:00:01", "2:0:0:0:0:2", "ff:ff:ff:ff:ff:ff");
      case 15 ->
          pick(
              "ether broadcast",
              "broadcast",
              "ether multicast",
              "multicast",
              "ip multicast",
              "ip6 multicast");
      case 16 -> pick("less ", "greater ") + pick("60", "100", "150", "0x80");
      case 17 -> pick("vlan", "vlan 5", "vlan 100");
      case 18 ->
          "tcp[tcpflags] & "
              + pick("tcp-syn", "(tcp-syn|tcp-fin)", "(tcp-rst)", "0x12")
              + pick(" != 0", " == 2", " = 0x12");
      case 19 ->
          pick(
              "icmp[icmptype] = icmp-echo",
              "icmp[icmptype] != icmp-unreach",
              "icmp6[icmp6type] == icmp6-neighborsolicit",
              "icmp6[0] >= 128",
              "icmp[icmptype] == 3 and icmp[icmpcode] == 4");
      case 20 ->
          arithmetic(2) + pick(" = ", " == ", " != ", " < ", " > ", " <= ", " >= ") + arithmetic(1);
      default ->
          pick(
              "ip[6:2] & 0x3fff != 0",
              "ip[2:2] > 576",
              "ip[0] & 0xf > 5",
              "ether[0] & 1 = 0",
              "ip6[6] = 44",
              "udp[4:2] < 100",
              "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420",
              "len > 120",
              "(ip[8] + 2) * 2 = 132",
              "arp[6:2] = 1",
              "ip[8] = 64 or ip6[7] = 64");
    };
  }

  private String more(List<String> endings) {
    return random.nextInt(4) == 0 ? endings.get(random.nextInt(endings.size())) : "";
  }

  /**
   * What is read from a header comes first: libpcap forgets to ask whether a packet has the header
   * of what stands further back in a sum, and we do not.
   */
  private String arithmetic(int depth) {
    return switch (random.nextInt(depth == 0 ? 4 : 7)) {
      case 0 -> Integer.toString(random.nextInt(300));
      case 1 -> "len";
      case 2 ->
          pick("ip", "ether", "ip6", "tcp", "udp", "arp")
              + "["
              + random.nextInt(20)
              + pick("", ":2", ":4", ":1")
              + "]";
      case 3 -> pick("0x10", "tcp-ack", "010");
      case 4 ->
          "("
              + arithmetic(depth - 1)
              + pick(" + ", " - ", " & ", " | ", " * ")
              + pick("len", "7", "0xff", "(len & 3)")
              + ")";
      case 5 -> "(" + arithmetic(depth - 1) + pick(" << ", " >> ") + random.nextInt(8) + ")";
      default ->
          pick("ip", "udp", "tcp")
              + "["
              + "("
              + pick("ip[0] & 0xf", "ip[9] & 3")
              + ") * 2"
              + pick("", ":2")
              + "]";
    };
  }
}
