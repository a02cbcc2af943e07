package dev.sund.doctor.filter;

import static dev.sund.kernel.packet.Bpf.SKF_AD_OFF;
import static dev.sund.kernel.packet.Bpf.SKF_AD_PKTTYPE;
import static dev.sund.kernel.packet.Bpf.SKF_AD_VLAN_TAG;

import dev.sund.model.Ip;
import java.util.List;
import java.util.OptionalInt;

/**
 * What the words of the language mean, byte by byte. Where the network header is depends on how
 * many tags of virtual LANs the expression has asked for so far.
 */
final class Primitives {
  /** Which end of a packet is meant. */
  enum End {
    EITHER,
    SOURCE,
    DESTINATION,
    BOTH
  }

  static final int ETHERTYPE_IP = 0x0800;
  static final int ETHERTYPE_ARP = 0x0806;
  static final int ETHERTYPE_RARP = 0x8035;
  static final int ETHERTYPE_IPV6 = 0x86dd;
  static final int TCP = 6;
  static final int UDP = 17;
  static final int SCTP = 132;
  static final int ICMPV6 = 58;
  private static final int FRAGMENT = 44;
  private static final List<Integer> WITH_PORTS = List.of(SCTP, TCP, UDP);
  private static final List<Integer> TAGS = List.of(0x8100, 0x88a8, 0x9100);
  private static final int LARGEST_LENGTH = 1_500;
  private static final int OUTGOING = 4;

  private final LinkForm link;
  private boolean tagTakenOff;
  private int type = 12;
  private int network;

  /**
   * Meanings for packets of a form.
   *
   * @param tagTakenOff whether the outermost tag is not in the packet
   */
  Primitives(LinkForm link, boolean tagTakenOff) {
    this.link = link;
    this.tagTakenOff = tagTakenOff;
    this.network = link == LinkForm.ETHERNET ? 14 : 0;
  }

  /** Where the network header begins. */
  int network() {
    return network;
  }

  /** What the link's header says it carries. */
  Condition linkType(int number) {
    return switch (link) {
      case ETHERNET ->
          number > LARGEST_LENGTH
              ? Condition.equal(Value.at(type, 2), number)
              : Condition.atMost(Value.at(type, 2), LARGEST_LENGTH)
                  .and(Condition.equal(Value.at(network, 1), number));
      case IP -> {
        int version = number == ETHERTYPE_IP ? 0x40 : number == ETHERTYPE_IPV6 ? 0x60 : 0;
        yield version == 0
            ? new Condition.Always(false)
            : Condition.equal(Value.at(0, 1).masked(0xf0), version);
      }
    };
  }

  Condition v4() {
    return linkType(ETHERTYPE_IP);
  }

  Condition v6() {
    return linkType(ETHERTYPE_IPV6);
  }

  /** A protocol over IPv4. */
  Condition overV4(int protocol) {
    return v4().and(Condition.equal(Value.at(network + 9, 1), protocol));
  }

  /** A protocol over IPv6, at once or behind a fragment's header. */
  Condition overV6(int protocol) {
    return v6().and(
            Condition.equal(Value.at(network + 6, 1), protocol)
                .or(
                    Condition.equal(Value.at(network + 6, 1), FRAGMENT)
                        .and(Condition.equal(Value.at(network + 40, 1), protocol))));
  }

  /** A protocol over either. */
  Condition overIp(int protocol) {
    return overV4(protocol).or(overV6(protocol));
  }

  /** No fragment, or a packet's first. */
  Condition beginsPacket() {
    return Condition.equal(Value.at(network + 6, 2).masked(0x1fff), 0);
  }

  /** Bytes behind the IPv4 header. */
  Value behindV4(int offset, int size) {
    return Value.behindV4(network, offset, size);
  }

  /** An IPv4 address or network, in IPv4 packets. */
  Condition v4Host(int address, int mask, End end) {
    return v4Host(ETHERTYPE_IP, 12, 16, address, mask, end);
  }

  /** The same in ARP or RARP. */
  Condition arpHost(int linkType, int address, int mask, End end) {
    return v4Host(linkType, 14, 24, address, mask, end);
  }

  /** The same in all of them. */
  Condition host(int address, int mask, End end) {
    return v4Host(address, mask, end)
        .or(arpHost(ETHERTYPE_ARP, address, mask, end))
        .or(arpHost(ETHERTYPE_RARP, address, mask, end));
  }

  private Condition v4Host(
      int linkType, int source, int destination, int address, int mask, End end) {
    return linkType(linkType)
        .and(
            ends(
                end,
                Condition.equal(Value.at(network + source, 4).masked(mask), address),
                Condition.equal(Value.at(network + destination, 4).masked(mask), address)));
  }

