package dev.sund.kernel.route;

import dev.sund.kernel.netlink.NlWriter;
import dev.sund.model.Checks;
import dev.sund.model.Mac;
import java.nio.charset.StandardCharsets;

/** One setting that any device has. */
public sealed interface LinkSetting {
  /** Up or down. */
  record Up(boolean up) implements LinkSetting {}

  /** Whether it takes frames that are for others too. */
  record Promiscuous(boolean all) implements LinkSetting {}

  /** Largest packet in bytes. */
  record Mtu(int bytes) implements LinkSetting {
    public Mtu {
      Checks.range("mtu", bytes, 68, 65575);
    }
  }

  /** Its own address. */
  record Address(Mac mac) implements LinkSetting {}

  /** Text for people and for us, at most 255 bytes; empty removes it. */
  record Alias(String text) implements LinkSetting {
    public Alias {
      Checks.that(
          text.getBytes(StandardCharsets.UTF_8).length < 256,
          "an ifalias has at most 255 bytes: '" + text + "'");
    }
  }

  /** The group by which many devices are deleted at once. */
  record Group(int number) implements LinkSetting {}

  /** The bridge that it is a port of, 0 for none. */
  record Master(int index) implements LinkSetting {}

  /** Another name. The device must be down on kernels before 6.3. */
  record Name(String name) implements LinkSetting {
    public Name {
      Link.checkName(name);
    }
  }

  /**
   * How many segments it takes as one bundle (IFLA_GSO_MAX_SEGS), from 1; with 1 every packet is
   * handed to it by itself.
   */
  record MaxSegments(int count) implements LinkSetting {
    public MaxSegments {
      Checks.range("segments", count, 1, 65535);
    }
  }

  /** Moves it to the namespace of this open descriptor. Addresses and routes are lost. */
  record Namespace(int descriptor) implements LinkSetting {}

  /**
   * Whether the kernel gives it an IPv6 link-local address by itself, which takes part in duplicate
   * address detection. Set before it goes up. Not on a device without IPv6 (MTU below 1280).
   */
  record LinkLocal(boolean automatic) implements LinkSetting {}

  /**
   * Whether the message that makes a device may carry this; the kernel ignores the others there.
   */
  default boolean fitsCreation() {
    return switch (this) {
      case Up _, Mtu _, Address _, Group _, Master _, MaxSegments _, Namespace _ -> true;
      case Alias _, Name _, LinkLocal _, Promiscuous _ -> false;
    };
  }

  /** Writes the attribute; {@link Up} and {@link Promiscuous} are in the header and write none. */
  default void write(NlWriter out) {
    switch (this) {
      case Up _, Promiscuous _ -> {}
      case Mtu(int bytes) -> out.u32(Link.IFLA_MTU, bytes);
      case Address(Mac mac) -> out.mac(Link.IFLA_ADDRESS, mac);
      case Alias(String text) ->
          out.bytes(Link.IFLA_IFALIAS, text.getBytes(StandardCharsets.UTF_8));
      case Group(int number) -> out.u32(Link.IFLA_GROUP, number);
      case Master(int index) -> out.u32(Link.IFLA_MASTER, index);
      case MaxSegments(int count) -> out.u32(Link.IFLA_GSO_MAX_SEGS, count);
      case Name(String name) -> out.string(Link.IFLA_IFNAME, name);
      case Namespace(int descriptor) -> out.u32(Link.IFLA_NET_NS_FD, descriptor);
      case LinkLocal(boolean automatic) ->
          out.nest(Link.IFLA_AF_SPEC)
              .nest(Rtnl.AF_INET6)
              .u8(Link.IFLA_INET6_ADDR_GEN_MODE, automatic ? 0 : 1)
              .unnest()
              .unnest();
    }
  }

  /** As {@code ip link} would say it. */
  default String text() {
    return switch (this) {
      case Up(boolean up) -> up ? "up" : "down";
      case Promiscuous(boolean all) -> all ? "promisc on" : "promisc off";
      case Mtu(int bytes) -> "mtu " + bytes;
      case Address(Mac mac) -> "address " + mac;
      case Alias(String text) -> "alias '" + text + "'";
      case Group(int number) -> "group " + Integer.toUnsignedString(number);
      case Master(int index) -> index == 0 ? "nomaster" : "master #" + index;
      case MaxSegments(int count) -> "gso_max_segs " + count;
      case Name(String name) -> "name " + name;
      case Namespace(int descriptor) -> "netns of descriptor " + descriptor;
      case LinkLocal(boolean automatic) -> "addrgenmode " + (automatic ? "eui64" : "none");
    };
  }
}
