package dev.sund.doctor.filter;

import dev.sund.doctor.filter.Primitives.End;
import dev.sund.model.Ip;
import dev.sund.model.Mac;
import dev.sund.model.Protocol;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Reads pcap's language; see pcap-filter(7), whose words it keeps. */
final class FilterParser {
  private static final Map<String, Integer> LINK_PROTOCOLS =
      Map.of(
          "ip", Primitives.ETHERTYPE_IP,
          "ip6", Primitives.ETHERTYPE_IPV6,
          "arp", Primitives.ETHERTYPE_ARP,
          "rarp", Primitives.ETHERTYPE_RARP);

  private static final Map<String, Integer> PROTOCOLS =
      Map.of(
          "icmp", 1, "igmp", 2, "tcp", 6, "udp", 17, "esp", 50, "ah", 51, "icmp6", 58, "pim", 103,
          "vrrp", 112, "sctp", 132);

  private static final Set<String> TYPES =
      Set.of("host", "net", "port", "portrange", "proto", "gateway", "protochain");

  private final FilterWords words;
  private final Primitives primitives;
  private final PortNames ports;
  private Optional<Keywords> last = Optional.empty();

  /**
   * The keywords before an address, a port or a number.
   *
   * @param protocol such as {@code tcp}; empty when there is none
   * @param end which end
   * @param type such as {@code port}
   */
  private record Keywords(String protocol, End end, String type) {}

  FilterParser(FilterWords words, Primitives primitives, PortNames ports) {
    this.words = words;
    this.primitives = primitives;
    this.ports = ports;
  }

  /** The number of a protocol over IP, by its name. */
  static Optional<Integer> protocolNumber(String name) {
    return Optional.ofNullable(PROTOCOLS.get(name));
  }

  /** The number by which a link's header calls a protocol. */
  static Optional<Integer> linkNumber(String name) {
    return Optional.ofNullable(LINK_PROTOCOLS.get(name));
  }

  private static int number(Map<String, Integer> numbers, String name) {
    return Optional.ofNullable(numbers.get(name)).orElseThrow();
  }

  /** The whole expression. */
  Condition whole() throws FilterSyntaxException {
    Condition condition = expression();
    if (!words.atEnd()) {
      throw words.fault("expected 'and' or 'or'" + words.found());
    }
    return condition;
  }

  private Condition expression() throws FilterSyntaxException {
    Condition condition = term();
    while (true) {
      if (words.took("and") || words.took("&&")) {
        condition = condition.and(term());
      } else if (words.took("or") || words.took("||")) {
        condition = condition.or(term());
      } else {
        return condition;
      }
    }
  }

  private Condition term() throws FilterSyntaxException {
    if (words.took("not") || words.took("!")) {
      return new Condition.Not(term());
    }
    String word = words.peek();
    if (word.isEmpty()) {
      throw words.fault("it ends too early");
    }
    if (isComparison()) {
      last = Optional.empty();
      return new Arithmetic(words, primitives).comparison();
    }
    if (word.equals("(")) {
      words.take();
      Condition condition = expression();
      words.expect(")");
      return condition;
    }
    if (isProtocol(word) || isEnd(word) || TYPES.contains(word)) {
      return primitive();
    }
    Optional<Condition> other = other(word);
    if (other.isPresent()) {
      last = Optional.empty();
      return other.get();
    }
    if (last.isPresent()) {
      return operand(last.get());
    }
    throw words.fault(
        "'"
            + word
            + "' needs a keyword before it: host, net, port, proto, or is none that is known");
  }

  /** Whether numbers are compared here: tried, and taken back. */
  private boolean isComparison() {
    String word = words.peek();
    boolean may =
        word.equals("(")
            || word.equals("-")
            || word.equals("len")
            || word.equals("length")
            || Arithmetic.isName(word)
            || words.peek(1).equals("[")
            || Character.isDigit(word.charAt(0)) && Arithmetic.isSign(words.peek(1));
    if (!may || !word.equals("(")) {
      return may;
    }
    int mark = words.mark();
    try {
      new Arithmetic(words, primitives).comparison();
      return true;
    } catch (FilterSyntaxException _) {
      return false;
    } finally {
      words.backTo(mark);
    }
  }

