package dev.sund.dataplane.nft;

import dev.sund.engine.program.Frontend;
import dev.sund.engine.program.Frontend.Place;
import dev.sund.engine.program.Frontend.View;
import dev.sund.engine.program.SourceRange;
import dev.sund.kernel.nft.Bytes;
import dev.sund.model.Ip;
import dev.sund.model.Prefix;
import dev.sund.model.Protocol;
import java.nio.ByteOrder;
import java.util.Optional;

/** Keys and values of the maps of translation, as bytes and back. */
final class FrontendKeys {
  private static final int WORD = 4;

  private FrontendKeys() {}

  /** The key of a frontend: {@code [address .] protocol . port}. */
  static Bytes frontend(Frontend.Key key) {
    return build(key, 0).bytes();
  }

  /** The key of an endpoint: that of its frontend, then its mark. */
  static Bytes endpoint(Frontend.Key key, int slotMark) {
    return build(key, WORD).host32(slotMark).bytes();
  }

  /** The key of a range of sources: that of its frontend, then the first address. */
  static Bytes range(Frontend.Key key, Ip address) {
    return build(key, address.family().bytes()).ip(address).bytes();
  }

  private static Bytes.Builder build(Frontend.Key key, int more) {
    Bytes.Builder builder;
    if (key.place() instanceof Place.At(var ip)) {
      builder = Bytes.builder(ip.family().bytes() + 2 * WORD + more).ip(ip);
    } else {
      builder = Bytes.builder(2 * WORD + more);
    }
    return builder.u8(key.protocol().number()).zeros(3).u16(key.port()).zeros(2);
  }

  /** The frontend of such a key, or of the beginning of an endpoint's; empty when it is none. */
  static Optional<Frontend.Key> frontend(FrontendGroup group, Bytes key) {
    int at = group.addressBytes();
    if (key.length() < at + 2 * WORD) {
      return Optional.empty();
    }
    Place place =
        group.isNode()
            ? new Place.AnyLocal(group.family())
            : new Place.At(Ip.of(key.slice(0, at).toArray()));
    int port = key.at(at + WORD) << 8 | key.at(at + WORD + 1);
    return protocol(key.at(at))
        .filter(_ -> port > 0)
        .map(protocol -> new Frontend.Key(place, protocol, port));
  }

  private static Optional<Protocol> protocol(int number) {
    for (Protocol protocol : Protocol.values()) {
      if (protocol != Protocol.ICMP && protocol.number() == number) {
        return Optional.of(protocol);
      }
    }
    return Optional.empty();
  }

  /** The mark at the end of an endpoint's key. */
  static int slotMark(FrontendGroup group, Bytes key) {
    int at = group.addressBytes() + 2 * WORD;
    return key.length() == at + WORD ? host(key.slice(at, at + WORD)) : 0;
  }

  /** An address and a port, as a map's value. */
  static Bytes address(Ip ip, int port) {
    return Bytes.builder(ip.family().bytes() + WORD).ip(ip).u16(port).zeros(2).bytes();
  }

  /** A mark, as a map's value. */
  static Bytes mark(int mark) {
    return Bytes.host32(mark);
  }

  /** A number of 4 bytes in the machine's order; 0 for what is none. */
  static int host(Bytes bytes) {
    if (bytes.length() != WORD) {
      return 0;
    }
    int big = bytes.at(0) << 24 | bytes.at(1) << 16 | bytes.at(2) << 8 | bytes.at(3);
    return ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN ? big : Integer.reverseBytes(big);
  }

  /** A key of one of our sets and maps as people write it; empty for others' and odd ones. */
  static Optional<String> text(String set, Bytes key) {
    if (set.startsWith(FrontendLowering.ANSWERS)) {
      return Optional.of("0x%08x".formatted(host(key)));
    }
    for (FrontendGroup group : FrontendGroup.values()) {
      if (set.equals(group.frontends()) || set.equals(group.externals())) {
        return frontend(group, key).map(Frontend.Key::toString);
      }
      if (set.equals(group.endpoints())) {
        int slot = slotMark(group, key);
        String view = FrontendMark.view(slot) == View.OUTSIDE ? " outside #" : " #";
        return frontend(group, key).map(at -> at + view + FrontendMark.number(slot));
      }
      int length = group.family().bytes();
      if (set.equals(FrontendLowering.hairpin(group.family())) && key.length() == 2 * length) {
        return Optional.of(
            Ip.of(key.slice(0, length).toArray())
                + " to "
                + Ip.of(key.slice(length, 2 * length).toArray()));
      }
    }
    return TablePart.of(set).flatMap(part -> text(part, key));
  }

  private static Optional<String> text(TablePart part, Bytes key) {
    return switch (part.kind()) {
      case AFFINITY -> frontend(part.group(), key).map(Frontend.Key::toString);
      case ALLOWED -> range(part, key).map(SourceRange.Key::toString);
    };
  }

  /** Whose range of sources an element is; empty when it is none. */
  static Optional<SourceRange.Key> range(TablePart part, Bytes key) {
    int at = part.group().addressBytes() + 2 * WORD;
    if (key.length() != at + part.group().family().bytes()) {
      return Optional.empty();
    }
    Ip address = Ip.of(key.slice(at, key.length()).toArray());
    Prefix range = Prefix.around(address, part.number());
    return frontend(part.group(), key)
        .filter(_ -> range.address().equals(address))
        .map(frontend -> new SourceRange.Key(frontend, range));
  }
}