  /** An IPv6 address or network. */
  Condition v6Host(Ip address, int length, End end) {
    return v6().and(ends(end, v6Address(address, length, 8), v6Address(address, length, 24)));
  }

  /** All four words are read, also those that may be anything: as libpcap does it. */
  private Condition v6Address(Ip address, int length, int offset) {
    Condition all = v6Word(address, length, offset, 0);
    for (int word = 1; word < 4; word++) {
      all = all.and(v6Word(address, length, offset, word));
    }
    return all;
  }

  private Condition v6Word(Ip address, int length, int offset, int word) {
    long half = word < 2 ? address.high() : address.low();
    int bits = Math.clamp(length - 32 * word, 0, 32);
    int mask = bits == 0 ? 0 : -1 << (32 - bits);
    return Condition.equal(
        Value.at(network + offset + 4 * word, 4).masked(mask),
        (int) (word % 2 == 0 ? half >>> 32 : half));
  }

  private static Condition ends(End end, Condition source, Condition destination) {
    return switch (end) {
      case EITHER -> source.or(destination);
      case SOURCE -> source;
      case DESTINATION -> destination;
      case BOTH -> source.and(destination);
    };
  }

  /** A hardware address. */
  Condition etherHost(long address, End end) {
    return link == LinkForm.IP
        ? new Condition.Always(false)
        : ends(end, etherAddress(address, 6), etherAddress(address, 0));
  }

  private static Condition etherAddress(long address, int offset) {
    return Condition.equal(Value.at(offset + 2, 4), (int) address)
        .and(Condition.equal(Value.at(offset, 2), (int) (address >>> 32)));
  }

  /** Sent to everybody on the link. */
  Condition etherBroadcast() {
    return etherHost(0xffff_ffff_ffffL, End.DESTINATION);
  }

  /** Sent to several on the link, or everybody. */
  Condition etherMulticast() {
    return link == LinkForm.IP
        ? new Condition.Always(false)
        : new Condition.Not(Condition.equal(Value.at(0, 1).masked(1), 0));
  }

  Condition v4Multicast() {
    return v4().and(Condition.atLeast(Value.at(network + 16, 1), 224));
  }

  Condition v6Multicast() {
    return v6().and(Condition.equal(Value.at(network + 24, 1), 255));
  }

  /**
   * Ports from one to another.
   *
   * @param protocol whose; empty for all that have ports
   */
  Condition ports(int from, int to, OptionalInt protocol, End end) {
    Condition v4Source = portAt(behindV4(0, 2), from, to);
    Condition v4Destination = portAt(behindV4(2, 2), from, to);
    Condition v6Source = portAt(Value.at(network + 40, 2), from, to);
    Condition v6Destination = portAt(Value.at(network + 42, 2), from, to);
    return v6().and(carries(network + 6, protocol))
        .and(ends(end, v6Source, v6Destination))
        .or(
            v4().and(carries(network + 9, protocol))
                .and(beginsPacket())
                .and(ends(end, v4Source, v4Destination)));
  }

  private static Condition portAt(Value port, int from, int to) {
    return from == to
        ? Condition.equal(port, from)
        : Condition.atLeast(port, from).and(Condition.atMost(port, to));
  }

  private static Condition carries(int offset, OptionalInt protocol) {
    if (protocol.isPresent()) {
      return Condition.equal(Value.at(offset, 1), protocol.getAsInt());
    }
    return WITH_PORTS.stream()
        .map(number -> Condition.equal(Value.at(offset, 1), number))
        .reduce(Condition::or)
        .orElseThrow();
  }

  /**
   * A tag of a virtual LAN; what is asked from here on is behind it.
   *
   * @param number which; empty for any
   */
  Condition vlan(OptionalInt number) {
    if (link == LinkForm.IP) {
      return new Condition.Always(false);
    }
    if (tagTakenOff) {
      tagTakenOff = false; // a second one stands in the packet
      return number.isEmpty()
          ? new Condition.Always(true)
          : tag(Value.at(SKF_AD_OFF + SKF_AD_VLAN_TAG, 2), number.getAsInt());
    }
    Condition is =
        TAGS.stream()
            .map(tag -> Condition.equal(Value.at(type, 2), tag))
            .reduce(Condition::or)
            .orElseThrow();
    Condition asked = number.isEmpty() ? is : is.and(tag(Value.at(network, 2), number.getAsInt()));
    type += 4;
    network += 4;
    return asked;
  }

  private static Condition tag(Value control, int number) {
    return Condition.equal(control.masked(0xfff), number);
  }

  /** On its way out of the device, or in. */
  Condition outgoing(boolean out) {
    Condition is = Condition.equal(Value.at(SKF_AD_OFF + SKF_AD_PKTTYPE, 1), OUTGOING);
    return out ? is : new Condition.Not(is);
  }
}