  private static boolean isProtocol(String word) {
    return word.equals("ether")
        || word.equals("link")
        || LINK_PROTOCOLS.containsKey(word)
        || PROTOCOLS.containsKey(word);
  }

  private static boolean isEnd(String word) {
    return word.equals("src") || word.equals("dst");
  }

  /** {@code less}, {@code vlan} and others that stand alone. */
  private Optional<Condition> other(String word) throws FilterSyntaxException {
    switch (word) {
      case "less", "greater" -> {
        words.take();
        int number = number(words.take(), Integer.MAX_VALUE);
        return Optional.of(
            word.equals("less")
                ? Condition.atMost(new Value.Length(), number)
                : Condition.atLeast(new Value.Length(), number));
      }
      case "vlan" -> {
        words.take();
        OptionalInt number = OptionalInt.empty();
        if (Arithmetic.tryNumber(words.peek()).isPresent()) {
          number = OptionalInt.of(number(words.take(), 0xfff));
        }
        return Optional.of(primitives.vlan(number));
      }
      case "inbound", "outbound" -> {
        words.take();
        return Optional.of(primitives.outgoing(word.equals("outbound")));
      }
      case "broadcast" -> {
        words.take();
        return Optional.of(primitives.etherBroadcast());
      }
      case "multicast" -> {
        words.take();
        return Optional.of(primitives.etherMulticast());
      }
      default -> {
        return Optional.empty();
      }
    }
  }

  /** {@code [protocol] [src|dst] [type] operand}, or a protocol alone. */
  private Condition primitive() throws FilterSyntaxException {
    String protocol = isProtocol(words.peek()) ? words.take() : "";
    if (protocol.equals("link")) {
      protocol = "ether";
    }
    if (words.took("multicast")) {
      last = Optional.empty();
      return switch (protocol) {
        case "ip" -> primitives.v4Multicast();
        case "ip6" -> primitives.v6Multicast();
        case "ether" -> primitives.etherMulticast();
        default -> throw words.faultBefore("multicast is of ether, ip or ip6");
      };
    }
    if (words.took("broadcast")) {
      last = Optional.empty();
      if (protocol.equals("ether")) {
        return primitives.etherBroadcast();
      }
      throw words.faultBefore("broadcast is of ether; those of ip depend on each link's mask");
    }
    Optional<End> end = end();
    Optional<String> type =
        TYPES.contains(words.peek()) ? Optional.of(words.take()) : Optional.empty();
    if (end.isEmpty() && type.isEmpty()) {
      return alone(protocol);
    }
    if (type.isPresent() && (type.get().equals("gateway") || type.get().equals("protochain"))) {
      throw words.faultBefore("'" + type.get() + "' is not known here");
    }
    Keywords keywords = new Keywords(protocol, end.orElse(End.EITHER), type.orElse("host"));
    last = Optional.of(keywords);
    return operand(keywords);
  }

  private Condition alone(String protocol) throws FilterSyntaxException {
    last = Optional.empty();
    Integer link = LINK_PROTOCOLS.get(protocol);
    if (link != null) {
      return primitives.linkType(link);
    }
    return switch (protocol) {
      case "icmp", "igmp", "vrrp" -> primitives.overV4(number(PROTOCOLS, protocol));
      case "icmp6" -> primitives.overV6(Primitives.ICMPV6);
      case "ether" -> throw words.fault("expected host, src, dst, proto, broadcast or multicast");
      default -> primitives.overIp(number(PROTOCOLS, protocol));
    };
  }

  private Optional<End> end() {
    if (!isEnd(words.peek())) {
      return Optional.empty();
    }
    boolean source = words.peek().equals("src");
    words.took(words.peek());
    boolean other = words.peek(1).equals(source ? "dst" : "src");
    if (other && (words.took("or") || words.took("||"))) {
      words.took(words.peek());
      return Optional.of(End.EITHER);
    }
    if (other && (words.took("and") || words.took("&&"))) {
      words.took(words.peek());
      return Optional.of(End.BOTH);
    }
    return Optional.of(source ? End.SOURCE : End.DESTINATION);
  }

  /** What stands behind keywords; also several of them in parentheses. */
  private Condition operand(Keywords keywords) throws FilterSyntaxException {
    if (words.took("(")) {
      Condition condition = operand(keywords);
      while (!words.took(")")) {
        if (words.took("and") || words.took("&&")) {
          condition = condition.and(operand(keywords));
        } else if (words.took("or") || words.took("||")) {
          condition = condition.or(operand(keywords));
        } else {
          throw words.fault("expected ')'" + words.found());
        }
      }
      return condition;
    }
    if (words.took("not") || words.took("!")) {
      return new Condition.Not(operand(keywords));
    }
    String word = words.take();
    return switch (keywords.type()) {
      case "host" -> host(keywords, word);
      case "net" -> net(keywords, word);
      case "port" -> port(keywords, word);
      case "portrange" -> portRange(keywords, word);
      default -> proto(keywords, word);
    };
  }

  private Condition host(Keywords keywords, String word) throws FilterSyntaxException {
    if (word.matches("[0-9a-fA-F]{1,2}(:[0-9a-fA-F]{1,2}){5}")) {
      if (!keywords.protocol().equals("ether")) {
        throw words.faultBefore("a hardware address needs ether before it: ether host " + word);
      }
      return primitives.etherHost(mac(word), keywords.end());
    }
    if (keywords.protocol().equals("ether")) {
      throw words.faultBefore("'" + word + "' is no hardware address");
    }
    Optional<Ip> ip = Ip.tryParse(word);
    if (ip.isPresent()) {
      return address(keywords, ip.get(), ip.get().family().bits());
    }
    if (word.matches("[0-9]{1,3}(\\.[0-9]{1,3}){1,2}")) {
      return net(keywords, word);
    }
    throw words.faultBefore(
        "'" + word + "' is no address; names are not looked up, since that makes traffic itself");
  }

  private static long mac(String word) {
    StringBuilder octets = new StringBuilder();
    for (String octet : word.split(":", -1)) {
      octets
          .append(octets.isEmpty() ? "" : ":")
          .append(octet.length() == 1 ? "0" : "")
          .append(octet);
    }
    return Mac.parse(octets.toString()).bits();
  }

  private Condition net(Keywords keywords, String word) throws FilterSyntaxException {
    Optional<Ip> whole = Ip.tryParse(word);
    int length = whole.map(ip -> ip.family().bits()).orElse(0);
    Ip ip;
    if (whole.isPresent()) {
      ip = whole.get();
    } else if (word.matches("[0-9]{1,3}(\\.[0-9]{1,3}){0,2}")) {
      int parts = word.split("\\.", -1).length;
      length = 8 * parts;
      ip =
          Ip.tryParse(word + ".0".repeat(4 - parts))
              .orElseThrow(() -> words.faultBefore("'" + word + "' is no address"));
    } else {
      throw words.faultBefore("'" + word + "' is no network; write it as 10.244.0.0/16");
    }
    if (words.took("/")) {
      length = number(words.take(), ip.family().bits());
    } else if (words.took("mask")) {
      String text = words.take();
      length = maskLength(text);
    }
    for (int i = length; i < ip.family().bits(); i++) {
      if (ip.bit(i)) {
        throw words.faultBefore(ip + " has bits beyond the " + length + " of the network");
      }
    }
    return address(keywords, ip, length);
  }

  private int maskLength(String text) throws FilterSyntaxException {
    Optional<Ip> mask = Ip.tryParse(text);
    if (mask.isPresent() && mask.get().family().bits() == 32) {
      int bits = (int) mask.get().low();
      int length = Integer.numberOfLeadingZeros(~bits);
      if (length == 32 || bits << length == 0) {
        return length;
      }
    }
    throw words.faultBefore("'" + text + "' is no mask of a network, such as 255.255.0.0");
  }

  private Condition address(Keywords keywords, Ip ip, int length) throws FilterSyntaxException {
    String protocol = keywords.protocol();
    if (ip.family().bits() == 128) {
      if (protocol.isEmpty() || protocol.equals("ip6")) {
        return primitives.v6Host(ip, length, keywords.end());
      }
      throw words.faultBefore(protocol + " has no address such as " + ip);
    }
    int bits = (int) ip.low();
    int mask = length == 0 ? 0 : -1 << (32 - length);
    return switch (protocol) {
      case "" -> primitives.host(bits, mask, keywords.end());
      case "ip" -> primitives.v4Host(bits, mask, keywords.end());
      case "arp", "rarp" ->
          primitives.arpHost(number(LINK_PROTOCOLS, protocol), bits, mask, keywords.end());
      default ->
          throw words.faultBefore(
              protocol + " has no address of its own: " + protocol + " and host " + ip);
    };
  }

  private OptionalInt portProtocol(Keywords keywords) throws FilterSyntaxException {
    return switch (keywords.protocol()) {
      case "" -> OptionalInt.empty();
      case "tcp" -> OptionalInt.of(Primitives.TCP);
      case "udp" -> OptionalInt.of(Primitives.UDP);
      case "sctp" -> OptionalInt.of(Primitives.SCTP);
      default -> throw words.faultBefore(keywords.protocol() + " has no ports");
    };
  }

  private Condition port(Keywords keywords, String word) throws FilterSyntaxException {
    OptionalInt asked = portProtocol(keywords);
    Optional<PortNames.Named> named = ports.named(word);
    if (Character.isDigit(word.charAt(0)) || named.isEmpty()) {
      int port = number(word, 0xffff);
      return primitives.ports(port, port, asked, keywords.end());
    }
    int port = named.get().number();
    Set<Protocol> known = named.get().protocols();
    if (asked.isPresent() || known.size() > 1) {
      return primitives.ports(port, port, asked, keywords.end());
    }
    int only = known.iterator().next().number();
    return primitives.ports(port, port, OptionalInt.of(only), keywords.end());
  }

  private Condition portRange(Keywords keywords, String word) throws FilterSyntaxException {
    String[] ends = word.split("-", -1);
    if (ends.length != 2) {
      throw words.faultBefore("'" + word + "' is no range of ports, such as 8000-8080");
    }
    int from = number(ends[0], 0xffff);
    int to = number(ends[1], 0xffff);
    return primitives.ports(
        Math.min(from, to), Math.max(from, to), portProtocol(keywords), keywords.end());
  }

  private Condition proto(Keywords keywords, String word) throws FilterSyntaxException {
    String name = word.startsWith("\\") ? word.substring(1) : word;
    if (keywords.end() != End.EITHER) {
      throw words.faultBefore("a protocol has no src and no dst");
    }
    if (keywords.protocol().equals("ether")) {
      Integer link = LINK_PROTOCOLS.get(name);
      return primitives.linkType(link == null ? number(name, 0xffff) : link);
    }
    Integer known = PROTOCOLS.get(name);
    int number = known == null ? number(name, 0xff) : known;
    return switch (keywords.protocol()) {
      case "" -> primitives.overIp(number);
      case "ip" -> primitives.overV4(number);
      case "ip6" -> primitives.overV6(number);
      default -> throw words.faultBefore(keywords.protocol() + " carries no other protocol");
    };
  }

  private int number(String word, int most) throws FilterSyntaxException {
    Optional<Long> number = Arithmetic.tryNumber(word);
    if (number.isEmpty() || number.get() > most) {
      throw words.faultBefore("'" + word + "' is no number from 0 to " + most);
    }
    return (int) (long) number.get();
  }
}
